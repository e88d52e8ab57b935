"""Names as people's programs write them: kept, read, and no longer than any system takes."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from photo_processor.intake.code_pages import likeliest
from photo_processor.intake.file_names import clean_name, name_of_header, shortened
from photo_processor.intake.zip_reader import ArchiveReader, list_entries
from photo_processor.settings import Settings
from tests.hostile.zips import central, end, local

KEPT = [
    "山田\u3000太郎.jpg",
    "Screenshot 2024-05-01 at 9.41.00\u202fAM.png",
    "a\u00a0b.jpg",
    "می\u200cروم.jpg",
    "👨\u200d👩\u200d👧.jpg",
    "a  b.jpg",
    "\U0001fae9.jpg",  # younger than this Python's Unicode table
    "\uf8ff.jpg",
]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def zip_of(names: list[bytes], flags: int = 0, extra: dict[bytes, bytes] | None = None) -> bytes:
    """A ZIP whose names are stored as these bytes; `extra` are Unicode names of some, as Info-ZIP adds them."""
    body, directory, crc = b"", b"", zlib.crc32(PNG)
    for name in names:
        entry = bytearray(central(name, len(PNG), len(PNG), crc, len(body), 0, flags))
        field = b""
        if extra and name in extra:
            field = b"\1" + struct.pack("<I", zlib.crc32(name)) + extra[name]
            field = struct.pack("<HH", 0x7075, len(field)) + field
            entry[30:32] = struct.pack("<H", len(field))
        directory += bytes(entry) + field
        body += local(name, PNG, len(PNG), crc, 0, flags)
    return body + directory + end(len(names), len(directory), len(body))


def listed(data: bytes, folder: Path) -> list[str]:
    """The names of a ZIP's photos, each of which can be unpacked."""
    path = folder / "x.zip"
    path.write_bytes(data)
    entries = list_entries(path, Settings())
    assert [entry.error for entry in entries] == [None] * len(entries)
    for entry in entries:
        ArchiveReader().unpack(path, entry.index, folder / "out", 1000)
    return [entry.name for entry in entries]


@pytest.mark.parametrize("name", KEPT)
def test_blanks_and_joiners_are_kept(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("cp850", ["Müller.jpg", "Jörg.jpg"]),
        ("cp850", ["Größe.jpg"]),
        ("cp850", ["äöü.jpg"]),
        ("cp850", ["Señor Núñez.jpg", "João.jpg", "Åse Øverland.jpg"]),
        ("cp437", ["Ålund.jpg", "élève.jpg"]),
        ("cp1252", ["MÜLLER.jpg", "Fête d\u2019école.jpg"]),
        ("cp1252", ["João.jpg"]),
        ("cp866", ["Иванов/фото.jpg"]),
        ("cp866", ["раб.jpg", "Мария Кузнецова.jpg"]),
        ("cp932", ["山田太郎.jpg"]),
        ("cp932", ["表/ソ連.jpg", "テスト.jpg"]),
        ("cp936", ["张伟.jpg", "学生/赵敏.jpg"]),
        ("utf-8", ["Müller.jpg", "山田\u3000太郎.jpg", "Иванов.jpg"]),
    ],
)
def test_names_in_a_zip_are_read_in_their_code_page(page: str, names: list[str], tmp_path: Path) -> None:
    assert listed(zip_of([name.encode(page) for name in names]), tmp_path) == names


def test_names_in_a_zip_are_read_as_they_are_labelled(tmp_path: Path) -> None:
    assert listed(zip_of(["Ünal ß.jpg".encode()], flags=0x800), tmp_path) == ["Ünal ß.jpg"]
    raw = "Mller.jpg".encode("cp437")
    assert listed(zip_of([raw], extra={raw: "Мüller.jpg".encode()}), tmp_path) == ["Мüller.jpg"]
    assert listed(zip_of([b"Mu\xcc\x88ller.jpg"]), tmp_path) == ["Müller.jpg"], "Finder writes the accent apart"
    mixed = [b"M\x81ller.jpg", "Jörg.jpg".encode()]
    assert listed(zip_of(mixed), tmp_path) == ["Müller.jpg", "Jörg.jpg"]


def test_entries_next_to_each_other_do_not_overlap_in_any_code_page(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x", PNG)
    for page in ("cp850", "utf-8", "cp932"):
        name = "山田.jpg" if page == "cp932" else "üüüü.jpg"
        assert listed(zip_of([name.encode(page)]), tmp_path) == [name]


def test_likeliest_page_of_none_is_none() -> None:
    assert likeliest([b"\x81\xfe\xff\x80"], ("cp932",)) is None


@pytest.mark.parametrize(
    ("header", "plain", "name"),
    [
        (b"filename=\"=?utf-8?B?TcO8bGxlci5qcGc=?=\"; filename*=utf-8''M%C3%BCller.jpg", None, "Müller.jpg"),
        (b"filename*=UTF-8''M%C3%BCller.jpg", None, "Müller.jpg"),
        (b"filename*=iso-8859-1'de'M%FCller.jpg", None, "Müller.jpg"),
        (b"filename*=\"utf-8''M%C3%BCller.jpg\"", None, "Müller.jpg"),
        (b"", b"=?utf-8?B?TcO8bGxlci5qcGc=?=", "Müller.jpg"),
        (b"", b"=?iso-8859-1?Q?M=FCller_1.jpg?=", "Müller 1.jpg"),
        (b"", b"=?utf-8?B?TcO8?= =?utf-8?B?bGxlci5qcGc=?=", "Müller.jpg"),
        (b"", b"M\xfcller.jpg", "Müller.jpg"),
        (b"filename=\"a; filename*=utf-8''x.jpg\"", b"a; filename*=utf-8''x.jpg", "a; filename*=utf-8''x.jpg"),
        (b"filename*=nonsense", b"a.jpg", "a.jpg"),
        (b"filename*=no-such-charset''M%C3%BCller.jpg", b"a.jpg", "Müller.jpg"),
        (b"", b"=?no-such-charset?B?TcO8?=", "=?no-such-charset?B?TcO8?="),
    ],
)
def test_names_in_headers_are_read_in_every_dialect(header: bytes, plain: bytes | None, name: str) -> None:
    assert name_of_header(plain, b"form-data; name=files; " + header) == name


@pytest.mark.parametrize("stem", ["写" * 120, "é" * 200, "👨\u200d👩\u200d👧" * 30, "x" * 300])
def test_long_names_have_255_bytes_with_their_suffix(stem: str) -> None:
    for name in (clean_name(f"{stem}.jpg"), shortened(stem, " (12).webp"), clean_name(stem)):
        assert 230 < len(name.encode()) <= 255
    assert clean_name(f"{stem}.jpg").endswith(".jpg")
    assert clean_name(clean_name(f"{stem}.jpg")) == clean_name(f"{stem}.jpg")
