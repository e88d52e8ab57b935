"""Cutouts as bytes: the finished alpha, and by how much the subject's own colours differ from the photo's.

The differences are kept of every px around the soft ones, most of them 0: that unpacks faster than a list of places, by
calls that hold up no other thread, and differences take less than half the bytes of colours.
"""

import struct

import numpy as np

from photo_processor.imaging.edges import soft_room
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.inference.types import Cutout

HEAD = struct.Struct(">4sII")
MAGIC = b"cut4"  # its number grows when `imaging.edges` comes to give other answers
LEVEL = 1
WINDOW = 15  # as zlib has it
MOST_SHARE = 0.4  # of the photo's own bytes: 14 MB of 12 MP; more is hardly less than the photo


class BrokenCutout(Exception):
    """The bytes are no cutout of this photo."""


def packed(cutout: Cutout, pixels: Pixels) -> bytes | None:
    """The bytes of a cutout of the photo with (H, W, 3) uint8 `pixels`; None where they are too many."""
    from isal import isal_zlib

    room = soft_room(cutout.alpha)
    deflater = isal_zlib.compressobj(LEVEL)
    parts = [
        HEAD.pack(MAGIC, *cutout.alpha.shape),
        deflater.compress(np.ascontiguousarray(cutout.alpha)),
        deflater.compress(cutout.pixels[room] - pixels[room]),
        deflater.flush(),
    ]
    return b"".join(parts) if sum(map(len, parts)) <= MOST_SHARE * pixels.nbytes else None


def unpacked(data: bytes, pixels: Pixels) -> Cutout:
    """The cutout that `packed` made of the photo with these `pixels`. Raises BrokenCutout."""
    from isal import isal_zlib

    try:
        magic, height, width = HEAD.unpack_from(data)
        if (magic, height, width) != (MAGIC, *pixels.shape[:2]):
            raise BrokenCutout
        most = height * width + pixels.nbytes  # to be had at once: it would be moved as it grows
        content = np.frombuffer(isal_zlib.decompress(memoryview(data)[HEAD.size :], WINDOW, most), np.uint8)
    except (struct.error, isal_zlib.error) as problem:  # type: ignore[misc]  # its stub has no class
        raise BrokenCutout from problem
    if content.size < height * width:
        raise BrokenCutout
    alpha = content[: height * width].reshape(height, width)
    result = pixels.copy()
    part = result[soft_room(alpha)]
    if content.size != alpha.size + part.size:
        raise BrokenCutout
    np.add(part, content[alpha.size :].reshape(part.shape), out=part)
    return Cutout(alpha, result)
