"""Plain JPEGs by OpenCV: the px that Pillow gives, and no file that Pillow would refuse."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor.imaging.jpeg import plain_pixels


def photo(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(data.astronaut()[:301, :403]).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"quality": 30, "restart_marker_blocks": 7},
        {"quality": 98, "optimize": True, "comment": b"\xff\xd9\xff\xda in a comment"},
        {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"},
    ],
    ids=str,
)
def test_plain_jpeg_has_the_px_that_pillow_gives(options: dict[str, object]) -> None:
    content = photo(**options)
    pixels = plain_pixels(content)
    assert pixels is not None
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_second_picture_behind_the_first_is_left_alone() -> None:
    content = photo()
    pixels = plain_pixels(content + photo("L"))
    assert pixels is not None
    assert np.array_equal(pixels, plain_pixels(content))


@pytest.mark.parametrize(
    "content", [photo("L"), photo("CMYK"), photo(progressive=True)], ids=["grey", "cmyk", "progressive"]
)
def test_other_kinds_are_left_to_others(content: bytes) -> None:
    assert plain_pixels(content) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-2],
        lambda content: content[:300],
        lambda content: content[:-2] + b"\xff\xd8" + content[-2:],
        lambda content: content[: len(content) // 2] + b"\xff\xc4" + content[len(content) // 2 :],
        lambda content: content[:2],
        lambda content: b"",
    ],
    ids=["half", "no end", "header alone", "another begins", "a table within", "two bytes", "nothing"],
)
def test_what_may_be_damaged_is_left_to_others(damage: Callable[[bytes], bytes]) -> None:
    assert plain_pixels(damage(photo())) is None


def test_every_photo_cut_short_anywhere_is_left_to_others() -> None:
    content = photo(quality=60)
    assert [size for size in range(0, len(content) - 1, 97) if plain_pixels(content[:size]) is not None] == []
