"""Masks go to the upright source and back unchanged, whatever was done to the picture before."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from photo_processor.imaging.geometry import cropped, flipped, padded, scaled, turned
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.imaging.source_masks import from_source, on_source
from photo_processor.operations.rotate import rotated

WIDTH, HEIGHT = 300, 201
Chain = Callable[[Picture], Picture]

WHOLE_PX: dict[str, Chain] = {
    "quarter": lambda picture: turned(picture, 1),
    "half": lambda picture: turned(picture, 2),
    "three quarters": lambda picture: turned(picture, 3),
    "mirrored": lambda picture: flipped(picture, 1),
    "upside down": lambda picture: flipped(picture, 0),
    "both": lambda picture: flipped(picture, -1),
    "cropped, turned": lambda picture: turned(cropped(picture, 13, 7, 200, 150), 1),
    "padded, mirrored, turned": lambda picture: turned(flipped(padded(picture, 9, 4, 5, 7, (0, 0, 0, 255)), 1), 3),
}
RESAMPLED: dict[str, Chain] = {
    "a third": lambda picture: scaled(picture, 100, 67),
    "cropped, a third": lambda picture: scaled(cropped(picture, 13, 7, 201, 150), 67, 50),
    "a third, cropped, turned": lambda picture: turned(cropped(scaled(picture, 100, 67), 11, 13, 70, 40), 1),
    "no whole step": lambda picture: scaled(picture, 171, 113),
    "stretched": lambda picture: scaled(picture, 100, 180),
    "larger, turned": lambda picture: scaled(turned(picture, 1), 402, 600),
    "straightened": lambda picture: rotated(picture, 4, "inside", "white"),
    "mirrored, turned by 100": lambda picture: rotated(flipped(picture, 1), 100, "expand", "white"),
    "a third, straightened": lambda picture: rotated(scaled(picture, 100, 67), 4, "expand", "white"),
}


def subject(picture: Picture) -> Pixels:
    """A soft shape that touches three edges of what the picture shows of its source."""
    width, height = picture.width, picture.height
    matte = np.zeros((height, width), np.uint8)
    cv2.ellipse(matte, (width // 2, height // 2), (width // 3, height // 3), 20, 0, 360, (255,), -1, cv2.LINE_AA)
    matte[height // 2 :, width // 3 : width // 2] = 255
    matte[height // 3 : height // 2, :] = 255
    matte = cv2.GaussianBlur(matte, (0, 0), 1.0)
    shown = from_source(np.full((HEIGHT, WIDTH), 255, np.uint8), picture)
    return np.asarray(np.where(shown == 255, matte, 0), np.uint8)


def there_and_back(chain: Chain) -> tuple[Pixels, Pixels]:
    picture = chain(Picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    matte = subject(picture)
    mask = on_source(matte, picture.placement, (WIDTH, HEIGHT))
    assert mask.shape == (HEIGHT, WIDTH)
    return matte, from_source(mask, picture)


@pytest.mark.parametrize("chain", WHOLE_PX.values(), ids=WHOLE_PX)
def test_mask_of_whole_px_comes_back_as_it_was(chain: Chain) -> None:
    matte, back = there_and_back(chain)
    assert np.array_equal(matte, back)


@pytest.mark.parametrize("chain", RESAMPLED.values(), ids=RESAMPLED)
def test_mask_of_other_px_comes_back_nearly_as_it_was(chain: Chain) -> None:
    matte, back = there_and_back(chain)
    one, other = matte > 127, back > 127
    assert (one & other).sum() / (one | other).sum() > 0.998
    assert np.abs(matte.astype(int) - back).mean() < 1.2


def test_mask_lies_where_the_photo_has_its_subject() -> None:
    """What the picture shows at a px is where the mask says it is in the source: not a px beside it."""
    photo = np.zeros((HEIGHT, WIDTH), np.uint8)
    photo[40:150, 60:200] = 255
    photo = np.asarray(
        cv2.GaussianBlur(photo, (0, 0), 1.0), np.uint8
    )  # Lanczos rings at harder edges than cameras make
    source = Picture(np.dstack([photo] * 3))
    for name, chain in (WHOLE_PX | RESAMPLED).items():
        picture = chain(source)
        mask = on_source(np.ascontiguousarray(picture.pixels[..., 0]), picture.placement, (WIDTH, HEIGHT))
        shown = on_source(np.full(picture.pixels.shape[:2], 255, np.uint8), picture.placement, (WIDTH, HEIGHT)) > 0
        white = chain(Picture(np.zeros_like(source.pixels))).pixels[..., 0] > 0  # corners that were filled
        if not white.any():
            differ = np.abs(mask.astype(int) - photo) * shown
            assert differ.mean() < 2, name
