"""Sources and results on disk: one folder a job, each blob named by the SHA-256 of its bytes, written atomically."""

import errno
import hashlib
import logging
import os
import re
import secrets
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self, get_args

from photo_processor import errors
from photo_processor.schemas import Blob, Kind

SWEPT: frozenset[Kind] = frozenset(get_args(Kind)) - {"urls"}  # kinds that no row refers to any more some day
PART = ".part"
MARKER = ".photo-processor"  # in a data folder: it is ours
MARKER_TEXT = "This folder belongs to the photo processor: it keeps jobs and photos here, and cleans up by itself.\n"
_OURS = frozenset(  # that may lie in a folder before its first start
    {"backups", "compiled", "keys.json", "lost+found", "mattes", "models", "presets.json", "server.key", "server.lock"}
    | {"server.url", ".gitignore", ".gitkeep"}
)
_FOLDERS = ("assets", "incoming", "jobs", "trash")
_JOB = re.compile(r"^[0-9a-f]{32}$")
_TEMPORARY = re.compile(r"^\.?[0-9a-f]{16}(?:\.part)?$")  # the names that `secrets.token_hex(8)` gives
CHUNK = 1 << 20  # bytes

log = logging.getLogger("photo.storage")


class Storage:
    """The data folder.

    Every method may raise `errors.StorageFull` or `errors.StorageUnavailable`; none needs the event loop.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._jobs = root / "jobs"
        self._incoming = root / "incoming"
        self._trash = root / "trash"
        self._lock = threading.Lock()
        self._held: Counter[tuple[str, Blob]] = Counter()
        self._unwanted: set[tuple[str, Blob]] = set()  # that were to be discarded while they were held
        self._users: Counter[str] = Counter()  # by job: those who hold blobs of it, or are about to store some
        self._deleted: set[str] = set()  # jobs whose folder goes with the last of their users

    def claim(self) -> None:
        """Make the data folder ours: a new or empty one, or one that an earlier version made, gets the marker file.

        Raises:
            errors.DataFolderForeign: it holds what this server did not put there.
            OSError: it cannot be made or written.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        marker = self.root / MARKER
        if not marker.exists():
            if not _is_ours(self.root):
                raise errors.DataFolderForeign(
                    f"The data folder {self.root} holds files that this server did not put there; nothing was touched."
                )
            marker.write_text(MARKER_TEXT, encoding="utf-8")
        with suppress(PermissionError):  # it may be another user's that lets us write
            self.root.chmod(0o700)

    def prepare(self) -> None:
        """Make the folders, and clear what an earlier run left half-done; what we did not name stays."""
        with translated():
            for folder in (self._jobs, self._incoming, self._trash):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self._incoming, self._trash):
                for path in folder.iterdir():
                    if _TEMPORARY.match(path.name):
                        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            for part in self._jobs.glob(f"*/*/*{PART}"):
                if _TEMPORARY.match(part.name):
                    part.unlink(missing_ok=True)

    def job_folders(self, before: float) -> frozenset[str]:
        """Names of the job folders last touched before that moment, in seconds since 1970."""
        with translated():
            ours = (folder for folder in self._jobs.iterdir() if _JOB.match(folder.name))
            return frozenset(folder.name for folder in ours if folder.stat().st_mtime < before)

    def url_lists(self) -> list[Path]:
        """Of the jobs whose photos are still being fetched from URLs."""
        with translated():
            return sorted(path for path in self._jobs.glob("*/urls/*") if not path.name.endswith(PART))

    def job_bytes(self, job_id: str) -> int:
        """Bytes that a job takes on the disk; what goes meanwhile counts for nothing."""
        size = 0
        for folder, _, names in os.walk(self._jobs / job_id):
            for name in names:
                with suppress(OSError):
                    size += Path(folder, name).stat().st_size
        return size

    def incoming(self) -> Path:
        """A new path for bytes on their way in; `keep` or delete it."""
        return self._incoming / (secrets.token_hex(8) + PART)

    def path(self, job_id: str, kind: Kind, digest: str) -> Path:
        """Where a blob is, or would be."""
        return self._jobs / job_id / kind / digest

    def has(self, job_id: str, blob: Blob) -> bool:
        """Whether the blob is on the disk."""
        return self.path(job_id, *blob).exists()

    def keep(self, part: Path, job_id: str, kind: Kind, digest: str) -> Path:
        """Make a written file the blob `digest`."""
        self.keep_all([(part, digest)], job_id, kind)
        return self.path(job_id, kind, digest)

    def keep_all(self, parts: Sequence[tuple[Path, str]], job_id: str, kind: Kind) -> None:
        """Make each written file the blob of its digest: flushed to disk, then renamed, then the folder flushed."""
        folder = self._jobs / job_id / kind
        with translated():
            folder.mkdir(parents=True, exist_ok=True)
            for part, digest in parts:
                _flush(part)
                part.replace(folder / digest)
            _flush(folder)

    def put(self, data: bytes, job_id: str, kind: Kind) -> str:
        """Store `data`; returns its digest."""
        digest = hashlib.sha256(data).hexdigest()
        self.put_as(data, job_id, kind, digest)
        return digest

    def put_as(self, data: bytes, job_id: str, kind: Kind, name: str) -> None:
        """Store `data` under a name of its own.

        Thumbnails are not flushed: a flush takes longer than most of them took to make, and they can be made again.
        """
        folder = self._jobs / f"{job_id}/{kind}"
        part = folder / f"{secrets.token_hex(8)}{PART}"
        flushed = kind != "thumbnail"
        with translated():
            try:
                _write(part, data, flushed=flushed)
                part.replace(folder / name)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            if flushed:
                _flush(folder)

    def discard(self, job_id: str, blobs: Iterable[Blob]) -> None:
        """Delete blobs that nothing refers to, but for those that are held: these wait for `release`.

        Whoever has one open reads on. What cannot be deleted is left for the next start.
        """
        for blob in blobs:
            with self._lock:
                if self._held[job_id, blob]:
                    self._unwanted.add((job_id, blob))
                    continue
                del self._held[job_id, blob]
                try:
                    self.path(job_id, *blob).unlink(missing_ok=True)
                except OSError as problem:
                    log.warning("job=%s a %s could not be deleted: %s", job_id, blob.kind, problem.strerror)

    def hold(self, job_id: str, blobs: Iterable[Blob]) -> None:
        """Keep blobs from being discarded: they are being read, or a row that names them is about to be written."""
        with self._lock:
            self._held.update((job_id, blob) for blob in blobs)

    def enter(self, job_id: str) -> None:
        """Keep the job's folder, whatever happens to the job, until as many have called `leave`."""
        with self._lock:
            self._users[job_id] += 1

    def leave(self, job_id: str) -> None:
        """The end of `enter`: the folder goes where the job was deleted meanwhile."""
        with self._lock:
            self._users[job_id] -= 1
            if self._users[job_id] > 0:
                return
            del self._users[job_id]
            if job_id not in self._deleted:
                return
            self._deleted.remove(job_id)
            trashed = self._moved_away(job_id)
        if trashed is not None:
            # Seconds, of a job of 10,000 photos; what a stop interrupts is cleared at the next start.
            threading.Thread(target=shutil.rmtree, args=(trashed, True), daemon=True).start()

    def release(self, job_id: str, blobs: Iterable[Blob]) -> list[Blob]:
        """The end of `hold`; those of them that were to be discarded meanwhile, for another look at who needs them."""
        unwanted = []
        with self._lock:
            for blob in blobs:
                key = (job_id, blob)
                self._held[key] -= 1
                if self._held[key] > 0:
                    continue
                del self._held[key]
                if key in self._unwanted:
                    self._unwanted.remove(key)
                    unwanted.append(blob)
        return unwanted

    def blobs(self, job_id: str, before: float) -> list[tuple[Blob, int]]:
        """The job's blobs that were written before that moment, in seconds since 1970, with their bytes."""
        found = []
        with translated():
            for kind in sorted(SWEPT):
                folder = self._jobs / job_id / kind
                for entry in os.scandir(folder) if folder.is_dir() else ():
                    with suppress(FileNotFoundError):
                        state = entry.stat()
                        if state.st_mtime < before and not entry.name.endswith(PART):
                            found.append((Blob(kind, entry.name), state.st_size))
        return found

    def delete_job(self, job_id: str) -> None:
        """Everything of the job goes, in one step as seen from outside; while it is used, with its last user."""
        with self._lock:
            if self._users[job_id]:
                self._deleted.add(job_id)
                return
        self.delete_unused(job_id)

    def delete_unused(self, job_id: str) -> bool:
        """As `delete_job`, unless somebody uses it; whether it is gone."""
        with self._lock:
            if self._users[job_id]:
                return False
            del self._users[job_id]
            trashed = self._moved_away(job_id)
        if trashed is not None:
            shutil.rmtree(trashed, ignore_errors=True)
        return True

    def _moved_away(self, job_id: str) -> Path | None:
        trashed = self._trash / secrets.token_hex(8)
        with translated():
            try:
                (self._jobs / job_id).replace(trashed)
            except FileNotFoundError:
                return None
        return trashed

    def free_bytes(self) -> int:
        with translated():
            return shutil.disk_usage(self.root).free


