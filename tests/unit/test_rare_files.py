"""Files that are whole but unlike most: their photo is found, or their kind is named."""

import builtins
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from photo_processor import errors
from photo_processor.imaging.decode import decode, decode_frames, probe
from photo_processor.imaging.pictures import Picture
from tests.tiffs import Directory, dng, grey, tiff

LIMIT_MP = 100.0


def opened(content: bytes, folder: Path) -> tuple[Picture, list[str]]:
    (folder / "photo").write_bytes(content)
    codes: list[str] = []
    picture = decode(folder / "photo", LIMIT_MP, lambda code, _message: codes.append(code))
    assert probe(folder / "photo", LIMIT_MP) == (picture.width, picture.height)
    return picture, codes


def frames(content: bytes, folder: Path) -> list[Picture]:
    (folder / "photo").write_bytes(content)
    return [picture for picture, _ in decode_frames(folder / "photo", LIMIT_MP, lambda *_: None)]


# --- JPEG ---


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(data.astronaut()[:200, :150]).convert(mode).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


@pytest.mark.parametrize("lost", [2, 1])
@pytest.mark.parametrize("filled", [b"", bytes(5_000)])
@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("RGB", {"progressive": True}), ("L", {}), ("CMYK", {}), ("RGB", {"restart_marker_rows": 1})],
)
def test_jpeg_without_its_end_mark_is_whole(
    mode: str, options: dict[str, object], filled: bytes, lost: int, tmp_path: Path
) -> None:
    content = jpeg(mode, **options)
    expected, _ = opened(content, tmp_path)
    picture, codes = opened(content[:-lost] + filled, tmp_path)
    assert codes == ["end_missing"]
    assert (picture.pixels == expected.pixels).all()


@pytest.mark.parametrize("lost", [3, 4, 5, 8, 40, 2_000])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_jpeg_without_its_last_px_is_truncated(options: dict[str, object], lost: int, tmp_path: Path) -> None:
    content = jpeg(**options)
    for filled in (b"", bytes(300)):
        with pytest.raises(errors.TruncatedImage):
            opened(content[:-lost] + filled, tmp_path)


def test_progressive_jpeg_without_its_last_scans_is_truncated(tmp_path: Path) -> None:
    content = jpeg(progressive=True)
    for _ in range(3):
        content = content[: content.rindex(b"\xff\xda")]
        content = content[: content.rindex(b"\xff\xc4")] if b"\xff\xc4" in content[-200:] else content
        with pytest.raises(errors.TruncatedImage):
            opened(content, tmp_path)


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [(0xC1, 12, "12 bits"), (0xC9, 8, "arithmetic"), (0xCA, 8, "arithmetic"), (0xC3, 8, "lossless")],
)
def test_rare_jpeg_is_named_not_called_damaged(marker: int, bits: int, name: str, tmp_path: Path) -> None:
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = marker, bits
    with pytest.raises(errors.UnsupportedFormat, match=name):
        opened(bytes(content), tmp_path)


# --- TIFF ---


def ramp(width: int = 64, height: int = 48, most: int = 255) -> np.ndarray:
    return np.tile(np.linspace(0, most, width), (height, 1)).astype(np.uint8 if most == 255 else np.uint16)


@pytest.mark.parametrize(
    ("number", "name"),
    [(34887, "LERC"), (33003, "2000"), (34712, "2000"), (50001, "WebP"), (50002, "JPEG XL"), (52546, "JPEG XL")],
)
def test_rare_tiff_is_named_not_called_damaged(number: int, name: str, tmp_path: Path) -> None:
    with pytest.raises(errors.UnsupportedFormat, match=name):
        opened(tiff(grey(ramp(), t259=number)), tmp_path)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_of_any_depth_has_the_right_direction_and_range(photometric: int, bits: int, tmp_path: Path) -> None:
    levels = ramp(most=(1 << bits) - 1)
    stored = ((1 << bits) - 1) - levels if photometric == 0 else levels
    picture, codes = opened(tiff(grey(stored, photometric, bits)), tmp_path)
    assert np.abs(picture.pixels[0, :, 0] - np.linspace(0, 255, 64)).max() <= 1
    assert codes == []


