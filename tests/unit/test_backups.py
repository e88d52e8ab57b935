"""The database is copied, and replaced when it is damaged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from photo_processor.queue import backups


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "queue.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 500)
        connection.commit()
    return path


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:40_000] = b"\xa5" * (40_000 - 8192)
    path.write_bytes(data)


def test_back_up_is_a_whole_copy_and_the_oldest_go(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    for second in range(5):
        monkeypatch.setattr(backups.time, "strftime", lambda *_, s=second: f"20260101-00000{s}")
        copy = backups.back_up(database, folder)
    assert rows(copy) == 500
    assert len(backups.backups(folder, "queue")) == backups.KEPT
    assert backups.backups(folder, "queue")[0] == copy


def test_heal_leaves_a_sound_or_missing_database_alone(database: Path, tmp_path: Path) -> None:
    assert backups.heal(database, tmp_path / "b", tmp_path / "q") is None
    assert backups.heal(tmp_path / "none.db", tmp_path / "b", tmp_path / "q") is None
    assert not (tmp_path / "q").exists()


def test_heal_restores_the_newest_sound_backup_and_keeps_the_damaged_file(database: Path, tmp_path: Path) -> None:
    folder, quarantine = tmp_path / "backups", tmp_path / "quarantine"
    good = backups.back_up(database, folder)
    broken = folder / "queue-99999999-000000.db"
    broken.write_bytes(b"not a database")
    damage(database)
    database.with_name("queue.db-wal").write_bytes(b"log")
    healed = backups.heal(database, folder, quarantine)
    assert healed is not None
    assert healed.backup == good
    assert rows(database) == 500
    assert {path.name for path in healed.quarantine.iterdir()} >= {"queue.db", "queue.db-wal"}


def test_heal_without_a_backup_starts_afresh(database: Path, tmp_path: Path) -> None:
    damage(database)
    healed = backups.heal(database, tmp_path / "b", tmp_path / "q")
    assert healed is not None
    assert healed.backup is None
    assert not database.exists()


def test_copy_that_was_killed_or_had_no_room_leaves_nothing(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "queue-20260101-000000.part").write_bytes(b"half")
    assert backups.heal(database, folder, tmp_path / "q") is None
    assert list(folder.iterdir()) == []

    class Full:
        def __init__(self, *_: object) -> None:
            pass

        def execute(self, _: str, values: tuple[str]) -> None:
            Path(values[0]).write_bytes(b"half")
            raise sqlite3.OperationalError("database or disk is full")

        def close(self) -> None:
            pass

    monkeypatch.setattr(backups.sqlite3, "connect", Full)
    with pytest.raises(sqlite3.OperationalError):
        backups.back_up(database, folder)
    assert list(folder.iterdir()) == []


def test_back_up_is_not_the_one_that_goes_though_others_are_from_the_future(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for number in range(backups.KEPT):
        (folder / f"queue-2099010{number + 1}-000000.db").write_bytes(b"x")
    copy = backups.back_up(database, folder)
    assert copy.exists()
    assert len(backups.backups(folder, "queue")) == backups.KEPT
