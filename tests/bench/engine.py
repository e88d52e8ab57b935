"""The engine's own steps, at 12 MP."""

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from photo_processor.imaging.decode import decode
from photo_processor.imaging.edges import decontaminated, refined
from photo_processor.imaging.encode import png
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.inference.mattes import matte_key
from tests.bench import photos
from tests.bench.rows import Row, duration, seconds

ROUNDS = 5


def run(folder: Path) -> Iterator[Row]:
    """Every row of this part."""
    [path] = photos.save(folder, photos.LARGE, 1, 99)
    pixels = decode(path, 100.0, lambda _code, _message: None).pixels
    alpha = _oval()
    rgba = np.dstack((pixels, alpha))
    ours = [seconds(lambda: png(rgba)) for _ in range(ROUNDS)]
    theirs = [seconds(lambda: Image.fromarray(rgba).save(io.BytesIO(), "PNG")) for _ in range(2)]
    yield duration("PNG of 12 MP, against Pillow", ours[:2], theirs)
    yield duration("edge refined, 12 MP", [seconds(lambda: refined(pixels, alpha)) for _ in range(ROUNDS)])
    yield duration(
        "edge decontaminated, 12 MP", [seconds(lambda: decontaminated(pixels, alpha)) for _ in range(ROUNDS)]
    )
    yield duration("digest of 12 MP", [seconds(lambda: matte_key(pixels, "")) for _ in range(ROUNDS)])


def _oval() -> Pixels:
    """A matte of 12 MP as a network would give it."""
    small = np.zeros((1024, 1024), np.uint8)
    cv2.ellipse(small, (512, 512), (300, 400), 0, 0, 360, (255,), -1)
    soft = cv2.GaussianBlur(small, (0, 0), 2)
    return np.asarray(cv2.resize(soft, photos.LARGE, interpolation=cv2.INTER_CUBIC), np.uint8)