@pytest.mark.parametrize("form", [(32, 3), (32, 1), (16, 2)])
def test_grey_of_numbers_has_the_right_direction(form: tuple[int, int], tmp_path: Path) -> None:
    bits, kind = form
    levels = np.tile(np.linspace(0, 1 if kind == 3 else 32_767, 64), (48, 1))
    stored = (levels.max() - levels).astype({(32, 3): "<f4", (32, 1): "<u4", (16, 2): "<i2"}[form])
    page = grey(np.zeros((48, 64), np.uint8), 0, t339=kind)
    page.tags[258], page.data = bits, stored.tobytes()
    picture, _ = opened(tiff(page), tmp_path)
    row = picture.pixels[0, :, 0].astype(int)
    assert row[0] < row[20] < row[-1]


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize(("order", "kind"), [("<", "f4"), (">", "f4"), ("<", "u4"), (">", "u2"), ("<", "u2")])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_grey_of_numbers_has_its_levels_in_either_order(
    photometric: str, order: str, kind: str, compression: str | None, tmp_path: Path
) -> None:
    most = {"f4": 1.0, "u4": 2**32 - 1, "u2": 65_535}[kind]
    levels = np.tile(np.linspace(0, most, 64), (48, 1))
    stored = (most - levels if photometric == "miniswhite" else levels).astype(kind)
    tifffile.imwrite(tmp_path / "made", stored, photometric=photometric, byteorder=order, compression=compression)
    picture, _ = opened((tmp_path / "made").read_bytes(), tmp_path)
    assert np.abs(picture.pixels[0, :, 0] - np.linspace(0, 255, 64)).max() <= 1


def test_bigtiff_of_the_other_order_is_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "made", ramp(), bigtiff=True, byteorder=">")
    with pytest.raises(errors.UnsupportedFormat, match="BigTIFF"):
        opened((tmp_path / "made").read_bytes(), tmp_path)
    tifffile.imwrite(tmp_path / "made", ramp(), bigtiff=True, byteorder="<")
    assert opened((tmp_path / "made").read_bytes(), tmp_path)[0].width == 64


PHOTO, THUMBNAIL = ramp(600, 400), np.full((40, 60), 200, np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        tiff(grey(THUMBNAIL, t254=1), grey(PHOTO)),
        tiff(grey(THUMBNAIL, t255=2), grey(PHOTO, t255=1)),
        tiff(grey(THUMBNAIL), grey(PHOTO)),
        tiff(grey(PHOTO), grey(PHOTO[::2, ::2], t254=1), grey(PHOTO[::4, ::4], t254=1), grey(THUMBNAIL, t254=4)),
        tiff(grey(PHOTO[::4, ::4], t254=1), grey(PHOTO), grey(PHOTO[::2, ::2], t254=1)),
        tiff(Directory(grey(THUMBNAIL).data, grey(THUMBNAIL, t254=1).tags, (grey(PHOTO, t254=0),))),
        tiff(Directory(grey(THUMBNAIL).data, grey(THUMBNAIL).tags, (grey(PHOTO), grey(PHOTO[::2, ::2], t254=1)))),
    ],
)
def test_photo_of_a_tiff_is_its_full_picture(content: bytes, tmp_path: Path) -> None:
    picture, codes = opened(content, tmp_path)
    assert (picture.width, picture.height, codes) == (600, 400, [])
    assert (picture.pixels[..., 0] == PHOTO).all()
    assert [frame.width for frame in frames(content, tmp_path)] == [600]


