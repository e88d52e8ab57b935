"""The statements that run for each photo cost the same in a job of ten as in one of ten thousand."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from photo_processor.queue import statements

PER_PHOTO = {
    "claim_file": "files_by_status (job_id=? AND status=?)",
    "claim_job": "sqlite_autoindex_jobs_1 (id=?)",
    "unpack_file": "files_by_digest (job_id=? AND sha256=?)",
    "insert_file": "files_by_digest (job_id=? AND sha256=?)",
    "complete_file": "sqlite_autoindex_files_1 (id=?)",
    "fail_file": "sqlite_autoindex_files_1 (id=?)",
    "finish_duplicates": "files_duplicates (duplicate_of=?)",
    "count_finished": "sqlite_autoindex_jobs_1 (id=?)",
    "get_job": "sqlite_autoindex_jobs_1 (id=?)",
}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for _, script in statements.migrations():
        connection.executescript(script)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, name: str) -> list[str]:
    statement = statements.queries()[name]
    values = dict.fromkeys(re.findall(r":(\w+)", statement))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", PER_PHOTO)
def test_statement_for_each_photo_finds_its_rows_by_index(connection: sqlite3.Connection, name: str) -> None:
    steps = plan(connection, name)
    assert any(PER_PHOTO[name] in step for step in steps), steps
    assert not any(re.match(r"SCAN (files|f|twin|copy|done)\b", step) for step in steps), steps


def test_every_statement_is_valid(connection: sqlite3.Connection) -> None:
    for name in statements.queries():
        plan(connection, name)
