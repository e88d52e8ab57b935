"""Real photos of every format have no more parts than the decoders may be made to walk."""

from pathlib import Path

import pytest
from PIL import Image
from skimage import data

import errors
from image_io import sniff
from imaging.headers import check_parts

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