class Shelf:
    """What is stored of a job before a row names it: held until the shelf is closed, which is when it does.

    The job's folder stays meanwhile, though the job may have no row yet, or none any more.
    """

    def __init__(self, storage: Storage, job_id: str) -> None:
        self._storage = storage
        self.job_id = job_id
        self.blobs: list[Blob] = []
        self.kept = False  # whether rows name all of them
        self._closed = False
        storage.enter(job_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, data: bytes, kind: Kind) -> str:
        """As `Storage.put`."""
        digest = hashlib.sha256(data).hexdigest()
        self._hold(Blob(kind, digest))
        self._storage.put_as(data, self.job_id, kind, digest)
        return digest

    def put_as(self, data: bytes, blob: Blob) -> None:
        """As `Storage.put_as`."""
        self._hold(blob)
        self._storage.put_as(data, self.job_id, *blob)

    def keep_all(self, parts: Sequence[tuple[Path, str]], kind: Kind) -> None:
        """As `Storage.keep_all`."""
        for _, digest in parts:
            self._hold(Blob(kind, digest))
        self._storage.keep_all(parts, self.job_id, kind)

    def keep(self, part: Path, kind: Kind, digest: str) -> None:
        """As `Storage.keep`."""
        self.keep_all([(part, digest)], kind)

    def _hold(self, blob: Blob) -> None:
        if self._closed:
            raise errors.Cancelled()  # a thread that was given up comes too late
        self._storage.hold(self.job_id, [blob])
        self.blobs.append(blob)

    def close(self) -> list[Blob]:
        """Release everything; what was to be discarded meanwhile. Closing it again does nothing."""
        if self._closed:
            return []
        self._closed = True
        blobs, self.blobs = self.blobs, []
        unwanted = self._storage.release(self.job_id, blobs)
        self._storage.leave(self.job_id)
        return unwanted


