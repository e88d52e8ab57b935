"""Hostile photos, made byte by byte."""

import io
import struct
import zlib

from PIL import Image
from pillow_heif import register_heif_opener
from skimage import data as skimage_data


def photo(kind: str = "JPEG", size: tuple[int, int] = (320, 240), mode: str = "RGB") -> bytes:
    """A real photo in the format."""
    if kind == "HEIF":
        register_heif_opener()
    out = io.BytesIO()
    Image.fromarray(skimage_data.astronaut()).resize(size).convert(mode).save(out, kind)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *between: bytes) -> bytes:
    """A PNG of already packed rows (each behind its filter byte), other chunks `between` header and pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    compressed = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(between) + chunk(b"IDAT", compressed) + _IEND


_IEND = chunk(b"IEND", b"")


def one_bit_png(side: int) -> bytes:
    """A white square whose rows compress a thousand times."""
    row = b"\0" + bytes((side + 7) // 8)
    packer, packed = zlib.compressobj(9), bytearray()
    for _ in range(side):
        packed += packer.compress(row)
    packed += packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(packed)) + _IEND


def gif_frames(count: int) -> bytes:
    """A GIF of so many frames of 8 x 8 px."""
    control, place = b"\x21\xf9\x04\0\x01\0\0\0", b"\x2c" + struct.pack("<HHHH", 0, 0, 8, 8)
    frame = control + place + b"\0\x02\x07\x84\x8f\xa9\xcb\xed\x0f\x63\0"
    single = io.BytesIO()
    Image.new("P", (8, 8)).save(single, "GIF")
    whole = single.getvalue()
    return whole[:-1] + frame * (count - 1) + b";"


def apng_frames(count: int) -> bytes:
    """An animated PNG of so many frames of 8 x 8 px."""
    pixels = zlib.compress(b"".join(b"\0" + bytes(8) for _ in range(8)))
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))]
    parts += [chunk(b"acTL", struct.pack(">II", count, 0)), _frame_control(0), chunk(b"IDAT", pixels)]
    for number in range(1, count):
        parts += [_frame_control(2 * number - 1), chunk(b"fdAT", struct.pack(">I", 2 * number) + pixels)]
    return b"".join([*parts, _IEND])


def _frame_control(number: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 8, 8, 0, 0, 1, 10, 0, 0))


def webp_frames(count: int) -> bytes:
    """An animated WebP of so many frames of 8 x 8 px."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "WEBP", lossless=True)
    picture = out.getvalue()[12:]
    body = struct.pack("<I", 0)[:3] * 2 + (7).to_bytes(3, "little") * 2 + (10).to_bytes(3, "little") + b"\0" + picture
    frame = b"ANMF" + struct.pack("<I", len(body)) + body
    head = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (7).to_bytes(3, "little") * 2
    head += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    chunks = b"WEBP" + head + frame * count
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def tiff_pages(count: int, side: int = 8) -> bytes:
    """A TIFF of so many pages of 8 x 8 px, all of the same pixels; or that say so many."""
    entries = ((256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64))
    out = bytearray(b"II*\0" + struct.pack("<I", 8 + 64) + bytes(range(64)))
    size = 2 + 12 * len(entries) + 4
    for number in range(count):
        at = len(out)
        out += struct.pack("<H", len(entries))
        for tag, value in entries:
            out += struct.pack("<HHII", tag, 4, 1, value)
        out += struct.pack("<I", at + size if number + 1 < count else 0)
    return bytes(out)


def tiff_loop() -> bytes:
    """A TIFF whose second page follows itself."""
    data = bytearray(tiff_pages(2))
    data[-4:] = struct.pack("<I", len(data) - (2 + 12 * 9 + 4))
    return bytes(data)


def exif_png(size: int) -> bytes:
    """A PNG with that many bytes of EXIF, a TIFF directory of 65,535 entries at their start."""
    exif = b"II*\0" + struct.pack("<IH", 8, 65_535) + struct.pack("<HHII", 0x010E, 2, size - 200, 8) * 65_535
    exif = (exif + bytes(size))[:size]
    return png(8, 8, 8, 2, (b"\0" + bytes(24)) * 8, chunk(b"eXIf", exif))


