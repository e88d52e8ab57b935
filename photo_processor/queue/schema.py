"""Which form a database has: its schema's fingerprint, and how older forms of 0.1 become today's."""

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from photo_processor import errors
from photo_processor.queue import backups, statements

# Forms that the first migration had while 0.1 was made. Each only lacks columns, tables or indexes of the next.
LANDED = frozenset(
    {
        "4c8d0b4b41daa9b1ffd3305e6a06a017cc0e8649b5d7be64c2e3a19314e36ac1",
        "f3a792ad4e9cd1e0e73c6c262806c18c90914b1a1aeb3c98a5ac6485d22aff52",
        "4f8a017a4adaea40337a57358a4c46a4d56f721bcfe492cc3e8d8cfed1f4fa41",
        "b7cb665dc5028f1c1e4c21e8b2bf953880d7a32a23241005d6efa186e82f0970",
        "0103b16e2bd48ffd81a4309e9af7c61cc6dfb4ef8d0fa8a6ea2536891121b9a5",
        "50633f83313c6d97b7745bd35a38ce47263e9a3bdf6aac8518f6628ca5c7f6ed",
        "52cf15a2114fca51985143a2ddb845141f7407c13753c777e40066ece8ea44e8",
        "d5344e3dc192c6624949dcbc8f33b8f62d4b571b48b90a14c2ae7eedee0f9eab",
    }
)
_COMMENT = re.compile(r"--[^\n]*")


def fingerprint(connection: sqlite3.Connection) -> str:
    """SHA-256 over the definitions of all tables, indexes and triggers, without comments and white space."""
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    texts = sorted("".join(_COMMENT.sub("", row[0]).split()) for row in rows)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def expected(version: int) -> str:
    """The fingerprint of a database that the migrations up to `version` made."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _build(connection, version)
        return fingerprint(connection)


def checked(path: Path) -> int:
    """The version of the database at `path`, 0 where it is empty; an older form of 0.1 is brought up to its version.

    A copy of the file is in the folder `backups` before anything is changed or refused.

    Raises:
        errors.SchemaUnknown: it was made by a newer version, or by something else.
    """
    newest = statements.migrations()[-1][0]
    with closing(sqlite3.connect(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        found = fingerprint(connection)
    if version <= newest and found == expected(version):
        return version
    if version == 1 and found in LANDED:
        backups.back_up(path, path.parent / "backups")
        _rebuild(path, version)
        return version
    what = (
        f"was made by a newer version (form {version}, this one knows {newest})"
        if version > newest
        else "has a form that this version does not know"
    )
    copy = _copied(path, found)
    raise errors.SchemaUnknown(
        f"The list of jobs, {path.name}, {what}. Nothing was changed; a copy is backups/{copy.name}."
    )


def _copied(path: Path, found: str) -> Path:
    """A copy of a database that is refused, made once."""
    copy = path.parent / "backups" / f"refused-{found[:12]}.db"
    if not copy.exists():
        backups.copy(path, copy)
    return copy


def _build(connection: sqlite3.Connection, version: int) -> None:
    for number, script in statements.migrations():
        if number <= version:
            connection.executescript(script)


def _rebuild(path: Path, version: int) -> None:
    """Put a database of the form of `version` in place of the one at `path`, with everything that is in it."""
    part = path.with_name(f"{path.name}.rebuilt.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(part, isolation_level=None)) as new:
        _build(new, version)
        triggers = new.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        new.execute("ATTACH ? AS old", (str(path),))
        new.execute("BEGIN")
        for name, _ in triggers:  # they keep counts that are copied as they are
            new.execute(f"DROP TRIGGER {name}")
        for (table,) in new.execute("SELECT name FROM old.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(_columns(new, "old", table))
            new.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM old.{table}")  # noqa: S608
        for _, text in triggers:
            new.execute(text)
        new.execute(f"PRAGMA user_version = {version}")
        new.execute("COMMIT")
    part.replace(path)


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({table})")]
