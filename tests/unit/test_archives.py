"""ZIPs in: names, limits and damage, each built here."""

import io
import zipfile
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.intake.file_names import clean_name
from photo_processor.intake.zip_reader import ArchiveReader, list_entries
from photo_processor.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


def make_zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def settings() -> Settings:
    return Settings()


def test_list_entries_keeps_folders_and_passes_over_junk(tmp_path: Path, settings: Settings) -> None:
    names = ["a/b/one.png", "two.png", "__MACOSX/a/._one.png", "a/.DS_Store", "Thumbs.db", "a/._two.png"]
    path = make_zip(tmp_path / "x.zip", dict.fromkeys(names, PNG) | {"empty/": b""})
    entries = list_entries(path, settings)
    assert [(entry.name, entry.media_type, entry.error) for entry in entries] == [
        ("a/b/one.png", "image/png", None),
        ("two.png", "image/png", None),
    ]


def test_list_entries_refuses_bad_entries_alone(tmp_path: Path, settings: Settings) -> None:
    inner = io.BytesIO()
    zipfile.ZipFile(inner, "w").close()
    entries = {
        "good.jpg": JPEG,
        "text.jpg": b"not a photo at all",
        "none.jpg": b"",
        "../up.jpg": JPEG,
        "/root.jpg": JPEG,
        "C:/drive.jpg": JPEG,
        "nested.zip": inner.getvalue() + b"PK\x03\x04",
    }
    path = make_zip(tmp_path / "x.zip", entries)
    found = {entry.name: entry.error.code if entry.error else None for entry in list_entries(path, settings)}
    assert found == {
        "good.jpg": None,
        "text.jpg": "unsupported_format",
        "none.jpg": "empty_file",
        "up.jpg": "unsafe_archive",
        "root.jpg": "unsafe_archive",
        "drive.jpg": "unsafe_archive",
        "nested.zip": "unsupported_format",
    }


def test_list_entries_refuses_symlinks(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert [entry.error.code for entry in list_entries(path, settings) if entry.error] == ["unsafe_archive"]


def test_list_entries_refuses_overlapping_entries(tmp_path: Path, settings: Settings) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": PNG, "b.png": PNG}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)  # the second entry's header now lies where the first one's does
    path.write_bytes(data)
    with pytest.raises(errors.UnsafeArchive):
        list_entries(path, settings)


@pytest.mark.parametrize(("limit", "value"), [("max_zip_entries", 1), ("max_zip_bytes", 1000), ("max_zip_ratio", 2.0)])
def test_list_entries_refuses_a_zip_over_a_limit(tmp_path: Path, limit: str, value: float) -> None:
    path = make_zip(tmp_path / "x.zip", {f"{index}.png": PNG + bytes(50_000) for index in range(3)})
    with pytest.raises(errors.UnsafeArchive):
        list_entries(path, Settings(**{limit: value}))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and nothing else", b"PK\x05\x06" + bytes(10)])
def test_list_entries_of_a_broken_zip_raises_invalid_archive(tmp_path: Path, settings: Settings, data: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with pytest.raises(errors.InvalidArchive):
        list_entries(path, settings)


def test_list_entries_of_a_truncated_zip_raises_invalid_archive(tmp_path: Path, settings: Settings) -> None:
    path = make_zip(tmp_path / "x.zip", {f"{index}.png": PNG for index in range(9)})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(errors.InvalidArchive):
        list_entries(path, settings)


def test_list_entries_without_photos_raises_empty_archive(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(errors.EmptyArchive):
        list_entries(make_zip(tmp_path / "x.zip", {"__MACOSX/a": b"x"}), settings)


def test_unpack_gives_the_entry_back_to_the_byte(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": PNG, "b.jpg": JPEG})
    digest, size, media_type = ArchiveReader().unpack(path, 1, tmp_path / "out", 1000)
    assert (tmp_path / "out").read_bytes() == JPEG
    assert (size, media_type, len(digest)) == (len(JPEG), "image/jpeg", 64)


def test_unpack_of_a_damaged_entry_raises_broken_archive_entry(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.png": PNG}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(errors.BrokenArchiveEntry):
        ArchiveReader().unpack(path, 0, tmp_path / "out", 1000)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("..\\..\\b.jpg", "b.jpg"),
        ("C:\\photos\\b.jpg", "photos/b.jpg"),
        ("/etc/./b.jpg", "etc/b.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("фото/Zoë 日本.jpg", "фото/Zoë 日本.jpg"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "unnamed"),
        ("x" * 300 + ".jpg", "x" * 244 + ".jpg"),
    ],
)
def test_clean_name_is_relative_and_printable(name: str, clean: str) -> None:
    assert clean_name(name) == clean
