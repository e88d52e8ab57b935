"""Names of rare variants of formats, for files that the decoders here do not read."""

from typing import IO

from photo_processor import errors
from photo_processor.imaging.tiff_pages import photo_pages

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})
_JPEG_KINDS = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "a lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6), "a hierarchical JPEG"),
    **dict.fromkeys((0xC9, 0xCA, 0xCD, 0xCE), "a JPEG with arithmetic coding"),
    0xF7: "a JPEG-LS",
}
_TIFF_COMPRESSIONS = {
    32766: "a TIFF compressed by NeXT's method",
    32809: "a TIFF compressed by ThunderScan",
    32908: "a TIFF compressed by Pixar's method",
    32909: "a TIFF compressed by Pixar's method",
    33003: "a TIFF with JPEG 2000",
    33004: "a TIFF with JPEG 2000",
    33005: "a TIFF with JPEG 2000",
    34661: "a TIFF compressed by JBIG",
    34676: "a TIFF compressed by SGI's method",
    34677: "a TIFF compressed by SGI's method",
    34712: "a TIFF with JPEG 2000",
    34887: "a TIFF compressed by LERC",
    34892: "a TIFF with lossy JPEG of a camera",
    34933: "a TIFF with PNG",
    34934: "a TIFF with JPEG XR",
    22610: "a TIFF with JPEG XR",
    50001: "a TIFF with WebP",
    34927: "a TIFF with WebP",
    50002: "a TIFF with JPEG XL",
    52546: "a TIFF with JPEG XL",
}
MAX_SEGMENTS = 4_096


def refuse_variants(file: IO[bytes]) -> None:
    """Raises UnsupportedFormat, with its name, for what decoders call damaged, or read only where it is small."""
    variant = variant_of(file)
    if variant is not None:
        raise errors.UnsupportedFormat(f"This is {variant}, a rare variant that cannot be read here.")


def variant_of(file: IO[bytes]) -> str | None:
    """What the file is, with its article, where it is of a variant that decoders rarely know; else None."""
    file.seek(0)
    head = file.read(4)
    if head[:3] == b"\xff\xd8\xff":
        return _jpeg_variant(file)
    if head == b"MM\0+":
        return "a BigTIFF whose numbers begin with their high bytes"
    if head[:2] in (b"II", b"MM"):
        page = next(photo_pages(file), None)
        return _TIFF_COMPRESSIONS.get(page.compression) if page else None
    return None


def _jpeg_variant(file: IO[bytes]) -> str | None:
    """By the first frame's head: its kind, and the bits of its samples."""
    file.seek(2)
    for _ in range(MAX_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in _BARE:
            return None
        if head[1] in _JPEG_KINDS:
            return _JPEG_KINDS[head[1]]
        if head[1] in _START_OF_FRAME:
            bits = file.read(1)
            return f"a JPEG of {bits[0]} bits a sample" if bits and bits[0] != 8 else None
        file.seek(max(0, int.from_bytes(head[2:], "big") - 2), 1)
    return None
