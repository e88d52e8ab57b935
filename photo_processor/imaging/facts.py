"""What is known of a photo whatever is made of it: measures of quality, and a hash that near-duplicates share.

Everything is worked out of few px: tones and the hash of every n-th, sharpness of nine parts, averaged. 12 MP take
some 3 ms so; averaging the whole photo first took 20.
"""

import math

import cv2
import imagehash
import numpy as np
from PIL import Image

from photo_processor.imaging.pictures import Origin, Picture, Pixels
from photo_processor.schemas import PhotoFacts, PhotoQuality

MEGA = 1e6
SAMPLED_PX = 256  # of the longest side, which tones and the hash are taken of, at least
SHARP_PX = 1024  # of the longest side, at which sharpness is measured, at least
PART_PX = 96  # of a side of each part, at that size
PARTS = 3  # across and down
HASHED_PX = 64


def facts_of(picture: Picture) -> PhotoFacts:
    """The facts of a decoded photo, before anything was done with it."""
    sampled = _sampled(picture)
    origin = picture.origin or Origin("", "", None)
    return PhotoFacts(
        format=origin.format,
        mode=origin.mode,
        exif=origin.shot,
        phash=phash(sampled),
        quality=PhotoQuality(
            sharpness=round(sharpness(picture.pixels), 2),
            contrast=round(contrast(sampled), 4),
            brightness=round(brightness(sampled), 4),
            colourfulness=round(colourfulness(sampled), 2),
            megapixels=round(picture.width * picture.height / MEGA, 3),
        ),
    )


def _sampled(picture: Picture) -> Pixels:
    """Every n-th px across and down; what is transparent is white."""
    step = max(1, max(picture.width, picture.height) // SAMPLED_PX)
    pixels = np.ascontiguousarray(picture.pixels[::step, ::step])
    if picture.alpha is None:
        return pixels
    share = cv2.cvtColor(np.ascontiguousarray(picture.alpha[::step, ::step]), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(cv2.multiply(pixels, share, scale=1 / 255), 255 - share), np.uint8)


def phash(pixels: Pixels) -> str:
    """The perceptual hash of (H, W, 3) uint8: 64 signs of the lowest frequencies against their median, 16 hex digits.

    ImageHash's `phash`, after Krawetz, "Looks Like It" (2011).
    """
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (HASHED_PX, HASHED_PX), interpolation=cv2.INTER_AREA)
    return str(imagehash.phash(Image.fromarray(np.asarray(grey, np.uint8))))


def brightness(pixels: Pixels) -> float:
    """The mean luma (BT.601) of (H, W, 3) uint8, from 0 (black) to 1 (white)."""
    return float(cv2.mean(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))[0]) / 255


def contrast(pixels: Pixels) -> float:
    """RMS contrast: the standard deviation of luma, from 0 (flat) to 0.5 (half black, half white). Peli (1990)."""
    return float(cv2.meanStdDev(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))[1][0, 0]) / 255


def colourfulness(pixels: Pixels) -> float:
    """Hasler and Süsstrunk's M3 (2003): 0 is grey, 15 slightly, 33 moderately, 59 quite, 109 extremely colourful."""
    red, green, blue = (np.asarray(plane, np.float32) for plane in cv2.split(pixels))
    across, down = red - green, 0.5 * (red + green) - blue
    (mean_a, dev_a), (mean_d, dev_d) = ((float(axis.mean()), float(axis.std())) for axis in (across, down))
    return math.hypot(dev_a, dev_d) + 0.3 * math.hypot(mean_a, mean_d)


def sharpness(pixels: Pixels) -> float:
    """The variance of the Laplacian of luma, of the sharpest of nine parts, at about 1024 px; from 0 (no edge).

    Pech-Pacheco et al. (2000). One part is enough: the background of a portrait is blurred on purpose.
    """
    height, width = pixels.shape[:2]
    step = max(1, max(width, height) // SHARP_PX)
    side_x, side_y = min(width, PART_PX * step), min(height, PART_PX * step)
    found = 0.0
    for y in _starts(height, side_y):
        for x in _starts(width, side_x):
            found = max(found, _edges(pixels[y : y + side_y, x : x + side_x], step))
    return found


def _starts(length: int, part: int) -> list[int]:
    """Where the parts begin; one where the photo is no larger."""
    if length <= part:
        return [0]
    return sorted({(length - part) * number // (PARTS - 1) for number in range(PARTS)})


def _edges(part: Pixels, step: int) -> float:
    """The variance of the Laplacian of a part, averaged over `step` px."""
    size = max(1, part.shape[1] // step), max(1, part.shape[0] // step)
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if step > 1 else part
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0]) ** 2
