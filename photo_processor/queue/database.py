"""SQLite for the queue: one writing connection, read-only connections beside it, migrations."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import aiosqlite

from photo_processor import errors
from photo_processor.queue import backups, schema, statements
from photo_processor.queue.clock import Clock
from photo_processor.schemas import Blob

BUSY_TIMEOUT = 5_000  # milliseconds
READERS = 2
Value = str | int | float | None
P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=aiosqlite.Connection)
Discard = Callable[[str, Sequence[Blob]], None]
IsStored = Callable[[str, Blob], bool]

log = logging.getLogger("photo.database")


def _kept(_job_id: str, _blobs: Sequence[Blob]) -> None:
    """What nothing refers to stays."""


def _never(_job_id: str, _blob: Blob) -> bool:
    """Nothing is stored."""
    return False


class Database:
    """The file `queue.db`: WAL, `synchronous=FULL`, foreign keys on.

    `discard` deletes blobs of a job that nothing refers to any more. It is called on the writer's thread, after the
    commit and before the next transaction, so that none can come to refer to them in between. `is_stored` says, inside
    a transaction, whether a blob is on the disk.
    """

    def __init__(
        self, path: Path, discard: Discard = _kept, is_stored: IsStored = _never, clock: Clock | None = None
    ) -> None:
        self._path = path
        self._clock = clock or Clock()
        self._discard = discard
        self._is_stored = is_stored
        self.is_writable = True  # whether the newest change could be written
        self._queries = statements.queries()
        self._writer: _Writer
        self._readers: list[aiosqlite.Connection] = []
        self._turn = 0

    async def open(self) -> None:
        """Create or migrate the file, then connect.

        Raises:
            sqlite3.DatabaseError: the file is not a database of this server.
        """
        await asyncio.to_thread(migrate, self._path)
        self._writer = await _prepared(_Writer(lambda: sqlite3.connect(self._path, isolation_level=None), 1))
        await self._writer.execute("PRAGMA synchronous = FULL")
        await self._writer.execute("PRAGMA foreign_keys = ON")
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        self._readers = [
            await _prepared(aiosqlite.connect(uri, isolation_level=None, uri=True)) for _ in range(READERS)
        ]

    async def close(self) -> None:
        for connection in (*self._readers, self._writer):
            await connection.close()

    async def write(self, work: Callable[Concatenate["Transaction", P], T], *args: P.args, **named: P.kwargs) -> T:
        """What `work` makes of one write transaction, which runs on the writer's thread from begin to commit.

        So transactions never interleave, and a change costs one visit to that thread instead of one a statement. A
        caller that is cancelled does not stop it. What `work` raises rolls back.
        """

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            leap = self._clock.leap()
            now = self._clock.now() + leap
            open_transaction = Transaction(connection, self._queries, now, self._is_stored)
            try:
                if leap:
                    _shift(open_transaction, leap)
                result = work(open_transaction, *args, **named)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            self._clock.adopt(leap)
            try:
                for job_id, blobs in open_transaction.discarded:
                    self._discard(job_id, blobs)
            except Exception:  # the change is on disk: whoever made it may rely on that
                log.exception("what nothing refers to is left on the disk until the next start")
            return result

        try:
            with _translated():
                result = await self._writer.run(transaction)
        except (errors.StorageFull, errors.StorageUnavailable):
            self.is_writable = False
            raise
        self.is_writable = True
        return result

    def now(self) -> float:
        """Seconds since 1970, as the rows have them."""
        return self._clock.now()

    async def all(self, name: str, /, **values: Value) -> list[sqlite3.Row]:
        """Every row of the named query, from a read-only connection."""
        self._turn = (self._turn + 1) % len(self._readers)
        with _translated():
            rows = await self._readers[self._turn].execute_fetchall(self._queries[name], values)
        return list(rows)

    async def one(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        """The first row of the named query, from a read-only connection."""
        rows = await self.all(name, **values)
        return rows[0] if rows else None


class Transaction:
    """Named statements inside one write transaction, which began at `now`, in seconds since 1970."""

    def __init__(
        self, connection: sqlite3.Connection, queries: Mapping[str, str], now: float, is_stored: IsStored
    ) -> None:
        self._connection = connection
        self._queries = queries
        self.now = now
        self.is_stored = is_stored
        self.discarded: list[tuple[str, Sequence[Blob]]] = []

    def discard(self, job_id: str, blobs: Sequence[Blob]) -> None:
        """Have blobs of a job deleted after the commit."""
        if blobs:
            self.discarded.append((job_id, blobs))

    def all(self, name: str, /, **values: Value) -> list[sqlite3.Row]:
        return self._connection.execute(self._queries[name], values).fetchall()

    def one(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        rows = self.all(name, **values)
        return rows[0] if rows else None

    def run(self, name: str, /, **values: Value) -> None:
        self.all(name, **values)

    def many(self, name: str, rows: Iterable[Mapping[str, Value]]) -> None:
        self._connection.executemany(self._queries[name], rows)


class _Writer(aiosqlite.Connection):
    """A connection whose thread can be given a whole transaction."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return cast(T, await self._execute(work, self._conn))  # type: ignore[no-untyped-call]


def _shift(tx: Transaction, leap: float) -> None:
    """Keep what is left of every span though the clock was set: the time until a job expires, or a photo is due."""
    before = tx.now - leap
    log.warning("the system's clock was set by %+.0f seconds; what expires keeps the time that it had left", leap)
    tx.run("shift_expiry", leap=leap, now=tx.now)
    tx.run("shift_open_jobs", now=tx.now, before=before)
    tx.run("shift_pauses", leap=leap, before=before)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns SQLite's errors about the disk into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise errors.StorageFull() from error
        raise errors.StorageUnavailable() from error


async def _prepared(connection: C) -> C:
    await connection
    connection.row_factory = sqlite3.Row
    await connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    return connection


def migrate(path: Path) -> None:
    """Bring the file at `path` to the newest schema, one transaction for each migration, a backup before each.

    Raises:
        errors.SchemaUnknown: it is not what a version up to this one made.
    """
    version = schema.checked(path)
    is_new = version == 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for number, script in statements.migrations():
            if number <= version:
                continue
            if not is_new:
                backups.back_up(path, path.parent / "backups")
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
            version = number
