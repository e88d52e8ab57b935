"""The photos that a network is calibrated and checked on: scikit-image's own, which its package brings along."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from photo_processor.models.inference.types import Pixels

PHOTOS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "camera.png",
    "clock_motion.png",
    "coins.png",
    "retina.jpg",
    "hubble_deep_field.jpg",
    "moon.png",
    "ihc.png",
    "brick.png",
    "grass.png",
    "gravel.png",
)
LEAST_SHARE, MOST_SHARE = 0.5, 0.95  # of a photo's sides that a crop keeps
SEED = 7


def calibration_crops(count: int) -> Iterator[Pixels]:
    """(H, W, 3) uint8 RGB: every photo whole, then crops of each in turn; the same ones each time."""
    yield from _crops(count, np.random.default_rng(SEED), first_whole=True)


def held_out_crops(count: int) -> Iterator[Pixels]:
    """As `calibration_crops`, but mirrored crops of other places, which no calibration has seen."""
    for crop in _crops(count, np.random.default_rng(SEED + 1), first_whole=False):
        yield np.ascontiguousarray(crop[:, ::-1])


def _crops(count: int, random: np.random.Generator, *, first_whole: bool) -> Iterator[Pixels]:
    folder = _folder()
    for number in range(count):
        photo = _read(folder / PHOTOS[number % len(PHOTOS)])
        whole = first_whole and number < len(PHOTOS)
        yield photo if whole else _crop(photo, random)


def _crop(photo: Pixels, random: np.random.Generator) -> Pixels:
    share = random.uniform(LEAST_SHARE, MOST_SHARE)
    height, width = (int(side * share) for side in photo.shape[:2])
    y = int(random.integers(0, photo.shape[0] - height + 1))
    x = int(random.integers(0, photo.shape[1] - width + 1))
    return photo[y : y + height, x : x + width]


def _folder() -> Path:
    """scikit-image's data, without the second that its import takes. Raises ImportError."""
    package = importlib.util.find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise ImportError("scikit-image is not installed")
    return Path(package.submodule_search_locations[0]) / "data"


def _read(path: Path) -> Pixels:
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise FileNotFoundError(path)
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)
