"""Large pictures made small, and small masks large, fast."""

from typing import Any

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from photo_processor.imaging.pictures import Pixels

Plane = NDArray[Any]

MOST_AT_ONCE = 64  # times smaller; libvips refuses some hundreds
FORMATS = {"uint8": "uchar", "uint16": "ushort"}  # NumPy's names and libvips'

pyvips.cache_set_max(0)  # it would keep the pictures that it has worked on
pyvips.block_untrusted_set(True)  # files are read by others


def by_whole_steps(pixels: Pixels, width: int, height: int) -> Pixels:
    """(H, W) or (H, W, 3) uint8, averaged over blocks of whole px down to no less than `width` x `height`.

    OpenCV's area average takes 10 ms of 12 MP where a block is a whole number of px, else 120 ms. The last px of a side
    that fill no block are left out.
    """
    high, wide = pixels.shape[:2]
    step = min(wide // width, high // height)
    if step < 2:
        return pixels
    return averaged(pixels, step)


def averaged(pixels: Pixels, step: int) -> Pixels:
    """(H // step, W // step) or the same of 3 channels, uint8: the mean of each block of `step` x `step` px.

    By halves first where that goes, which OpenCV is fastest at: 5 ms of 12 MP for a step of 8, where one go takes 9.
    """
    rows, columns = pixels.shape[0] // step, pixels.shape[1] // step
    part = pixels[: rows * step, : columns * step]
    while step > 1:
        by = 2 if step % 2 == 0 else step
        step //= by
        size = (columns * step, rows * step)
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return part


def shrunk(plane: Plane, width: int, height: int) -> Plane:
    """(H, W) or (H, W, 3) uint8 or uint16 at `width` x `height` px, no larger on either side: Lanczos with three lobes.

    By libvips, which looks at all px and takes a tenth of Pillow's time; steps by area before it would let fine stripes
    through as moiré.
    """
    if plane.shape[:2] == (height, width):
        return plane
    plane = np.ascontiguousarray(_halved(plane, MOST_AT_ONCE * width, MOST_AT_ONCE * height))
    small = _resized(plane, width, height)
    return _levelled(small, plane.shape[:2]) if small.dtype == np.uint8 else small


def _resized(plane: Plane, width: int, height: int) -> Plane:
    high, wide = plane.shape[:2]
    bands = 1 if plane.ndim == 2 else plane.shape[2]
    image = pyvips.Image.new_from_memory(plane.data, wide, high, bands, FORMATS[plane.dtype.name])
    small = image.resize(width / wide, vscale=height / high, kernel="lanczos3", gap=0)
    return np.asarray(small.numpy(), plane.dtype).reshape((height, width, *plane.shape[2:]))  # a px comes as a number


def _levelled(small: Plane, source: tuple[int, int]) -> Pixels:
    """`small`, resized from (height, width) `source`, with white as white.

    libvips rounds each px's weights to a few bits, so that they add up to 251/255 to 1. What a white picture becomes is
    known from one column and one row: rows are weighted first.
    """
    height, width = small.shape[:2]
    column = _resized(np.full((source[0], 1), 255, np.uint8), 1, height)[:, 0]
    for level in np.unique(column):
        row = _resized(np.full((1, source[1]), level, np.uint8), width, 1)[0]
        for white in np.unique(row[row < 255]):
            table = np.minimum(255, np.rint(np.arange(256) * (255 / white))).astype(np.uint8)
            where = (column == level)[:, None] & (row == white)
            np.copyto(small, cv2.LUT(small, table), where=where if small.ndim == 2 else where[..., None])
    return np.asarray(small, np.uint8)


def preview(pixels: Pixels, width: int, height: int) -> Pixels:
    """As `shrunk`, after halves by area to no less than four times that size: a quarter of the time for a thumbnail."""
    return np.asarray(shrunk(_halved(pixels, 4 * width, 4 * height), width, height), np.uint8)


def _halved(plane: Plane, width: int, height: int) -> Plane:
    """Each side halved by area while it stays no shorter than `width` and `height`; an odd last px is left out."""
    high, wide = plane.shape[:2]
    while wide // 2 >= width or high // 2 >= height:
        across, down = 1 + (wide // 2 >= width), 1 + (high // 2 >= height)
        wide, high = wide // across, high // down
        whole = plane[: high * down, : wide * across]
        plane = np.asarray(cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA))
    return plane


def enlarged(mask: Pixels, width: int, height: int) -> Pixels:
    """`mask` at `width` x `height` px; cubic is as good as rembg's Lanczos and 30 times as fast, if nothing shrinks."""
    if width >= mask.shape[1] and height >= mask.shape[0]:
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.LANCZOS))


def at_most(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    """`pixels` with a longest side of `side` px at most, by area, and the share that is of theirs."""
    height, width = pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    if factor == 1:
        return pixels, 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    nearly = by_whole_steps(pixels, *size)
    return np.asarray(cv2.resize(nearly, size, interpolation=cv2.INTER_AREA), np.uint8), factor
