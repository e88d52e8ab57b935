"""SQLite for the queue: one writing connection behind a lock, read-only connections beside it, migrations."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiosqlite

import errors
import sql
from sql import backups

BUSY_TIMEOUT = 5_000  # milliseconds
READERS = 2
Value = str | int | float | None


class Database:
    """The file `queue.db`: WAL, `synchronous=FULL`, foreign keys on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = sql.queries()
        self._lock = asyncio.Lock()
        self._writer: aiosqlite.Connection
        self._readers: list[aiosqlite.Connection] = []
        self._turn = 0

    async def open(self) -> None:
        """Create or migrate the file, then connect.

        Raises:
            sqlite3.DatabaseError: the file is not a database of this server.
        """
        await asyncio.to_thread(migrate, self._path)
        self._writer = await _connect(str(self._path))
        await self._writer.execute("PRAGMA synchronous = FULL")
        await self._writer.execute("PRAGMA foreign_keys = ON")
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        self._readers = [await _connect(uri) for _ in range(READERS)]

    async def close(self) -> None:
        for connection in (*self._readers, self._writer):
            await connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction"]:
        """One write transaction at a time: a rollback on the shared connection would undo a neighbour's insert."""
        async with self._lock:
            with _translated():
                await self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._writer, self._queries)
                    await asyncio.shield(self._writer.commit())
                except BaseException:
                    await asyncio.shield(self._writer.rollback())
                    raise

    async def all(self, name: str, /, **values: Value) -> list[sqlite3.Row]:
        """Every row of the named query, from a read-only connection."""
        self._turn = (self._turn + 1) % len(self._readers)
        rows = await self._readers[self._turn].execute_fetchall(self._queries[name], values)
        return list(rows)

    async def one(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        """The first row of the named query, from a read-only connection."""
        rows = await self.all(name, **values)
        return rows[0] if rows else None


class Transaction:
    """Named statements inside one write transaction."""

    def __init__(self, connection: aiosqlite.Connection, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._queries = queries

    async def all(self, name: str, /, **values: Value) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(self._queries[name], values))

    async def one(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        rows = await self.all(name, **values)
        return rows[0] if rows else None

    async def run(self, name: str, /, **values: Value) -> int:
        """Rows changed by the named statement."""
        cursor = await self._connection.execute(self._queries[name], values)
        return cursor.rowcount

    async def many(self, name: str, rows: Iterable[Mapping[str, Value]]) -> None:
        await self._connection.executemany(self._queries[name], rows)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns SQLite's errors about the disk into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise errors.StorageFull() from error
        raise errors.StorageUnavailable() from error


async def _connect(target: str) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(target, isolation_level=None, uri=target.startswith("file:"))
    connection.row_factory = sqlite3.Row
    await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    return connection


def migrate(path: Path) -> None:
    """Bring the file at `path` to the newest schema, one transaction for each migration, a backup before each."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for number, script in sql.migrations():
            if number <= version:
                continue
            if version:
                backups.back_up(path, path.parent / "backups")
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
            version = number
    finally:
        connection.close()
