"""Real photos of every format have no more parts than the decoders may be made to walk."""

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from skimage import data

from photo_processor import errors
from photo_processor.imaging import decode
from photo_processor.imaging.decode import sniff
from photo_processor.imaging.headers import check_parts

FORMATS = [("JPEG", {"progressive": True}), *((kind, {}) for kind in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"))]


@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_real_photo_passes_and_the_position_stays(tmp_path: Path, kind: str, options: dict[str, bool]) -> None:
    path = tmp_path / "photo"
    Image.fromarray(data.astronaut()).save(path, kind, **options)
    media_type = sniff(path.read_bytes()[:64])
    assert media_type is not None
    with path.open("rb") as file:
        file.seek(5)
        check_parts(file, media_type)
        assert file.tell() == 5


def test_jpeg_with_a_hundred_more_scans_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scans.jpg"
    Image.fromarray(data.astronaut()).save(path, progressive=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + whole[whole.rindex(b"\xff\xda") :][:40] * 100 + whole[-2:])
    with path.open("rb") as file, pytest.raises(errors.BrokenImage, match="scans"):
        check_parts(file, "image/jpeg")


@pytest.mark.parametrize("late", [False, True])
def test_orientation_of_a_png_is_read_without_its_px(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    if late:
        data = path.read_bytes()
        at = data.index(b"eXIf") - 4
        length = 12 + int.from_bytes(data[at : at + 4], "big")
        chunk, rest = data[at : at + length], data[:at] + data[at + length :]
        path.write_bytes(rest[:-12] + chunk + rest[-12:])
    else:
        monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("the px were read"))
    assert decode.probe(path, 100.0) == (20, 40)
    plain = tmp_path / "plain.png"
    Image.new("RGB", (40, 20)).save(plain)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("the px were read"))
    assert decode.probe(plain, 100.0) == (40, 20)
