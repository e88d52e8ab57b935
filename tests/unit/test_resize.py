"""The operation `resize`."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor.imaging.pictures import Picture, Placement
from photo_processor.imaging.reduction import shrunk
from photo_processor.operations import Context
from photo_processor.operations.resize import Resize
from tests.unit.test_remove_background import KnownMatte


def resized(operation: Resize, picture: Picture) -> Picture:
    return operation.apply(picture, Context(models=KnownMatte(picture.pixels[..., 0])))


@pytest.mark.parametrize(
    ("operation", "size"),
    [
        (Resize(width=300), (300, 200)),
        (Resize(height=100), (150, 100)),
        (Resize(width=300, height=300), (300, 200)),
        (Resize(width=300, height=300, mode="fill"), (300, 300)),
        (Resize(width=300, height=300, mode="stretch"), (300, 300)),
        (Resize(width=1200), (600, 400)),
        (Resize(width=1200, enlarge=True), (1200, 800)),
        (Resize(width=1200, height=100, mode="stretch"), (600, 100)),
        (Resize(width=1000, height=1000, mode="fill"), (400, 400)),
        (Resize(width=1), (1, 1)),
    ],
)
def test_size_is_as_asked(operation: Resize, size: tuple[int, int]) -> None:
    picture = resized(operation, Picture(data.coffee()))
    assert (picture.width, picture.height) == size
    assert picture.pixels.flags.c_contiguous


def test_shrunk_looks_like_pillows_lanczos() -> None:
    picture = resized(Resize(width=200), Picture(data.coffee()))
    expected = np.asarray(Image.fromarray(data.coffee()).resize((200, 133), Image.Resampling.LANCZOS))
    assert np.abs(picture.pixels.astype(int) - expected).mean() < 1.5


@pytest.mark.parametrize("period", [2.3, 3.1, 5.7])
def test_stripes_are_shrunk_without_moire(period: float) -> None:
    """At every width: no more than 1.5 times the ripple of Pillow's Lanczos, or a level, whichever is more."""
    wave = 127.5 + 127.5 * np.sin(2 * np.pi * np.arange(1600) / period)
    stripes = np.repeat(np.tile(wave.astype(np.uint8), (64, 1))[..., None], 3, axis=2)
    for width in (60, 90, 128, 150, 200, 256, 300, 333, 400, 500, 640, 700, 800, 1000, 1200):
        height = max(1, 64 * width // 1600)
        reference = Image.fromarray(stripes).resize((width, height), Image.Resampling.LANCZOS)
        edge = max(4, width // 20)
        ours, pillows = (
            np.std(np.asarray(pixels)[:, edge:-edge, 0], axis=1).max()
            for pixels in (shrunk(stripes, width, height), reference)
        )
        assert ours <= max(1.0, 1.5 * pillows), f"{width} px: {ours:.1f} and {pillows:.1f} levels"


def test_white_stays_white_and_black_black_at_every_size() -> None:
    for level in (255, 0):
        whole = np.full((401, 1500, 3), level, np.uint8)
        for width in range(7, 1500, 97):
            for height in (3, 67, 400):
                assert (shrunk(whole, width, height) == level).all(), (width, height)
                assert (shrunk(whole[..., 0], width, height) == level).all(), (width, height)


def test_enlarged_looks_like_pillows_lanczos() -> None:
    picture = resized(Resize(width=900, enlarge=True), Picture(data.coffee()))
    expected = np.asarray(Image.fromarray(data.coffee()).resize((900, 600), Image.Resampling.LANCZOS))
    assert np.abs(picture.pixels.astype(int) - expected).mean() < 1.5


def test_fill_keeps_the_middle() -> None:
    picture = resized(Resize(width=400, height=400, mode="fill"), Picture(data.coffee()))
    assert np.array_equal(picture.pixels, data.coffee()[:, 100:500])
    assert picture.placement == Placement(100, 0)


def test_transparent_px_lend_no_colour() -> None:
    pixels = np.full((100, 100, 3), (0, 255, 0), np.uint8)
    alpha = np.zeros((100, 100), np.uint8)
    pixels[20:81, 20:81] = (255, 0, 0)
    alpha[20:81, 20:81] = 255
    picture = resized(Resize(width=37), Picture(pixels, alpha))
    assert picture.alpha is not None
    seen = picture.alpha > 2
    assert np.abs(picture.pixels[seen].astype(int) - (255, 0, 0)).max() <= 1


def test_placement_follows() -> None:
    picture = resized(Resize(width=300), Picture(data.coffee(), placement=Placement(10, 20, 2, 2)))
    assert picture.placement == Placement(10, 20, 4, 4)


def test_nothing_to_do_gives_the_same_picture() -> None:
    source = Picture(data.coffee())
    assert resized(Resize(width=600), source) is source
