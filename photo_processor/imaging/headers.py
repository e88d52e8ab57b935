"""Limits on the parts of a photo's container, checked before a decoder walks them.

Pillow reads segments, chunks and blocks one by one in Python: 50 MB of empty ones took it 30 to 60 s and up to 2 GB.
"""

import os
import re
import zlib
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from typing import IO

from photo_processor import errors

MAX_SEGMENTS = 4_096  # of a JPEG before its pixels; chunks of a PNG beside its pixels
MAX_FRAME_CHUNKS = 250_000  # of a PNG that hold pixels
MAX_FILL = 4_096  # bytes between a JPEG's segments
MAX_EXIF_BYTES = 4_000_000  # Pillow joins the segments one by one
MAX_SCANS = 100  # of a JPEG; each costs as much as the whole picture, whatever its length
MAX_BLOCKS = 500_000  # of up to 255 bytes, in a GIF up to its second frame
MAX_TAGS = 4_096  # of a TIFF's first directory; each is read several times, and a RAW file has about a hundred

_METADATA_CHUNKS = frozenset({b"eXIf", b"iTXt", b"tEXt", b"zTXt"})
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xDA)})  # JPEG markers without a length
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN, _EXIF, _END = 0xDA, 0xE1, 0xD9
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def check_parts(file: IO[bytes], media_type: str) -> None:
    """Raises BrokenImage where the photo has more parts than a decoder should be made to walk.

    What is damaged otherwise is left to the decoder. The position in `file` is as before.
    """
    check = _CHECKS.get(media_type)
    if check is not None:
        position = file.tell()
        check(file)
        file.seek(position)


def has_late_metadata(file: IO[bytes]) -> bool:
    """Whether a PNG has text or EXIF behind its px. The position in `file` is as before."""
    position = file.tell()
    behind = found = False
    file.seek(8)
    while not found and len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        behind = behind or head[4:] == b"IDAT"
        found = behind and head[4:] in _METADATA_CHUNKS
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    file.seek(position)
    return found


def _refuse(parts: str) -> errors.BrokenImage:
    return errors.BrokenImage(f"The photo's file has more {parts} than any camera or program writes.")


def _check_jpeg(file: IO[bytes]) -> None:
    file.seek(2)
    fill = exif = components = 0
    progressive = False
    for _ in range(MAX_SEGMENTS + MAX_FILL):
        head = file.read(4)
        if len(head) < 4:
            return
        if head[0] != 0xFF or head[1] in (0x00, 0xFF) or head[1] in _BARE_MARKERS:
            fill += 1
            file.seek(-2 if head[0] == 0xFF and head[1] in _BARE_MARKERS else -3, 1)
            if fill > MAX_FILL:
                break
            continue
        marker, length = head[1], max(2, int.from_bytes(head[2:], "big"))
        body = file.read(6) if marker in _START_OF_FRAME or marker in (_SCAN, _EXIF) else b""
        if marker in _START_OF_FRAME:
            progressive, components = marker in _PROGRESSIVE, body[5] if len(body) == 6 else 0
        elif marker == _SCAN:
            if progressive or body[:1] != bytes((components,)):
                _check_scans(file)
            return
        elif body == b"Exif\0\0":
            exif += length
            if exif > MAX_EXIF_BYTES:
                raise _refuse("EXIF data")
        file.seek(length - 2 - len(body), 1)
    raise _refuse("segments")


def _check_scans(file: IO[bytes]) -> None:
    """Count the scans of a JPEG that has several, from inside the first one."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        position, scans = file.tell(), 1
        for _ in range(MAX_SEGMENTS):
            found = _AFTER_SCAN.search(data, position)
            if found is None or data[found.start() + 1] == _END:
                return
            position = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
            scans += data[found.start() + 1] == _SCAN
            if scans > MAX_SCANS:
                break
    raise _refuse("scans")


def _check_png(file: IO[bytes]) -> None:
    file.seek(8)
    others = 0
    for _ in range(MAX_FRAME_CHUNKS + MAX_SEGMENTS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        others += head[4:] not in (b"IDAT", b"fdAT", b"fcTL")
        if others > MAX_SEGMENTS:
            break
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    raise _refuse("chunks")


def check_sums(file: IO[bytes]) -> None:
    """Compare a PNG's checksums, which Pillow leaves out for pixels: damage would pass as noise. Raises SyntaxError.

    Pillow's own `verify` takes eight times as long for each chunk, of which an animation may have 200,000.
    """
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data, memoryview(data) as view:
        at, kind = 8, b""
        while kind != b"IEND" and at + 12 <= len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            kind, end = data[at + 4 : at + 8], at + 8 + length
            if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
                raise SyntaxError("broken PNG file (checksum)")
            at = end + 4


def _check_gif(file: IO[bytes]) -> None:
    """Walk to the second frame, as the decoder does to tell an animation."""
    file.seek(0)
    head = file.read(13)
    file.seek(3 << ((head[10] & 7) + 1) if len(head) == 13 and head[10] & 0x80 else 0, 1)
    frames = 0
    for blocks in range(MAX_BLOCKS):
        kind = file.read(1)
        if kind == b"\x2c":
            frames += 1
            flags = file.read(9)[-1:] or b"\0"
            if frames == 2:
                return
            file.seek((3 << ((flags[0] & 7) + 1) if flags[0] & 0x80 else 0) + 1, 1)
            _skip_blocks(file, MAX_BLOCKS - blocks)
        elif kind == b"\x21":
            file.seek(1, 1)
            _skip_blocks(file, MAX_SEGMENTS)
        elif kind in (b"", b";"):
            return
        if blocks - frames > MAX_SEGMENTS:
            break
    raise _refuse("blocks")


def _skip_blocks(file: IO[bytes], most: int) -> None:
    for _ in range(most):
        length = file.read(1)
        if length in (b"", b"\0"):
            return
        file.seek(length[0], 1)
    raise _refuse("blocks")


def _check_tiff(file: IO[bytes]) -> None:
    file.seek(0)
    head = file.read(16)
    order = "little" if head[:2] == b"II" else "big"
    big = head[2:4] in (b"+\0", b"\0+")
    at, count = (head[8:16], 8) if big else (head[4:8], 2)
    file.seek(min(int.from_bytes(at, order), 1 << 62))  # type: ignore[arg-type]
    if int.from_bytes(file.read(count), order) > MAX_TAGS:  # type: ignore[arg-type]
        raise _refuse("tags")


_CHECKS: dict[str, Callable[[IO[bytes]], None]] = {
    "image/jpeg": _check_jpeg,
    "image/png": _check_png,
    "image/gif": _check_gif,
    "image/tiff": _check_tiff,
}
