"""A real clamd, with one signature of its own: the EICAR test string."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile.harness import fates_of, healthy, is_refused
from tests.hostile.photos import photo
from tests.hostile.zips import zipped
from tests.server import Server, multipart
from tests.support.programs import needed

# In two parts, so that no scanner takes this file for what it is about.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD" + b"-ANTIVIRUS-TEST-FILE!$H+H*"
PHOTO = photo()


class Clamd:
    """`clamd` in a folder of its own; nothing is downloaded."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "clamd.sock"
        database = folder / "database"
        database.mkdir()
        (database / "local.ndb").write_text(f"Local.Eicar:0:*:{EICAR.hex()}\n")
        self.config = folder / "clamd.conf"
        self.config.write_text(
            f"LocalSocket {self.socket}\nDatabaseDirectory {database}\nForeground yes\nStreamMaxLength 20M\n"
            f"LogFile {folder / 'clamd.log'}\nTemporaryDirectory {folder}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([needed("clamd"), "-c", str(self.config)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert self.process.poll() is None, (self.config.parent / "clamd.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    clamd = Clamd(tmp_path_factory.mktemp("clamd"))
    clamd.start()
    yield clamd
    clamd.stop()


@pytest.fixture
def scanning(start_server: Callable[..., Server], clamd: Clamd) -> Server:
    if clamd.process is None:
        clamd.start()
    return start_server(clamav_socket=str(clamd.socket))


def test_photo_with_a_virus_is_refused_and_clean_ones_are_not(scanning: Server) -> None:
    infected = PHOTO + EICAR
    is_refused(scanning.post("/api/jobs", files=multipart(("a.jpg", infected))), 422, "virus_found")
    both = fates_of(scanning, ("bad.jpg", infected), ("good.jpg", PHOTO))
    assert both == {"bad.jpg": "virus_found", "good.jpg": "completed"}
    assert not any(EICAR in path.read_bytes() for path in scanning.data.rglob("*") if path.is_file())
    healthy(scanning)


def test_zip_with_a_virus_inside_is_refused(scanning: Server) -> None:
    infected = zipped(("good.jpg", PHOTO), ("bad.jpg", PHOTO + EICAR))
    is_refused(scanning.post("/api/jobs", files=multipart(("a.zip", infected))), 422, "virus_found")


def test_asset_with_a_virus_is_refused(scanning: Server) -> None:
    is_refused(scanning.post("/api/assets", files={"file": ("a.jpg", PHOTO + EICAR)}), 422, "virus_found")


def test_file_longer_than_clamd_takes_is_not_taken_unscanned(scanning: Server) -> None:
    response = scanning.post("/api/jobs", files=multipart(("a.jpg", PHOTO + bytes(30_000_000))))
    is_refused(response, 503, "scanner_unavailable")
    healthy(scanning)


def test_closed_server_takes_nothing_while_clamd_is_away(scanning: Server, clamd: Clamd) -> None:
    clamd.stop()
    response = scanning.post("/api/jobs", files=multipart(("a.jpg", PHOTO), ("b.jpg", PHOTO)))
    is_refused(response, 503, "scanner_unavailable")
    assert response.headers["retry-after"]
    assert scanning.get("/api/jobs").json()["jobs"] == []
    assert [notice["code"] for notice in scanning.get("/health").json()["notices"]] == ["scanner_away"]
    clamd.start()
    assert fates_of(scanning, ("a.jpg", PHOTO)) == {"a.jpg": "completed"}
    assert scanning.get("/health").json()["notices"] == []


def test_open_server_takes_files_unscanned_and_says_so(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server(clamav_socket=str(tmp_path / "nobody.sock"), clamav_mode="open")
    job = server.finished(server.submit(("a.jpg", PHOTO), ("b.zip", zipped(("b.jpg", PHOTO + b"\0"))))["id"])
    files = server.files(job["id"])
    assert [(file["name"], file["status"]) for file in files] == [("a.jpg", "completed"), ("b.jpg", "completed")]
    assert all("not_scanned" in {warning["code"] for warning in file["warnings"]} for file in files)
    assert [notice["code"] for notice in server.get("/health").json()["notices"]] == ["scanner_away"]
    assert "clamd could not scan an upload" in server.log.read_text()
