"""Colours that a file describes by numbers come out as Chromium 156 shows them."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_cie76, rgb2lab

from photo_processor.imaging.colour_tags import nclx_of
from photo_processor.imaging.decode import decode

COLOURS = ((16, 16, 16), (128, 128, 128), (200, 200, 200), (255, 0, 0), (128, 191, 64))
SIDE = 16  # px of each patch

# What Chromium 156 shows of COLOURS: by cICP's primaries and transfer in a PNG, and by nclx in an AVIF.
PNG_SHOWS = {
    (12, 13): ((16, 16, 16), (128, 128, 128), (200, 200, 200), (255, 0, 0), (107, 193, 27)),
    (9, 13): ((16, 16, 16), (128, 128, 128), (200, 200, 200), (255, 0, 0), (62, 198, 3)),
    (9, 1): ((4, 4, 4), (121, 121, 121), (197, 197, 197), (255, 0, 0), (40, 194, 0)),
    (1, 8): ((71, 71, 71), (188, 188, 188), (229, 229, 229), (255, 0, 0), (188, 224, 137)),
    (6, 13): ((16, 16, 16), (128, 128, 128), (200, 200, 200), (248, 36, 0), (132, 189, 63)),
    (4, 13): ((16, 16, 16), (128, 128, 128), (200, 200, 200), (255, 0, 0), (92, 187, 45)),
    (10, 13): ((16, 16, 16), (128, 128, 128), (200, 200, 200), (255, 0, 71), (0, 232, 0)),
    (12, 7): ((34, 34, 34), (141, 141, 141), (206, 206, 206), (255, 0, 0), (123, 200, 57)),
    (1, 17): ((3, 3, 3), (118, 118, 118), (200, 200, 200), (255, 0, 0), (118, 190, 48)),
    (12, 2): COLOURS,
    (1, 13): COLOURS,
}
HDR_SHOWS = {
    (9, 16): ((1, 1, 1), (132, 132, 132), (255, 255, 255), (255, 0, 0), (0, 255, 0)),
    (1, 16): ((1, 1, 1), (132, 132, 132), (255, 255, 255), (255, 0, 0), (90, 255, 17)),
    (9, 18): ((3, 3, 3), (99, 99, 99), (202, 202, 202), (255, 0, 0), (0, 190, 0)),
    (12, 18): ((3, 3, 3), (99, 99, 99), (202, 202, 202), (255, 0, 0), (79, 185, 4)),
}
STILL_SHOWS = {
    (12, 13): PNG_SHOWS[12, 13],
    (12, 1): PNG_SHOWS[12, 13],
    (9, 2): PNG_SHOWS[9, 13],
    (1, 1): COLOURS,
    (1, 4): ((7, 7, 7), (129, 129, 129), (201, 201, 201), (255, 0, 0), (129, 192, 62)),
    **HDR_SHOWS,
}


def patches() -> np.ndarray:
    return np.kron(np.array(COLOURS, np.uint8)[None], np.ones((SIDE, SIDE, 1), np.uint8))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: bytes, profile: bytes | None = None) -> bytes:
    """The patches as a PNG with these chunks before its px."""
    out = io.BytesIO()
    Image.fromarray(patches()).save(out, "PNG", icc_profile=profile)
    data = out.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]


def coded(container: str, primaries: int, transfer: int) -> bytes:
    """The patches as AVIF or HEIC, with these numbers in each of its nclx boxes."""
    out = io.BytesIO()
    if container == "HEIF":
        import pillow_heif

        pillow_heif.from_pillow(Image.fromarray(patches())).save(out, quality=-1, chroma=444, format="HEIF")
    else:
        Image.fromarray(patches()).save(out, container, quality=100, subsampling="4:4:4", speed=9)
    head, *rest = out.getvalue().split(b"colrnclx")
    assert rest
    return head + b"".join(b"colrnclx" + struct.pack(">HH", primaries, transfer) + part[4:] for part in rest)


def seen(content: bytes, folder: Path) -> tuple[np.ndarray, list[str]]:
    (folder / "photo").write_bytes(content)
    codes: list[str] = []
    pixels = decode(folder / "photo", 100.0, lambda code, _message: codes.append(code)).pixels
    return pixels[SIDE // 2, SIDE // 2 :: SIDE], codes


def furthest(pixels: np.ndarray, expected: tuple[tuple[int, ...], ...]) -> float:
    return float(deltaE_cie76(rgb2lab(pixels / 255), rgb2lab(np.array(expected) / 255)).max())


@pytest.mark.parametrize(("points", "expected"), [*PNG_SHOWS.items(), *HDR_SHOWS.items()])
def test_png_with_cicp_looks_as_in_a_browser(
    points: tuple[int, int], expected: tuple[tuple[int, ...], ...], tmp_path: Path
) -> None:
    pixels, codes = seen(png(chunk(b"cICP", bytes((*points, 0, 1)))), tmp_path)
    assert furthest(pixels, expected) < (2 if points not in HDR_SHOWS else 6)
    assert codes == (["tone_mapped"] if points in HDR_SHOWS else [])


@pytest.mark.parametrize(
    ("nits", "greys"), [(400, (2, 163, 255)), (1_000, (1, 132, 255)), (4_000, (1, 132, 233)), (0, (1, 132, 255))]
)
def test_hdr_is_fitted_by_its_brightest_px_as_in_a_browser(nits: int, greys: tuple[int, ...], tmp_path: Path) -> None:
    points = chunk(b"cICP", b"\x09\x10\0\1")
    content = chunk(b"cLLI", struct.pack(">II", nits * 10_000, 0))
    screen = chunk(b"mDCV", bytes(16) + struct.pack(">II", nits * 10_000, 0))
    for made in (png(points, content), png(points, screen)):
        assert np.abs(seen(made, tmp_path)[0][:3, 1].astype(int) - greys).max() <= 2


@pytest.mark.parametrize("container", ["AVIF", "HEIF"])
@pytest.mark.parametrize(("points", "expected"), STILL_SHOWS.items())
def test_avif_and_heic_with_nclx_look_as_in_a_browser(
    container: str, points: tuple[int, int], expected: tuple[tuple[int, ...], ...], tmp_path: Path
) -> None:
    pixels, codes = seen(coded(container, *points), tmp_path)
    assert furthest(pixels, expected) < (6 if points in HDR_SHOWS else 4), "the codec itself is up to 2 off"
    assert codes == (["tone_mapped"] if points in HDR_SHOWS else [])


P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


@pytest.mark.parametrize(
    ("chunks", "greys", "last"),
    [
        ({b"gAMA": 100_000}, (71, 188, 229), (188, 224, 137)),
        ({b"gAMA": 45_455}, (16, 128, 200), (128, 191, 64)),
        ({b"gAMA": 55_556}, (20, 146, 210), (146, 203, 81)),
        ({b"gAMA": 45_455, b"cHRM": P3}, (7, 129, 201), (108, 195, 19)),
        ({b"cHRM": P3}, (16, 128, 200), (128, 191, 64)),
        ({b"sRGB": b"\0", b"gAMA": 100_000, b"cHRM": P3}, (16, 128, 200), (128, 191, 64)),
        ({b"gAMA": 0}, (16, 128, 200), (128, 191, 64)),
        ({b"gAMA": 45_455, b"cHRM": bytes(32)}, (16, 128, 200), (128, 191, 64)),
        ({b"cICP": b"\x0c\x0d\0\1", b"sRGB": b"\0"}, (16, 128, 200), (107, 193, 27)),
    ],
)
def test_png_with_gamma_and_chromaticities_looks_as_in_a_browser(
    chunks: dict[bytes, bytes | int], greys: tuple[int, ...], last: tuple[int, ...], tmp_path: Path
) -> None:
    made = [
        chunk(kind, value if isinstance(value, bytes) else struct.pack(">I", value)) for kind, value in chunks.items()
    ]
    pixels, codes = seen(png(*made), tmp_path)
    assert np.abs(pixels[:3, 0].astype(int) - greys).max() <= 1
    assert furthest(pixels[4:], (last,)) < 2
    assert codes == []


def test_damaged_descriptions_of_colour_change_nothing(tmp_path: Path) -> None:
    for made in (png(chunk(b"cICP", b"\x0c")), png(chunk(b"cICP", b"")), png(chunk(b"cICP", b"\xff\xff\0\1"))):
        assert furthest(seen(made, tmp_path)[0], COLOURS) == 0
    assert furthest(seen(coded("AVIF", 200, 200), tmp_path)[0], COLOURS) < 4
    whole = coded("AVIF", 12, 13)
    for at in range(0, whole.index(b"mdat"), 3):
        for value in (0, 1, 255):
            nclx_of(io.BytesIO(whole[:at] + bytes([value]) + whole[at + 1 :]))
