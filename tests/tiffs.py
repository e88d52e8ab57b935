"""TIFFs and DNGs, made byte by byte: directories in a chain, with others below them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

_FORMS = {1: "B", 3: "H", 4: "I", 5: "II", 10: "ii"}
Value = int | Sequence[int] | bytes


@dataclass
class Directory:
    """A picture and its tags; `data` are its px, `inner` the directories below it; numbers are LONG, or of `kinds`."""

    data: bytes
    tags: dict[int, Value]
    inner: tuple["Directory", ...] = ()
    kinds: dict[int, int] = field(default_factory=dict)


def grey(pixels: np.ndarray, photometric: int = 1, bits: int | None = None, **more: Value) -> Directory:
    """Of (H, W) uint8 or uint16; `more` are tags by their numbers, as `t254=1`. 12 bits are packed."""
    height, width = pixels.shape
    bits = bits or 8 * pixels.itemsize
    data = pixels.tobytes()
    if bits == 12:
        high, low = pixels[:, ::2].astype(int), pixels[:, 1::2].astype(int)
        data = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], -1).astype(np.uint8).tobytes()
    tags: dict[int, Value] = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 277: 1, 278: height}
    return Directory(data, tags | {int(name[1:]): value for name, value in more.items()})


def tiff(*pages: Directory) -> bytes:
    """The file, little endian."""
    out = bytearray(b"II*\0" + bytes(4))
    link = 4
    for page in pages:
        at, link_after = _write(out, page)
        struct.pack_into("<I", out, link, at)
        link = link_after
    return bytes(out)


def _write(out: bytearray, page: Directory) -> tuple[int, int]:
    """Append a directory; where it lies, and where the place of the next one is to be written."""
    places = [_write(out, inner)[0] for inner in page.inner]
    tags: dict[int, Value] = {**page.tags, 273: len(out), 279: len(page.data)}
    out += page.data + bytes(len(page.data) % 2)
    if places:
        tags[330] = places
    entries = []
    for tag in sorted(tags):
        value = tags[tag]
        kind = page.kinds.get(tag, 7 if isinstance(value, bytes) else 4)
        if isinstance(value, bytes):
            raw, count = value, len(value)
        else:
            values = [value] if isinstance(value, int) else list(value)
            count = len(values) // len(_FORMS[kind])
            raw = struct.pack(f"<{_FORMS[kind][0] * len(values)}", *values)
        if len(raw) > 4:
            entries.append(struct.pack("<HHII", tag, kind, count, len(out)))
            out += raw + bytes(len(raw) % 2)
        else:
            entries.append(struct.pack("<HHI", tag, kind, count) + raw.ljust(4, b"\0"))
    at = len(out)
    out += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return at, len(out) - 4


def dng(sensor: np.ndarray, thumbnail: np.ndarray, make: bytes = b"Test\0") -> bytes:
    """A DNG of (H, W) uint16, RGGB: a thumbnail first, the sensor's px below it."""
    tags: dict[int, Value] = {
        254: 0, 33421: (2, 2), 33422: bytes((0, 1, 1, 2)), 50710: bytes((0, 1, 2)), 50711: 1, 50714: 0, 50717: 65_535,
    }  # fmt: skip
    raw = grey(sensor, 32803)
    raw.tags |= tags
    raw.kinds |= {33421: 3, 33422: 1, 50710: 1, 50711: 3}
    first = grey(thumbnail)
    matrix = [value for number in (1, 0, 0, 0, 1, 0, 0, 0, 1) for value in (number, 1)]
    neutral = [1, 1] * 3
    first.tags |= {
        254: 1, 271: make, 272: b"Box\0", 274: 1, 50706: bytes((1, 4, 0, 0)), 50708: b"Test Box\0", 50721: matrix,
        50728: neutral, 50778: 21, 306: b"2024:05:01 10:20:30\0",
    }  # fmt: skip
    first.kinds |= {271: 2, 272: 2, 274: 3, 306: 2, 50706: 1, 50708: 2, 50721: 10, 50728: 5, 50778: 3}
    first.inner = (raw,)
    return tiff(first)
