"""ZIPs made to hurt: refused whole where they are bombs, else only their bad entries fail."""

import io
import stat
import zipfile

import pytest

from tests.hostile import zips
from tests.hostile.harness import fates_of, is_refused, unharmed
from tests.hostile.photos import photo
from tests.hostile.zips import info, zipped
from tests.server import Server, multipart

PHOTO = photo()

WHOLE = {
    "one kernel under many names": (zips.quine_like_bomb, "unsafe_archive"),
    "overlapping entries": (zips.overlapping_small, "unsafe_archive"),
    "an entry over the directory": (zips.into_directory, "unsafe_archive"),
    "ratio of 1000": (lambda: zipped(("a.png", bytes(40_000_000))), "unsafe_archive"),
    "100,000 entries": (lambda: zips.many_entries(100_000), "unsafe_archive"),
    "2,000,000 entries": (lambda: zips.many_entries(2_000_000), "unsafe_archive"),
    "no photos": (lambda: zipped(("__MACOSX/._a.jpg", b"x"), (".DS_Store", b"x")), "empty_archive"),
    "no entries": (zipped, "empty_archive"),
    "directory cut off": (lambda: zipped(*((f"{n}.jpg", PHOTO) for n in range(9)))[:-60], "invalid_archive"),
    "directory half there": (lambda: _without_first_entry(), "invalid_archive"),
    "only a head": (lambda: b"PK\3\4" + bytes(100), "invalid_archive"),
    "cut in the middle": (lambda: zipped(("a.jpg", PHOTO))[:1000], "invalid_archive"),
}


def _without_first_entry() -> bytes:
    """The directory lacks its first bytes: its end says it is longer than what is there."""
    data = zipped(*((f"{n}.jpg", PHOTO) for n in range(9)))
    at = data.index(b"PK\1\2")
    return data[:at] + data[at + 30 :]


@pytest.mark.parametrize("case", WHOLE)
def test_zip_is_refused_whole(server: Server, case: str) -> None:
    make, code = WHOLE[case]
    data = make()
    with unharmed(server):
        response = server.post("/api/jobs", files=multipart(("photos.zip", data)), data={"remove_bg": "false"})
        is_refused(response, 422, code)


def test_zip_that_is_refused_leaves_the_other_files_of_its_request_alone(server: Server) -> None:
    bomb = zips.overlapping_small()
    with unharmed(server):
        assert fates_of(server, ("bomb.zip", bomb), ("good.jpg", PHOTO)) == {
            "bomb.zip": "unsafe_archive",
            "good.jpg": "completed",
        }


BAD_ENTRIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "nested": (
        zipped(("good.jpg", PHOTO), ("inner.zip", zipped(("a.jpg", PHOTO)))),
        {"good.jpg": "completed", "inner.zip": "unsupported_format"},
    ),
    "encrypted": (zips.encrypted(), {"secret.jpg": "encrypted_archive", "plain.jpg": "completed"}),
    "links and devices": (
        zipped(
            (info("good.jpg"), PHOTO),
            (info("link.jpg", stat.S_IFLNK | 0o777), b"/etc/passwd"),
            (info("disk.jpg", stat.S_IFBLK | 0o666), PHOTO),
            (info("pipe.jpg", stat.S_IFIFO | 0o666), PHOTO),
        ),
        {
            "good.jpg": "completed",
            "link.jpg": "unsafe_archive",
            "disk.jpg": "unsafe_archive",
            "pipe.jpg": "unsafe_archive",
        },
    ),
    "paths": (
        zipped(
            ("in/good.jpg", PHOTO),
            ("/etc/absolute.jpg", PHOTO),
            ("../../up.jpg", PHOTO),
            ("a/../../b/inside.jpg", PHOTO),
            ("..\\..\\back.jpg", PHOTO),
            ("\\\\server\\share\\unc.jpg", PHOTO),
            ("C:\\drive.jpg", PHOTO),
            ("c:relative.jpg", PHOTO),
        ),
        {
            "in/good.jpg": "completed",
            "etc/absolute.jpg": "unsafe_archive",
            "up.jpg": "unsafe_archive",
            "a/b/inside.jpg": "unsafe_archive",
            "back.jpg": "unsafe_archive",
            "server/share/unc.jpg": "unsafe_archive",
            "drive.jpg": "unsafe_archive",
            "relative.jpg": "unsafe_archive",
        },
    ),
    "wrong checksum": (zips.wrong_crc(), {"bad.jpg": "broken_archive_entry", "good.jpg": "completed"}),
    "says 100 bytes, holds 100 MB": (zips.lying_size(), {"a.png": "broken_archive_entry"}),
    "other methods": (
        zipped(("a.jpg", PHOTO), compression=zipfile.ZIP_LZMA),
        {"a.jpg": "broken_archive_entry"},
    ),
    "what is no photo": (
        zipped(("good.jpg", PHOTO), ("page.jpg", b"<script>alert(1)</script>" * 9), ("empty.jpg", b"")),
        {"good.jpg": "completed", "page.jpg": "unsupported_format", "empty.jpg": "empty_file"},
    ),
    "droppings": (
        zipped(("good.jpg", PHOTO), ("__MACOSX/._good.jpg", PHOTO), ("a/.DS_Store", PHOTO), ("Thumbs.db", PHOTO)),
        {"good.jpg": "completed"},
    ),
    "too large": (
        zipped(("good.jpg", PHOTO), ("large.bmp", PHOTO + bytes(60_000_000)), compression=zipfile.ZIP_STORED),
        {"good.jpg": "completed", "large.bmp": "file_too_large"},
    ),
}


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_bad_entries_fail_alone_and_good_ones_are_processed(server: Server, case: str) -> None:
    data, expected = BAD_ENTRIES[case]
    with unharmed(server):
        assert fates_of(server, ("photos.zip", data)) == expected


def test_42_zip_is_not_unpacked(server: Server) -> None:
    data = zips.nested()
    with unharmed(server):
        assert set(fates_of(server, ("42.zip", data)).values()) == {"unsupported_format"}


NAMES = (
    "Zoe\u0308.jpg",
    "Zo\xeb.jpg",
    "a.jpg",
    "A.JPG",
    "\u202egpj.exe.jpg",
    "фото/日本\0.jpg",
    "a\r\nX: y.jpg",
    "con.jpg",
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide_or_deceive_come_back_apart_and_visible(server: Server) -> None:
    data = zipped(*((name, PHOTO) for name in (*NAMES, "a.jpg")))
    with unharmed(server):
        job = server.submit(("photos.zip", data), remove_bg="false")
        assert server.finished(job["id"])["progress"]["failed"] == 0
        names = [file["name"] for file in server.files(job["id"])]
        download = server.get(f"/api/jobs/{job['id']}/download").content
    assert all(char.isprintable() for name in names for char in name)
    with zipfile.ZipFile(io.BytesIO(download)) as archive:
        results = [name for name in archive.namelist() if name.endswith(".png")]
        assert archive.testzip() is None
    assert len({name.casefold() for name in results}) == len(results) == len(NAMES) + 1
