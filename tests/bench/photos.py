"""Photos to measure with: real ones, enlarged, each with noise of its own."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

LARGE = (4000, 3000)
SMALL = (816, 612)


def save(folder: Path, size: tuple[int, int], count: int, first: int = 0) -> list[Path]:
    """`count` JPEGs of `size` (width, height) px; the numbers from `first` on name them and seed their noise."""
    sources = (data.astronaut(), data.coffee(), data.chelsea())
    return [
        _save(folder / f"{size[0]}-{number}.jpg", sources[number % len(sources)], size, number)
        for number in range(first, first + count)
    ]


def _save(path: Path, pixels: np.ndarray, size: tuple[int, int], seed: int) -> Path:
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).integers(-6, 7, (*large.shape[:2], 1), np.int16)
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
    return path
