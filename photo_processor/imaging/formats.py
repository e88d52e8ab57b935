"""What a file is, by its first bytes."""

SNIFF_BYTES = 64

_BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"mif3", b"msf1"}
)


RAW = "image/x-raw"  # of cameras whose RAW files are no TIFF
SVG = "image/svg+xml"
_SVG_BEGINNINGS = (b"<svg", b"<?xml", b"<!doctype svg", b"<!--")


def sniff(head: bytes, *, svg: bool = False) -> str | None:
    """The media type of a file that begins with `head` (64 bytes are enough), by its magic bytes; else None.

    With `svg`, also of what may be an SVG; whether it is one is seen when it is read.
    """
    head = head[:SNIFF_BYTES]
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return "image/bmp"
    if head[4:8] == b"ftyp":
        return RAW if head[8:12] == b"crx " else _sniff_brands(head)
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return SVG if svg and plain.startswith(_SVG_BEGINNINGS) else None


_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIU\0", RAW),  # Panasonic
    (b"IIRO", RAW),  # Olympus
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"FOVb", RAW),  # Sigma
    (b"\0MRM", RAW),  # Minolta
    (b"II\x1a\0\0\0HEAPCCDR", RAW),  # Canon, before CR2
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"PK\x07\x08", "application/zip"),
)


def _sniff_brands(head: bytes) -> str | None:
    """The type of an ISO base media file: AVIF and HEIC share the container and are told apart by their brands."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "image/avif"
    return "image/heic" if brands & _HEIC_BRANDS else None
