"""JPEGs that lack nothing but their end mark: some cameras and cut-off copies leave it out, with every px there."""

import io
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from typing import IO

import numpy as np
from PIL import Image, JpegImagePlugin

from photo_processor.imaging.pictures import Pixels

_SCAN, _END = 0xDA, b"\xff\xd9"
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BARE = frozenset({0x00, 0x01, 0xFF, *range(0xD0, 0xD9)})  # without a length
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_TAIL_BYTES = 4_096
_TAILS = (0x00, 0x55, 0xAA, 0xF0)  # begin with each pair of bits there is
_PADDING = 16  # zeros at the end that are no coded px any more
MAX_SEGMENTS = 100_000


def has_end_mark(file: IO[bytes]) -> bool:
    """Whether an end mark follows the head of the first scan; the thumbnail's, before it, does not count."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        at = 2
        while data[at : at + 1] == b"\xff" and at + 4 <= len(data) and data[at + 1] != _SCAN:
            if data[at + 1] in _BARE:
                at += 1 if data[at + 1] == 0xFF else 2
            else:
                at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        return data.find(_END, at) >= 0


def with_end_mark(data: bytes) -> bytes | None:
    """`data` with the end mark that is all it lacks; None where px are missing too, or it is there.

    A decoder cannot tell: it fills up with grey what is missing. But where something is, then what is put behind the
    coded px shows in the picture; where they are all there, it does not.
    """
    data = _without_padding(data)
    if not _has_every_scan(data):
        return None
    first: Pixels | None = None
    for tail in _TAILS:
        pixels = _decoded(data + bytes([tail]) * _TAIL_BYTES + _END)
        if pixels is None or (first is not None and not np.array_equal(first, pixels)):
            return None
        first = pixels
    return data + _END


def _without_padding(data: bytes) -> bytes:
    """Without half an end mark, and without the zeros that a recovered card's file is filled up with."""
    bare = data.rstrip(b"\0")
    if len(data) - len(bare) >= _PADDING:
        data = bare + (b"\0" if bare.endswith(b"\xff") else b"")
    return data[:-1] if data.endswith(b"\xff") else data


def _decoded(data: bytes) -> Pixels | None:
    try:
        image: Image.Image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        return np.asarray(image)
    except (OSError, SyntaxError, ValueError, MemoryError):
        return None


def _has_every_scan(data: bytes) -> bool:
    """Whether the scans give each coefficient of each component to its last bit, and none is followed by the end."""
    components: set[int] = set()
    progressive, done = False, set[tuple[int, int]]()
    for marker, body in _segments(data):
        if marker in _START_OF_FRAME and len(body) >= 6:
            progressive = marker in _PROGRESSIVE
            components = set(body[6 : 6 + 3 * body[5] : 3])
        elif marker == _SCAN and body and len(body) >= 4 + 2 * body[0]:
            first, last, shift = body[1 + 2 * body[0] : 4 + 2 * body[0]]
            coefficients = range(first, min(last, 63) + 1) if progressive else range(64)
            if not progressive or shift & 15 == 0:
                done |= {(part, at) for part in body[1 : 1 + 2 * body[0] : 2] for at in coefficients}
        elif marker == _END[1]:
            return False
    return bool(components) and done >= {(part, at) for part in components for at in range(64)}


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Mark and content of each segment, coded px left out."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 2 > len(data):
            return
        marker = data[at + 1]
        if marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big") if marker != _END[1] else 0
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length