def _is_ours(root: Path) -> bool:
    """Whether a folder without a marker is empty, prepared for us, or an earlier version's."""
    names = {path.name for path in root.iterdir()}
    if "queue.db" in names:
        return _is_queue(root / "queue.db") or any(root.glob("backups/queue-*.db"))
    empty = {name for name in names.intersection(_FOLDERS) if not any((root / name).iterdir())}
    return names <= _OURS | empty


def _is_queue(path: Path) -> bool:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {"jobs", "files", "outputs", "events"} <= tables
    return False


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or, as seen from outside, not at all; the folder may be new."""
    part = path.parent / f".{secrets.token_hex(8)}{PART}"
    try:
        _write(part, data, flushed=True)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(path: Path, data: bytes, *, flushed: bool) -> None:
    """Write a new file, in a folder that may be new as well."""
    try:
        file = path.open("xb", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb", buffering=0)
    with file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        if flushed:
            os.fsync(file.fileno())


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def translated(folder: Path | None = None) -> Iterator[None]:
    """Turns the operating system's errors into ours; `folder` is named to whoever runs a command, never to a client."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise errors.StorageFull(f"The disk of {folder} is full." if folder else None) from error
        said = f"The folder {folder} cannot be read or written: {error.strerror}." if folder else None
        raise errors.StorageUnavailable(said) from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
