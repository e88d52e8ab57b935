"""Cutouts as bytes: the finished alpha, and the colours of its soft px, which are all that differs from the photo."""

import struct

import numpy as np
from numpy.typing import NDArray

from engines.types import Cutout
from imaging.edges import soft_px
from imaging.pictures import Pixels

HEAD = struct.Struct(">4sII")
MAGIC = b"cut1"  # its number grows when `imaging.edges` comes to give other answers
LEVEL = 1
MAX_SOFT_SHARE = 0.4  # of the px: 14 MB of 12 MP; more is hardly less than the photo, and no edge


class BrokenCutout(Exception):
    """The bytes are no cutout of this photo."""


def packed(cutout: Cutout) -> bytes | None:
    """The bytes of a cutout; None where too much of it is soft."""
    from isal import isal_zlib

    soft = soft_px(cutout.alpha)
    if soft.size > MAX_SOFT_SHARE * cutout.alpha.size:
        return None
    content = cutout.alpha.tobytes() + cutout.pixels.reshape(-1, 3).take(soft, axis=0).tobytes()
    return HEAD.pack(MAGIC, *cutout.alpha.shape) + bytes(isal_zlib.compress(content, LEVEL))


def unpacked(data: bytes, pixels: Pixels) -> Cutout:
    """The cutout that `packed` made of the photo with (H, W, 3) uint8 `pixels`. Raises BrokenCutout."""
    from isal import isal_zlib

    try:
        magic, height, width = HEAD.unpack_from(data)
        if (magic, height, width) != (MAGIC, *pixels.shape[:2]):
            raise BrokenCutout
        content = np.frombuffer(isal_zlib.decompress(memoryview(data)[HEAD.size :]), np.uint8)
    except (struct.error, isal_zlib.error) as problem:  # type: ignore[misc]  # its stub has no class
        raise BrokenCutout from problem
    alpha, colours = np.split(content, [height * width])
    if alpha.size != height * width:
        raise BrokenCutout
    alpha = alpha.reshape(pixels.shape[:2])
    soft = soft_px(alpha)
    if colours.size != 3 * soft.size:
        raise BrokenCutout
    result = pixels.copy()
    _whole(result)[soft] = _whole(colours)
    return Cutout(alpha, result)


def _whole(colours: Pixels) -> NDArray[np.void]:
    """(N,): three bytes at a time, which NumPy moves in half the time."""
    return colours.reshape(-1, 3).view("V3")[:, 0]
