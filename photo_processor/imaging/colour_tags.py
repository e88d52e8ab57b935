"""How a file without an ICC profile says what its colours are: PNG's chunks, and the nclx boxes of AVIF and HEIC."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from PIL import AvifImagePlugin, Image, PngImagePlugin

from photo_processor.imaging.light import BT709, Chromaticities, Light, of_code_points

CHUNKS = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM", b"cLLI", b"mDCV"})
MAX_CHUNKS = 4_096
MAX_BOXES = 4_096
MAX_META_BYTES = 4_000_000  # of the box that lists the items of an AVIF
SRGB_GAMMA = 0.45455  # as PNG writes sRGB's, where nothing else is said


def light_of(file: IO[bytes], image: Image.Image) -> Light | None:
    """What the file says of the colours of `image`, its ICC profile aside; None where nothing, or plain sRGB.

    A PNG's cICP stands before its profile, and so `image` is rid of that where it says something.
    """
    position = file.tell()
    try:
        light = _light_of(file, image)
    finally:
        file.seek(position)
    return None if light is None or light.is_srgb else light


def _light_of(file: IO[bytes], image: Image.Image) -> Light | None:
    if isinstance(image, PngImagePlugin.PngImageFile):
        return _png_light(file, image)
    if image.info.get("icc_profile"):
        return None
    if isinstance(image, AvifImagePlugin.AvifImageFile):
        found = nclx_of(file)
        return of_code_points(found.primaries, found.transfer, still=True, peak=found.peak) if found else None
    nclx = image.info.get("nclx_profile")
    if not isinstance(nclx, dict):
        return None
    found = nclx_of(file)
    peak = found.peak if found else None
    return of_code_points(nclx["color_primaries"], nclx["transfer_characteristics"], still=True, peak=peak)


def _png_light(file: IO[bytes], image: PngImagePlugin.PngImageFile) -> Light | None:
    """By the first of cICP, iCCP, sRGB, and gAMA with cHRM that is there (PNG, third edition)."""
    chunks = dict(_chunks(file))
    points = chunks.get(b"cICP", b"")
    if len(points) == 4 and points[2] == 0:
        light = of_code_points(points[0], points[1], still=False, peak=_png_peak(chunks))
        if light is not None:
            image.info.pop("icc_profile", None)
            return light
    if image.info.get("icc_profile") or b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    (number,) = struct.unpack(">I", chunks[b"gAMA"])
    if number == 0:
        return None
    primaries = _chromaticities(chunks.get(b"cHRM", b""))
    if primaries is None and abs(number / 100_000 - SRGB_GAMMA) < 0.001:
        return None
    return Light(primaries or BT709, gamma=100_000 / number)


def _png_peak(chunks: dict[bytes, bytes]) -> float | None:
    """Nits of the brightest px, else of the brightest that its screen had."""
    content, screen = chunks.get(b"cLLI", b""), chunks.get(b"mDCV", b"")
    brightest = content[:4] if len(content) == 8 else screen[16:20]
    return int.from_bytes(brightest, "big") / 10_000 or None


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents of a PNG's small chunks before its px."""
    file.seek(8)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            return
        length = int.from_bytes(head[:4], "big")
        if head[4:] in CHUNKS and length <= 32:
            yield head[4:], file.read(length)
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)


def _chromaticities(chunk: bytes) -> Chromaticities | None:
    """Of a cHRM chunk; None where they span no triangle."""
    if len(chunk) != 32:
        return None
    white_x, white_y, *colours = (number / 100_000 for number in struct.unpack(">8I", chunk))
    (red_x, red_y, green_x, green_y, blue_x, blue_y) = colours
    area = (green_x - red_x) * (blue_y - red_y) - (blue_x - red_x) * (green_y - red_y)
    if white_y <= 0 or max(colours) > 1 or abs(area) < 1e-3:
        return None
    return red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y


@dataclass(frozen=True)
class Nclx:
    """Code points of primaries and transfer, and the nits of the brightest px where a box names them."""

    primaries: int
    transfer: int
    peak: float | None = None


def nclx_of(file: IO[bytes]) -> Nclx | None:
    """What the boxes of an AVIF or HEIC say of its primary picture; None where none says it."""
    file.seek(0)
    for kind, start, end in _boxes(file, 0, 1 << 62):
        if kind == b"meta" and end - start <= MAX_META_BYTES:
            file.seek(start)
            try:
                return _nclx_of_items(file.read(end - start)[4:])
            except (struct.error, LookupError):  # a box that ends within a number
                return None
    return None


def _nclx_of_items(meta: bytes) -> Nclx | None:
    boxes = {kind: meta[start:end] for kind, start, end in _inside(meta)}
    properties = {kind: boxes[b"iprp"][start:end] for kind, start, end in _inside(boxes.get(b"iprp", b""))}
    listed = properties.get(b"ipco", b"")
    known = [(number, kind, listed[start:end]) for number, (kind, start, end) in enumerate(_inside(listed), 1)]
    own = _properties_of(properties.get(b"ipma", b""), _primary(boxes.get(b"pitm", b"")))
    known.sort(key=lambda one: one[0] not in own)  # those of the tiles of a picture stand in where it has none
    points = next((data for _, kind, data in known if kind == b"colr" and data[:4] == b"nclx"), None)
    if points is None:
        return None
    contents = (int.from_bytes(data[:2], "big") for _, kind, data in known if kind == b"clli")
    screens = (int.from_bytes(data[16:20], "big") / 10_000 for _, kind, data in known if kind == b"mdcv")
    peak = next((nits for nits in (*contents, *screens) if nits), None)
    primaries, transfer = struct.unpack_from(">HH", points, 4)
    return Nclx(primaries, transfer, peak)


def _primary(pitm: bytes) -> int:
    return int.from_bytes(pitm[4:6] if pitm[:1] == b"\0" else pitm[4:8], "big")


def _properties_of(ipma: bytes, item: int) -> set[int]:
    """The numbers of the properties that belong to `item`."""
    if len(ipma) < 8:
        return set()
    long_ids, long_numbers = ipma[0] > 0, ipma[3] & 1
    (count,), at = struct.unpack_from(">I", ipma, 4), 8
    for _ in range(min(count, MAX_BOXES)):
        size = 4 if long_ids else 2
        owner, links = int.from_bytes(ipma[at : at + size], "big"), ipma[at + size]
        at += size + 1
        step = 2 if long_numbers else 1
        numbers = {
            int.from_bytes(ipma[at + step * link : at + step * (link + 1)], "big") & (0x7FFF if long_numbers else 0x7F)
            for link in range(links)
        }
        if owner == item:
            return numbers
        at += step * links
    return set()


def _inside(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box in `data`."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        if length < 8:
            return
        yield data[at + 4 : at + 8], at + 8, at + length
        at += length


def _boxes(file: IO[bytes], at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The same of a file's boxes, from `at`."""
    for _ in range(MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        if at >= end or len(head) < 8:
            return
        length, skip = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, skip = int.from_bytes(head[8:16], "big"), 16
        if length < skip:
            return
        yield head[4:8], at + skip, at + length
        at += length