def exif_jpeg(size: int) -> bytes:
    """A JPEG with that many bytes of EXIF, in segments of 64 KB."""
    picture = photo()
    body = b"Exif\0\0II*\0" + struct.pack("<I", 8) + bytes(65_519)
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return picture[:2] + segment * (size // len(segment)) + picture[2:]


def cmyk_jpeg() -> bytes:
    return photo("JPEG", mode="CMYK")


def sixteen_bit_png() -> bytes:
    row = b"\0" + b"".join(struct.pack(">HHH", 257 * x, 40_000, 65_535 - 257 * x) for x in range(200))
    return png(200, 100, 16, 2, row * 100)


def palette_with_holes() -> bytes:
    """A PNG whose pixels name colours that its palette of two lacks."""
    row = b"\0" + bytes(range(200))
    return png(200, 100, 8, 3, row * 100, chunk(b"PLTE", bytes(6)), chunk(b"tRNS", b"\0"))


def broken_profile(kind: str = "JPEG") -> bytes:
    """A photo whose colour profile is noise behind a true header."""
    out = io.BytesIO()
    profile = struct.pack(">I", 4096) + b"lcms" + b"\x04\x40\0\0mntrRGB XYZ " + bytes(range(256)) * 16
    Image.fromarray(skimage_data.astronaut()).resize((320, 240)).save(out, kind, icc_profile=profile)
    return out.getvalue()


MOST = 49_000_000  # bytes, just below what a photo may have


def jpeg_of_segments(marker: int) -> bytes:
    """A JPEG behind 12 million empty segments."""
    picture = photo()
    return picture[:2] + bytes((0xFF, marker, 0, 2)) * (MOST // 4) + picture[2:]


def jpeg_of_fill() -> bytes:
    picture = photo()
    return picture[:2] + b"\xff" * MOST + picture[2:]


def jpeg_of_scans() -> bytes:
    """A progressive JPEG of 64 megapixels with 400 scans of 12 bytes, each a walk over all of it."""
    out = io.BytesIO()
    Image.new("L", (8000, 8000)).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") :][:12] * 400 + whole[-2:]


def png_of_chunks(*, before: bool) -> bytes:
    """A PNG with four million empty chunks before or behind its pixels."""
    whole, flood = photo("PNG"), chunk(b"abCd", b"") * (MOST // 12)
    at = 33 if before else len(whole) - 12
    return whole[:at] + flood + whole[at:]


def gif_of_blocks(*, before: bool) -> bytes:
    """A GIF with 24 million blocks of one byte in a comment, or behind the pixels of its frame."""
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    whole, flood = out.getvalue(), b"\1a" * (MOST // 2)
    at = whole.index(b"\x2c", 13)
    return whole[:at] + b"\x21\xfe" + flood + b"\0" + whole[at:] if before else whole[:-2] + flood + whole[-2:]


def bigtiff_of_tags() -> bytes:
    """A BigTIFF whose directory has two million entries."""
    count = MOST // 20
    entries = b"".join(struct.pack("<HHQQ", 30_000 + number % 30_000, 4, 1, number) for number in range(count))
    return b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, count) + entries + bytes(8)


def with_declared_size(kind: str, side: int) -> bytes:
    """An AVIF or HEIC of 320 x 240 px that says it had `side` in each direction."""
    small = photo(kind)
    return small.replace(struct.pack(">II", 320, 240), struct.pack(">II", side, side))


def tiff_of_damaged_tags(count: int) -> bytes:
    """A TIFF with so many entries that point behind its end."""
    whole = tiff_pages(1)
    lost = b"".join(struct.pack("<HHII", 30_000 + number, 1, 1_000_000, 8) for number in range(count))
    directory = 8 + 64
    entries = whole[directory + 2 : -4]
    return whole[:directory] + struct.pack("<H", 9 + count) + entries + lost + bytes(4)


def jpeg_of_few_scans() -> bytes:
    """A progressive JPEG."""
    out = io.BytesIO()
    Image.fromarray(skimage_data.astronaut()).resize((64, 48)).save(out, "JPEG", progressive=True)
    return out.getvalue()
