"""A server that cannot start says why in one sentence, touches nothing and ends with 2."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from photo_processor.queue.database import migrate
from photo_processor.storage.local import MARKER
from tests.server import ROOT, Server


def start(data: Path | str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a start that fails prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PHOTO_")}
    environment |= {"PHOTO_DATA_DIR": str(data), "PHOTO_PORT": "0", "PHOTO_OFFLINE": "1"}
    environment |= {f"PHOTO_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, ROOT / "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def refused(run: subprocess.CompletedProcess[str], said: str) -> None:
    assert run.returncode == 2
    assert "http://" not in run.stdout
    assert "Traceback" not in run.stderr
    assert said in run.stderr.splitlines()[-1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts file systems of a few bytes."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        path = tmp_path / f"disk{len(mounted)}"
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True)
        if done.returncode:
            pytest.skip("needs the right to mount a file system")
        mounted.append(path)
        return path

    yield mount
    for path in mounted:
        subprocess.run(["umount", path], check=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["jobs/wedding", "incoming", "trash", "assets", "photos", "."])
def test_a_foreign_folder_is_refused_and_left_as_it_is(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "mine"
    (folder / where).mkdir(parents=True, exist_ok=True)
    (folder / where / "precious.jpg").write_bytes(b"mine")
    (folder / where / "draft.part").write_bytes(b"mine too")
    before = tree(folder)
    refused(start(folder), "holds files that this server did not put there")
    assert tree(folder) == before


def test_a_foreign_database_called_queue_db_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "queue.db")) as connection:
        connection.execute("CREATE TABLE kv (key TEXT)")
    before = tree(tmp_path)
    refused(start(tmp_path), "holds files that this server did not put there")
    assert tree(tmp_path) == before


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    migrate(tmp_path / "queue.db")
    with closing(sqlite3.connect(tmp_path / "queue.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    refused(start(tmp_path), "newer version")


def test_an_empty_data_folder_setting_is_refused() -> None:
    refused(start(""), "PHOTO_DATA_DIR is empty")


def test_nonsense_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    refused(start(tmp_path / "data", keep_days="inf"), "PHOTO_KEEP_DAYS")
    assert not (tmp_path / "data").exists()


def test_a_path_through_a_file_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    refused(start(tmp_path / "file" / "data"), f"{tmp_path / 'file' / 'data'} cannot be used")


def test_a_read_only_disk_names_the_folder(small_disk: Callable[..., Path]) -> None:
    folder = small_disk("ro")
    refused(start(folder / "data"), f"{folder / 'data'} cannot be used: Read-only file system")


@pytest.mark.parametrize("left", [0, 40_000])  # bytes: nothing can be written; the database cannot
def test_a_full_disk_names_the_folder(small_disk: Callable[..., Path], left: int) -> None:
    folder = small_disk("size=256k")
    (folder / "lost+found").write_bytes(bytes(256 * 1024 - left))
    refused(start(folder), f"{folder} cannot be used")


def test_what_strangers_put_into_our_folder_stays_and_files_are_ours_alone(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    server.stop()
    for where in ("incoming", "trash", "jobs/wedding/2024", "assets"):
        (server.data / where).mkdir(parents=True, exist_ok=True)
        for name in ("precious.jpg", "draft.part"):
            (server.data / where / name).write_bytes(b"mine")
            os.utime(server.data / where / name, (1, 1))
    os.utime(server.data / "jobs/wedding", (1, 1))
    before = {name for name, content in tree(server.data).items() if content.startswith(b"mine")}
    server.start()
    assert server.post("/api/cleanup").json()["orphans"] == []
    assert {name for name, content in tree(server.data).items() if content.startswith(b"mine")} == before
    assert (server.data / MARKER).exists()
    for path in (server.data, *server.data.rglob("*")):
        if not {"precious.jpg", "draft.part", "wedding", "2024", "assets"} & set(path.parts):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