def test_pages_of_a_tiff_are_all_but_smaller_copies(tmp_path: Path) -> None:
    content = tiff(grey(PHOTO), grey(THUMBNAIL, t254=1), grey(PHOTO[:, ::-1], t254=2), grey(THUMBNAIL, t254=5))
    first, second = frames(content, tmp_path)
    assert (first.pixels[0, 0, 0], second.pixels[0, 0, 0]) == (0, 255)
    assert opened(content, tmp_path)[1] == ["first_frame_only"]
    small = tiff(grey(THUMBNAIL), grey(THUMBNAIL // 2))
    assert [frame.pixels[0, 0, 0] for frame in frames(small, tmp_path)] == [200, 100]


# --- RAW ---


def sensor() -> np.ndarray:
    """RGGB, 320 x 240: red px twice as bright as the others."""
    levels = np.full((240, 320), 16_000, np.uint16)
    levels[::2, ::2] = 32_000
    return levels


def test_raw_is_developed_at_its_full_size(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    picture, codes = opened(dng(sensor(), np.zeros((16, 20), np.uint8)), tmp_path)
    assert (picture.width, picture.height, codes) == (320, 240, [])
    red, green, _ = picture.pixels[120, 160].astype(int)
    assert red > green + 30
    assert picture.origin is not None
    assert (picture.origin.format, picture.origin.shot and picture.origin.shot.make) == ("raw", "Test")


def test_raw_is_refused_by_name_where_libraw_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "rawpy":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for content in (dng(sensor(), np.zeros((16, 20), np.uint8)), b"FUJIFILMCCD-RAW 0201" + bytes(500)):
        with pytest.raises(errors.UnsupportedFormat, match="RAW"):
            opened(content, tmp_path)


@pytest.mark.parametrize(
    "head", [b"FUJIFILMCCD-RAW 0201", b"IIU\0", b"\0\0\0\x18ftypcrx ", b"IIRO", b"II*\0\x10\0\0\0CR\2\0"]
)
def test_raw_that_libraw_cannot_read_is_no_preview(head: bytes, tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    with pytest.raises(errors.PhotoError) as caught:
        opened(head + bytes(500), tmp_path)
    assert caught.value.code in ("unsupported_format", "broken_image", "truncated_image")


def test_raw_that_ends_early_is_truncated(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    content = bytearray(dng(sensor(), np.zeros((16, 20), np.uint8)))
    at = content.index(struct.pack("<HHII", 279, 4, 1, 2 * 240 * 320))
    content[at + 8 : at + 12] = struct.pack("<I", 2 * 240 * 320 + 50_000)
    with pytest.raises(errors.TruncatedImage):
        opened(bytes(content), tmp_path)


# --- PNG ---


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(rows: list[bytes], width: int, bits: int, colour_type: int, transparent: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"tRNS", transparent)
    return (
        b"\x89PNG\r\n\x1a\n"
        + parts
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_transparent_grey_of_any_depth_is_transparent(bits: int, tmp_path: Path) -> None:
    levels = np.arange(16) * ((1 << bits) - 1) // 15
    clear = int(levels[6])
    if bits == 16:
        levels[7] = clear + 1
        row = levels.astype(">u2").tobytes()
    else:
        row = np.packbits(np.unpackbits(levels.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :].ravel()).tobytes()
    picture, _ = opened(png([row] * 8, 16, bits, 0, struct.pack(">H", clear)), tmp_path)
    assert picture.alpha is not None
    assert (picture.alpha[0] == np.where(levels == clear, 0, 255)).all()


def test_transparent_colour_of_16_bits_is_compared_whole(tmp_path: Path) -> None:
    colour = (4660, 22136, 39612)
    row = np.array([colour, (4661, *colour[1:]), (9, 9, 9)], ">u2").tobytes()
    picture, _ = opened(png([row] * 8, 3, 16, 2, struct.pack(">HHH", *colour)), tmp_path)
    assert picture.alpha is not None
    assert picture.alpha[0].tolist() == [0, 255, 255]
    assert picture.pixels[0, 1].tolist() == [18, 86, 154]


def flat(colour: str, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_fallback_of_an_animated_png_is_no_frame(tmp_path: Path) -> None:
    out = io.BytesIO()
    flat("black").save(out, "PNG", save_all=True, default_image=True, append_images=[flat("red"), flat("blue")])
    found = frames(out.getvalue(), tmp_path)
    assert [frame.pixels[0, 0].tolist() for frame in found] == [[255, 0, 0], [0, 0, 255]]
    picture, codes = opened(out.getvalue(), tmp_path)
    assert (picture.pixels[0, 0].tolist(), codes) == ([255, 0, 0], ["first_frame_only"])
    alone = io.BytesIO()
    flat("black").save(alone, "PNG", save_all=True, default_image=True, append_images=[flat("red")])
    assert opened(alone.getvalue(), tmp_path)[1] == []
    assert len(frames(alone.getvalue(), tmp_path)) == 1


# --- HEIC ---


@pytest.mark.parametrize("primary", [0, 1, 2])
def test_pictures_of_a_heic_come_once_each_the_primary_first(primary: int, tmp_path: Path) -> None:
    import pillow_heif

    colours = ("red", "green", "blue")
    collection = pillow_heif.from_pillow(flat(colours[0], (96, 64)))
    for colour in colours[1:]:
        collection.add_from_pillow(flat(colour, (96, 64)))
    out = io.BytesIO()
    collection.save(out, quality=95, primary_index=primary, format="HEIF")
    found = [int(np.argmax(frame.pixels[32, 48])) for frame in frames(out.getvalue(), tmp_path)]
    assert found == [primary, *(number for number in range(3) if number != primary)]


def test_phone_photo_whose_second_picture_is_cut_is_whole(tmp_path: Path) -> None:
    out = io.BytesIO()
    first = Image.fromarray(data.astronaut()[:200, :150])
    first.save(out, "MPO", save_all=True, append_images=[first])
    picture, codes = opened(out.getvalue()[:-3_000], tmp_path)
    assert (picture.width, picture.height, codes) == (150, 200, [])
