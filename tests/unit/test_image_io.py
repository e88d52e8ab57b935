"""Decoding: what a file is, its limits, its way up, its colours."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from skimage import data

from photo_processor import errors
from photo_processor.imaging.decode import decode, probe, sniff, thumbnail, thumbnail_of
from photo_processor.imaging.pictures import Picture

LIMIT_MP = 100.0
ENCODERS: dict[str, str] = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}


def astronaut() -> Image.Image:
    return Image.fromarray(data.astronaut())


def encoded(image: Image.Image, container: str, **options: object) -> bytes:
    if container == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
        image = image.copy()
        # pillow_heif writes the turn of HEIC's own (`irot`, `imir`), the only one that counts there, from `info`.
        image.info["exif"] = cast(Image.Exif, options.pop("exif", Image.Exif())).tobytes()
    out = io.BytesIO()
    image.save(out, container, **options)
    return out.getvalue()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    def save(content: bytes) -> Path:
        path = tmp_path / "photo"
        path.write_bytes(content)
        return path

    return save


def decoded(path: Path, limit: float = LIMIT_MP) -> tuple[Picture, list[str]]:
    codes: list[str] = []
    return decode(path, limit, lambda code, _message: codes.append(code)), codes


def difference(picture: Picture, expected: np.ndarray) -> float:
    return float(np.abs(picture.pixels.astype(int) - expected).mean())


@pytest.mark.parametrize(("container", "media_type"), ENCODERS.items())
def test_decode_each_format_gives_its_pixels(container: str, media_type: str, saved: Callable[[bytes], Path]) -> None:
    content = encoded(astronaut(), container, **({"quality": 92} if container == "JPEG" else {}))
    picture, warnings = decoded(saved(content))
    assert sniff(content[:64]) == media_type
    assert (picture.width, picture.height, picture.alpha, warnings) == (512, 512, None, [])
    assert probe(saved(content), LIMIT_MP) == (512, 512)
    assert difference(picture, data.astronaut()) < (9 if container == "GIF" else 3)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", None),
        (b"PK\x03\x04rest", "application/zip"),
        (b"PK\x05\x06" + bytes(18), "application/zip"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<!doctype html>", None),
        (b"%PDF-1.7", None),
        (b"BM is how this letter begins, and it goes on", None),
        (b"hello, I am a text file named photo.jpg", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", None),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "image/avif"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"MM\x00+\x00\x08\x00\x00", "image/tiff"),
    ],
)
def test_sniff_goes_by_magic_bytes(head: bytes, expected: str | None) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_exif_orientation_is_applied_once(
    container: str, orientation: int, saved: Callable[[bytes], Path]
) -> None:
    stored = astronaut().crop((0, 0, 512, 300))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(encoded(stored, container, exif=exif))
    reference = stored.copy()
    reference.getexif()[0x0112] = orientation
    picture, _ = decoded(path)
    expected = np.asarray(ImageOps.exif_transpose(reference))
    assert picture.pixels.shape == expected.shape
    assert difference(picture, expected) < 3
    assert probe(path, LIMIT_MP) == (picture.width, picture.height)


def test_decode_too_many_pixels_is_refused_by_the_header(saved: Callable[[bytes], Path]) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    path = saved(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    for reader in (decode, probe):
        with pytest.raises(errors.TooManyPixels, match="3600 megapixels"):
            reader(path, LIMIT_MP, *([lambda *_: None] if reader is decode else []))  # type: ignore[operator]


def test_decode_above_pillows_own_limit_neither_warns_nor_fails(saved: Callable[[bytes], Path]) -> None:
    path = saved(encoded(Image.new("1", (14_000, 14_000)), "PNG"))
    assert probe(path, 200.0) == (14_000, 14_000)


def test_decode_limit_is_a_setting(saved: Callable[[bytes], Path]) -> None:
    path = saved(encoded(astronaut(), "JPEG"))
    with pytest.raises(errors.TooManyPixels):
        decoded(path, limit=0.26)
    assert decoded(path, limit=0.263)[0].width == 512


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_decode_truncated_says_so(container: str, share: float, saved: Callable[[bytes], Path]) -> None:
    content = encoded(astronaut(), container)
    with pytest.raises(errors.TruncatedImage):
        decoded(saved(content[: int(len(content) * share)]))


def test_decode_progressive_jpeg_truncated_says_so(saved: Callable[[bytes], Path]) -> None:
    content = encoded(astronaut(), "JPEG", progressive=True)
    with pytest.raises(errors.TruncatedImage):
        decoded(saved(content[: len(content) // 2]))


def test_decode_damaged_is_broken(saved: Callable[[bytes], Path]) -> None:
    content = bytearray(encoded(astronaut(), "PNG"))
    content[5000:6000] = bytes(1000)
    with pytest.raises(errors.BrokenImage) as caught:
        decoded(saved(bytes(content)))
    assert caught.value.code == "broken_image"


def test_decode_text_named_jpg_is_unsupported(saved: Callable[[bytes], Path]) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        decoded(saved(b"not a photo at all"))


def test_decode_empty_file_says_so(saved: Callable[[bytes], Path]) -> None:
    with pytest.raises(errors.EmptyFile):
        decoded(saved(b""))


@pytest.mark.parametrize("container", ["GIF", "WEBP", "TIFF", "AVIF", "PNG"])
def test_decode_animation_gives_first_frame_with_warning(container: str, saved: Callable[[bytes], Path]) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
    picture, warnings = decoded(saved(encoded(frames[0], container, save_all=True, append_images=frames[1:])))
    assert warnings == ["first_frame_only"]
    assert np.abs(picture.pixels.reshape(-1, 3).astype(int) - (255, 0, 0)).max() < 12


def tiff_of_pages(count: int) -> bytes:
    """A TIFF whose `count` directories all show the same 8 x 8 grey px."""
    values = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    size = 2 + len(entries) + 4
    starts = [72 + size * page for page in range(count)] + [0]
    pages = (struct.pack("<H", len(values)) + entries + struct.pack("<I", following) for following in starts[1:])
    return b"II*\0" + struct.pack("<I", starts[0]) + bytes(64) + b"".join(pages)


@pytest.mark.serial
def test_decode_tiff_of_many_pages_does_not_walk_them(saved: Callable[[bytes], Path]) -> None:
    path = saved(tiff_of_pages(20_000))
    start = time.perf_counter()
    _, warnings = decoded(path)
    assert warnings == ["first_frame_only"]
    assert time.perf_counter() - start < 0.2


def test_decode_16_bit_grey_is_scaled_not_clipped(saved: Callable[[bytes], Path]) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256, dtype=np.uint16), (16, 1))
    for container in ("PNG", "TIFF"):
        picture, _ = decoded(saved(encoded(Image.fromarray(ramp), container)))
        assert np.abs(picture.pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_decode_float_tiff_is_scaled(saved: Callable[[bytes], Path]) -> None:
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (16, 1))
    picture, _ = decoded(saved(encoded(Image.fromarray(ramp), "TIFF")))
    assert np.abs(picture.pixels[0, :, 1].astype(int) - np.arange(256)).max() <= 1


def test_decode_palette_with_transparency_keeps_it_as_alpha(saved: Callable[[bytes], Path]) -> None:
    image = Image.new("P", (20, 10), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (0, 0, 5, 10))
    picture, _ = decoded(saved(encoded(image, "PNG", transparency=1)))
    assert picture.alpha is not None
    assert (picture.alpha[:, :5] == 0).all()
    assert (picture.alpha[:, 5:] == 255).all()
    assert tuple(picture.pixels[0, 10]) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "CMYK", "YCbCr", "LAB", "P"])
def test_decode_each_mode_looks_the_same(mode: str, saved: Callable[[bytes], Path]) -> None:
    grey = mode in ("1", "L", "LA")
    source = astronaut().convert("L") if grey else astronaut()
    if mode == "LAB":
        transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        image = transform.apply(source)
    else:
        image = source.convert(mode)
    picture, _ = decoded(saved(encoded(image, "TIFF")))
    expected = np.asarray(source.convert("RGB"))
    assert difference(picture, expected) < (90 if mode == "1" else 15 if mode in ("CMYK", "P") else 2)


def test_decode_wide_gamut_profile_is_converted(saved: Callable[[bytes], Path]) -> None:
    # An "sRGB" whose red and green are exchanged: what ignores the profile shows them exchanged.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {profile[132 + 12 * i : 136 + 12 * i].decode(): 136 + 12 * i for i in range(profile[131])}
    for first, second in (("rXYZ", "gXYZ"),):
        a, b = tags[first], tags[second]
        profile[a : a + 8], profile[b : b + 8] = profile[b : b + 8], profile[a : a + 8]
    content = encoded(Image.new("RGB", (32, 32), (200, 40, 60)), "PNG", icc_profile=bytes(profile))
    picture, warnings = decoded(saved(content))
    assert warnings == []
    assert np.abs(picture.pixels[0, 0].astype(int) - (40, 200, 60)).max() <= 2


def test_decode_broken_profile_warns(saved: Callable[[bytes], Path]) -> None:
    picture, warnings = decoded(saved(encoded(astronaut(), "JPEG", quality=92, icc_profile=b"not a profile" * 20)))
    assert warnings == ["bad_colour_profile"]
    assert difference(picture, data.astronaut()) < 3


def test_decode_resolution_is_kept_and_turns_with_the_photo(saved: Callable[[bytes], Path]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture, _ = decoded(saved(encoded(astronaut(), "JPEG", dpi=(300, 150), exif=exif)))
    assert picture.dpi == (150.0, 300.0)


def test_thumbnail_keeps_alpha_and_shape() -> None:
    alpha = np.zeros((512, 300), np.uint8)
    alpha[:, :150] = 255
    small = Image.open(io.BytesIO(thumbnail(Picture(data.astronaut()[:, :300].copy(), alpha), 128)))
    assert (small.format, small.size, small.mode) == ("WEBP", (75, 128), "RGBA")
    assert small.getpixel((5, 64))[3] == 255  # type: ignore[index]
    assert small.getpixel((70, 64))[3] == 0  # type: ignore[index]


@pytest.mark.serial
def test_thumbnail_of_large_jpeg_is_upright_and_quick(saved: Callable[[bytes], Path]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(encoded(astronaut().resize((4000, 3000)), "JPEG", exif=exif))
    start = time.perf_counter()
    small = Image.open(io.BytesIO(thumbnail_of(path, 320, LIMIT_MP)))
    assert time.perf_counter() - start < 1.0
    assert small.size == (240, 320)
    expected = astronaut().resize((320, 240)).rotate(-90, expand=True)
    assert np.abs(np.asarray(small.convert("RGB")).astype(int) - np.asarray(expected)).mean() < 12


def test_decode_orientation_fixtures_all_look_alike(testdata: Path) -> None:
    for kind in ("Landscape", "Portrait"):
        folder = testdata / "decoders" / "exif-orientation"
        first = decoded(folder / f"{kind}_1.jpg")[0].pixels
        for number in range(2, 9):
            other = decoded(folder / f"{kind}_{number}.jpg")[0].pixels
            assert other.shape == first.shape
            assert np.abs(other.astype(int) - first).mean() < 6


def test_decode_every_fixture_gives_a_picture_or_an_error_of_ours(testdata: Path) -> None:
    good = 0
    for path in sorted((testdata / "decoders").rglob("*")):
        if path.is_file():
            try:
                picture, _ = decoded(path)
            except errors.PhotoError:
                continue
            good += 1
            assert picture.pixels.dtype == np.uint8
            assert picture.pixels.ndim == 3
    assert good > 150
