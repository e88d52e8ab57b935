"""What form a database has is checked before it is served."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.queue import schema, statements
from photo_processor.queue.database import Database, migrate
from photo_processor.queue.queries import QueueReader

STATES = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
RECIPE = json.dumps({"operations": [], "outputs": [{"name": "full", "format": "png"}]})


def older(path: Path, state: Path) -> None:
    """A database of an earlier form, with one finished photo and its event."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(state.read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO jobs (id, number, name, status, sealed, batch, priority, recipe, total, succeeded, created_at,"
            " updated_at) VALUES ('j', 1, 'Class 4b', 'completed', 1, 0, 1, ?, 1, 1, 1.0, 2.0)",
            (RECIPE,),
        )
        connection.execute(
            "INSERT INTO files (id, job_id, position, name, status, size, sha256)"
            " VALUES ('f', 'j', 1, 'a.jpg', 'completed', 9, 'aa')"
        )
        connection.commit()


@pytest.mark.parametrize("state", STATES, ids=lambda path: path.stem)
async def test_a_database_of_each_earlier_form_opens_with_everything_in_it(tmp_path: Path, state: Path) -> None:
    path = tmp_path / "queue.db"
    older(path, state)
    database = Database(path)
    await database.open()
    try:
        queue = QueueReader(database)
        page = await queue.jobs(None, 10, None)
        assert [job.name for job in page.jobs] == ["Class 4b"]
        assert [file.name for file in (await queue.files("j", None, 10, None)).files] == ["a.jpg"]
        assert (await queue.file("j", "f")).status == "completed"
    finally:
        await database.close()
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        assert schema.fingerprint(connection) == schema.expected(version)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (backup,) = sorted((tmp_path / "backups").glob("queue-*.db"))[:1]
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT name FROM jobs").fetchall() == [("Class 4b",)]


def test_all_earlier_forms_are_known() -> None:
    found = set()
    for state in STATES:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(state.read_text(encoding="utf-8"))
            found.add(schema.fingerprint(connection))
    assert found == schema.LANDED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("PRAGMA user_version = 99", "newer version"),
        ("ALTER TABLE jobs ADD COLUMN mood TEXT", "does not know"),
        ("DROP TABLE events", "does not know"),
        ("PRAGMA user_version = 0", "does not know"),
    ],
)
def test_a_database_of_an_unknown_form_is_refused_after_a_copy(tmp_path: Path, change: str, said: str) -> None:
    path = tmp_path / "queue.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(errors.SchemaUnknown, match=said):
            migrate(path)
    assert path.read_bytes() == before
    (copy,) = (tmp_path / "backups").glob("refused-*.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_the_newest_form_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    migrate(path)
    migrate(path)
    assert not (tmp_path / "backups").exists()
    assert schema.checked(path) == statements.migrations()[-1][0]
