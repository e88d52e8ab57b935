"""The operation `watermark`."""

import numpy as np
import pytest
from skimage import data

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.watermark import Watermark
from tests.unit.test_remove_background import KnownMatte

LOGO = "asset:" + "b" * 64


def logo(_name: str, _least: tuple[int, int]) -> Picture:
    pixels = np.full((40, 80, 3), (0, 200, 0), np.uint8)
    alpha = np.zeros((40, 80), np.uint8)
    alpha[:, 20:60] = 255
    return Picture(pixels, alpha)


def changed(source: Picture, **parameters: object) -> tuple[Picture, tuple[int, int, int, int]]:
    """The marked picture, and the box (x, y, width, height) of what differs."""
    operation = Watermark.model_validate(parameters)
    result = operation.apply(source, Context(models=KnownMatte(source.pixels[..., 0]), assets=logo))
    differs = np.abs(result.pixels.astype(int) - source.pixels).max(axis=2) > 8
    rows, columns = np.nonzero(differs)
    x, y = int(columns.min()), int(rows.min())
    return result, (x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1)


def grey() -> Picture:
    return Picture(np.full((400, 600, 3), 128, np.uint8), dpi=(300.0, 300.0))


@pytest.mark.parametrize(
    ("position", "at"),
    [
        ("top-left", (12, 12)),
        ("bottom-right", (408, 388)),
        ("center", (210, 200)),
        ("right", (408, 200)),
    ],
)
def test_text_is_where_it_was_asked_for(position: str, at: tuple[int, int]) -> None:
    result, (x, y, width, height) = changed(grey(), text="Photo", position=position, size=0.3)
    assert width == pytest.approx(180, abs=4)
    assert x == pytest.approx(at[0], abs=4)
    edge = {"top-left": y, "bottom-right": y + height}.get(position, y + height / 2)
    assert edge == pytest.approx(at[1], abs=6)
    assert (result.dpi, result.alpha) == ((300.0, 300.0), None)


@pytest.mark.parametrize("size", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("text", ["i", "Photo Processor", "Ünïcødé 2026 ©"])
def test_text_never_leaves_the_photo(text: str, size: float) -> None:
    _, (x, y, width, height) = changed(Picture(data.coffee()), text=text, size=size)
    assert 0 <= x < x + width <= 600
    assert 0 <= y < y + height <= 400


def test_opacity_is_that_of_the_mark() -> None:
    parts = [changed(grey(), text="MMM", size=0.9, opacity=opacity, outline=False)[0].pixels for opacity in (0.5, 1)]
    assert [int(part.max()) for part in parts] == [pytest.approx(191, abs=2), 255]


def test_outline_is_seen_on_the_texts_own_colour() -> None:
    white = Picture(np.full((400, 600, 3), 255, np.uint8))
    _, (_, _, width, _) = changed(white, text="Photo", size=0.5, outline=True)
    assert width > 280


def test_uploaded_picture_keeps_its_shape_and_transparency() -> None:
    result, (x, y, width, height) = changed(grey(), picture=LOGO, size=0.4, position="top-left", opacity=1)
    assert (width, height) == (pytest.approx(120, abs=2), pytest.approx(120, abs=2))
    assert (x, y) == (pytest.approx(12 + 60, abs=2), 12)
    assert tuple(result.pixels[60, 130]) == (0, 200, 0)


def test_tiled_mark_is_everywhere() -> None:
    result, _ = changed(grey(), text="Photo", size=0.15, tiled=True, angle=-30)
    marked: Pixels = np.abs(result.pixels.astype(int) - 128).max(axis=2) > 8
    for rows in np.array_split(np.arange(400), 4):
        for columns in np.array_split(np.arange(600), 4):
            assert marked[np.ix_(rows, columns)].mean() > 0.03


def test_mark_on_a_cutout_is_seen_where_it_is_transparent() -> None:
    alpha = np.zeros((400, 600), np.uint8)
    alpha[:, 300:] = 255
    picture = Picture(data.coffee(), alpha, matte=alpha)
    result, _ = changed(picture, text="Photo", size=0.8, position="center", opacity=1)
    assert result.alpha is not None
    assert result.alpha[:, :290].max() == 255
    assert result.matte is alpha


@pytest.mark.parametrize("fields", [{}, {"text": "  "}, {"text": "a", "picture": LOGO}, {"picture": "logo.png"}])
def test_mark_is_one_text_or_one_picture(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="text or a picture|pattern"):
        Watermark.model_validate(fields)
