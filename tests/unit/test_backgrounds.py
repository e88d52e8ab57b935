"""What lies behind a subject: gradients, pictures, shadows, masks."""

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from photo_processor import errors
from photo_processor.imaging.composite import before_colour, gradient, mixed
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context, OperationParams
from photo_processor.operations.backgrounds import Gradient, parse_gradient
from photo_processor.operations.mask import Mask
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.operations.replace_background import ReplaceBackground
from photo_processor.operations.shadow import Shadow
from tests.unit.test_remove_background import KnownMatte

WALL = "asset:" + "a" * 64


def ball() -> Pixels:
    rows, columns = np.mgrid[:400, :600]
    return np.asarray(np.clip(600 - 5 * np.hypot(rows - 160, columns - 300), 0, 255), np.uint8)


def cut() -> Picture:
    return Picture(data.coffee(), ball(), photo=data.coffee(), matte=ball())


def wall(_name: str, _least: tuple[int, int]) -> Picture:
    """Twice as wide as high, red on the left and blue on the right."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100, 0] = pixels[:, 100:, 2] = 255
    return Picture(pixels)


def applied(operation: OperationParams, picture: Picture | None = None) -> tuple[Picture, Context]:
    context = Context(models=KnownMatte(ball()), assets=wall)
    return operation.apply(picture or cut(), context), context


def warnings_of(context: Context) -> list[str]:
    return [warning.code for warning in context.findings.warnings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linear-gradient(white, black)", Gradient((255, 255, 255, 255), (0, 0, 0, 255), 180)),
        ("Linear-Gradient( 90deg , #f00 ,transparent )", Gradient((255, 0, 0, 255), (0, 0, 0, 0), 90)),
        ("linear-gradient(-45deg, rgb(1, 2, 3), hsl(0 0% 100%))", Gradient((1, 2, 3, 255), (255, 255, 255, 255), 315)),
        ("white", None),
    ],
)
def test_gradient_is_read_as_css_writes_it(text: str, expected: Gradient | None) -> None:
    assert parse_gradient(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "linear-gradient(red)",
        "linear-gradient(red, blue, green)",
        "linear-gradient(1turn, red, x)",
        "asset:12",
        "url(x)",
    ],
)
@pytest.mark.parametrize("operation", [RemoveBackground, ReplaceBackground])
def test_background_that_is_none_is_refused(operation: type[OperationParams], text: str) -> None:
    with pytest.raises(ValueError, match="gradient"):
        operation.model_validate({"background": text})


@pytest.mark.parametrize(
    ("degrees", "start", "end"),
    [(0, (-1, 0), (0, 0)), (90, (0, 0), (0, -1)), (180, (0, 0), (-1, 0)), (135, (0, 0), (-1, -1))],
)
def test_gradient_runs_where_css_says(degrees: float, start: tuple[int, int], end: tuple[int, int]) -> None:
    pixels = gradient(300, 200, (255, 0, 0, 255), (0, 0, 255, 255), degrees).pixels.astype(int)
    assert np.abs(pixels[start] - (255, 0, 0)).max() <= 2
    assert np.abs(pixels[end] - (0, 0, 255)).max() <= 2
    assert np.abs(pixels[100, 150] - (127, 0, 127)).max() <= 3


def test_gradient_shows_no_bands() -> None:
    column = gradient(400, 1200, (100, 100, 100, 255), (110, 110, 110, 255), 180).pixels[..., 0].astype(float)
    means = column.mean(axis=1)
    smooth = np.linspace(100, 110, 1200)
    assert np.abs(means - smooth).max() < 0.15, "8 bits alone would be 0.5 off"


@pytest.mark.parametrize("operation", [ReplaceBackground, RemoveBackground])
def test_gradient_lies_behind_the_subject(operation: type[OperationParams]) -> None:
    made, _ = applied(
        operation.model_validate({"background": "linear-gradient(red, blue)"}),
        cut() if operation is ReplaceBackground else Picture(data.coffee()),
    )
    assert made.alpha is None
    assert made.pixels[0, 0, 0] > 250
    assert made.pixels[-1, 0, 2] > 250
    assert np.array_equal(made.pixels[160, 300], data.coffee()[160, 300])
    assert made.matte is not None


def test_uploaded_picture_covers_or_is_contained() -> None:
    tall = replace(cut(), pixels=data.coffee()[:, :200].copy(), alpha=ball()[:, :200].copy(), photo=None, matte=None)
    cover, _ = applied(ReplaceBackground(background=WALL, fit="cover"), tall)
    assert cover.alpha is None
    assert tuple(cover.pixels[0, 2]) == (255, 0, 0)
    assert tuple(cover.pixels[0, -3]) == (0, 0, 255)
    contain, _ = applied(ReplaceBackground(background=WALL, fit="contain"), tall)
    assert contain.alpha is not None
    assert contain.alpha[5, 5] == 0
    assert tuple(contain.pixels[200, 2]) == (255, 0, 0)


def test_picture_that_is_gone_is_an_error_of_ours() -> None:
    with pytest.raises(errors.AssetNotFound):
        ReplaceBackground(background=WALL).apply(cut(), Context(models=KnownMatte(ball())))


def test_another_background_replaces_the_one_that_was_laid() -> None:
    red, _ = applied(ReplaceBackground(background="red"))
    blue, _ = applied(ReplaceBackground(background="blue"), red)
    assert tuple(blue.pixels[0, 0]) == (0, 0, 255)
    assert np.array_equal(blue.pixels[160, 300], data.coffee()[160, 300])


@pytest.mark.parametrize("operation", [ReplaceBackground(), Shadow(), Mask()])
def test_photo_without_a_subject_is_told(operation: OperationParams) -> None:
    result, context = applied(operation, Picture(data.coffee()))
    assert warnings_of(context) == ["no_subject_known"]
    assert result.pixels.shape == data.coffee().shape


def test_composite_is_exact() -> None:
    rng = np.random.default_rng(4)
    front, behind = (rng.integers(0, 256, (300, 70, 3), np.uint8) for _ in range(2))
    alpha = rng.integers(0, 256, (300, 70), np.uint8)
    share = alpha[..., None] / 255
    assert np.abs(mixed(front, alpha, behind) - (share * front + (1 - share) * behind)).max() <= 1
    half = before_colour(Picture(front, alpha), (10, 20, 30, 100))
    assert half.alpha is not None
    whole = share + (1 - share) * 100 / 255
    assert np.abs(half.alpha / 255 - whole[..., 0]).max() < 0.003
    expected = (share * front + (1 - share) * (100 / 255) * np.array([10, 20, 30])) / whole
    assert np.abs(half.pixels - expected).max() <= 1


def test_shadow_falls_where_it_was_asked_to() -> None:
    made, _ = applied(Shadow(offset_x=0.2, offset_y=0.3, contact=0, opacity=0.5, blur=0.01))
    assert made.alpha is not None
    right, left = int(made.alpha[260, 400]), int(made.alpha[260, 195])
    assert right == pytest.approx(127, abs=8)
    assert left == 0
    assert not made.pixels[260, 400].any()
    assert np.array_equal(made.pixels[160, 300], data.coffee()[160, 300])
    assert np.array_equal(made.matte, ball()), "a shadow is no part of the subject"


def test_shadow_is_the_same_on_a_background() -> None:
    shadow = Shadow(offset_y=0.2, contact=0.6)
    first, _ = applied(ReplaceBackground(background="#80c0ff"), applied(shadow)[0])
    then, _ = applied(shadow, applied(ReplaceBackground(background="#80c0ff"))[0])
    assert first.alpha is None
    assert then.alpha is None
    assert np.abs(first.pixels.astype(int) - then.pixels).mean() <= 1


def test_contact_shadow_is_under_the_subject() -> None:
    without, with_it = (applied(Shadow(opacity=0, contact=contact))[0].alpha for contact in (0.0, 1.0))
    assert without is not None
    assert with_it is not None
    rows, columns = np.nonzero(with_it.astype(int) - without > 20)
    assert 250 < rows.mean() < 280
    assert abs(columns.mean() - 300) < 3


def test_mask_is_white_where_the_subject_is() -> None:
    made, _ = applied(Mask())
    assert made.alpha is None
    assert np.array_equal(made.pixels, np.repeat(ball()[..., None], 3, axis=2))
    assert np.array_equal(applied(Mask(invert=True))[0].pixels, 255 - made.pixels)
    assert set(np.unique(applied(Mask(threshold=100))[0].pixels)) == {0, 255}


def test_mask_outlives_a_new_background() -> None:
    white, _ = applied(RemoveBackground(background="white", refine=False), Picture(data.coffee()))
    assert np.array_equal(applied(Mask(), white)[0].pixels[..., 0], ball())


def test_cutout_that_goes_in_keeps_its_alpha_and_is_multiplied() -> None:
    half = np.full((400, 600), 128, np.uint8)
    made, _ = applied(RemoveBackground(refine=False, decontaminate=False), Picture(data.coffee(), half))
    assert made.alpha is not None
    assert np.abs(made.alpha.astype(int) - ball() * (128 / 255)).max() <= 1
