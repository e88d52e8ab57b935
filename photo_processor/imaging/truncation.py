"""Whether a photo's file ends too early, by the lengths and end marks of its container.

Decoders say "broken" for most files that a copy or upload cut short; people are helped by knowing which.
"""

import struct
from typing import IO

TAIL_BYTES = 64 * 1024
MAX_BOXES = 10_000


def is_cut_short(file: IO[bytes]) -> bool:
    """Whether the photo in `file` lacks its end; False where its format does not tell."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(64)
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    if head.startswith(b"\xff\xd8\xff"):
        return b"\xff\xd9" not in tail[-TAIL_BYTES:]
    if head.startswith(b"\x89PNG"):
        return b"IEND" not in tail
    if head.startswith(b"GIF8"):
        return not tail.rstrip(b"\0").endswith(b";")
    if head.startswith(b"RIFF"):
        return 8 + int.from_bytes(head[4:8], "little") > size
    if head.startswith(b"BM"):
        return int.from_bytes(head[2:6], "little") > size
    if head[4:8] == b"ftyp":
        return _boxes_end_after(file, size)
    if head[:2] in (b"II", b"MM"):
        return _tiff_directory_starts_after(head, size)
    return False


def _boxes_end_after(file: IO[bytes], size: int) -> bool:
    """Whether a top-level box of an ISO base media file reaches beyond the file's end."""
    at = 0
    for _ in range(MAX_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:
            return False
        if length < 8:
            return False
        at += length
    return at > size


def _tiff_directory_starts_after(head: bytes, size: int) -> bool:
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    try:
        (offset,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    except struct.error:
        return True
    return bool(offset >= size)
