"""What of a photo's EXIF reaches its results: nothing, or what neither place nor device give away."""

import io
from pathlib import Path

import pytest
import tifffile
from PIL import Image, ImageOps
from skimage import data

from photo_processor.imaging.decode import decode
from photo_processor.imaging.encode import encode
from photo_processor.schemas import Format, OutputSpec

CAMERA, PLACE = 0x8769, 0x8825
SECRET = b"SN-4711"
FORMATS: list[Format] = ["png", "webp", "jpeg", "avif", "tiff"]


def photo(container: str) -> bytes:
    exif = Image.Exif()
    exif.update(
        {0x010F: "Nikon", 0x0112: 6, 0x8298: "Jane Doe", 0x0132: "2024:05:06 07:08:09", 0xC62F: SECRET.decode()}
    )
    exif.get_ifd(CAMERA).update(
        {
            0x9003: "2024:05:06 07:08:09",
            0x829A: 0.004,
            0xA431: SECRET.decode(),
            0xA435: SECRET.decode(),
            0xA420: SECRET.decode(),
            0x927C: SECRET,
            0xA434: "50 mm",
        }
    )
    exif.get_ifd(PLACE).update({1: "N", 2: (48.0, 8.0, 14.0), 29: SECRET.decode()})
    out = io.BytesIO()
    Image.fromarray(data.coffee()).save(out, container, exif=exif.tobytes(), xmp=b"<x>" + SECRET + b"</x>")
    return out.getvalue()


def result(container: str, spec: OutputSpec, folder: Path) -> bytes:
    path = folder / "photo"
    path.write_bytes(photo(container))
    return encode(decode(path, 100.0, lambda code, _message: pytest.fail(code)), spec)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("format", FORMATS)
def test_kept_exif_is_without_place_and_serial_numbers(container: str, format: Format, tmp_path: Path) -> None:
    content = result(container, OutputSpec(format=format, keep_metadata=True), tmp_path)
    exif = Image.open(io.BytesIO(content)).getexif()
    assert (exif[0x010F], exif[0x8298]) == ("Nikon", "Jane Doe")
    camera = exif.get_ifd(CAMERA)
    assert (camera[0x9003], camera[0xA434]) == ("2024:05:06 07:08:09", "50 mm")
    assert camera[0xA001] == 1, "the colours are sRGB now"
    assert exif.get_ifd(PLACE) == {}
    assert SECRET not in content
    assert exif.get(0x0112, 1) == 1
    image = Image.open(io.BytesIO(content))
    assert ImageOps.exif_transpose(image).size == image.size


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_kept_unless_asked_for(format: Format, tmp_path: Path) -> None:
    content = result("JPEG", OutputSpec(format=format), tmp_path)
    exif = Image.open(io.BytesIO(content)).getexif()
    assert 0x010F not in exif
    assert exif.get_ifd(CAMERA) == {}
    assert SECRET not in content
    assert b"Jane Doe" not in content


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_exif_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(data.coffee()).save(path, exif=b"Exif\0\0II*\0\x08\0\0\0" + b"\xff" * 30)
    assert decode(path, 100.0, lambda code, _message: pytest.fail(code)).exif is None


def test_tiff_with_exif_is_read_by_others(tmp_path: Path) -> None:
    for compression in ("lzw", "none"):
        spec = OutputSpec.model_validate({"format": "tiff", "keep_metadata": True, "compression": compression})
        with tifffile.TiffFile(io.BytesIO(result("JPEG", spec, tmp_path))) as file:
            tags = file.pages[0].tags  # type: ignore[union-attr]
            assert tags["Make"].value == "Nikon"
            assert tags["ExifTag"].value["LensModel"] == "50 mm"
