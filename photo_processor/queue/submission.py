"""Jobs and files as they come: each function is one write transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.changes import Change, ended, finish_duplicates, finish_job, job_row
from photo_processor.queue.database import Transaction
from photo_processor.queue.names import apply, insert
from photo_processor.queue.records import PRIORITIES, Names, NewFile, error_text
from photo_processor.schemas import Priority, Recipe


@dataclass(frozen=True, slots=True)
class NewJob:
    """A submission. `fingerprint` identifies the request that used `idempotency_key`.

    `apart`: its results depend on the photos' names, so that copies are done each by itself. `waits`: nothing is done
    before it is sealed, since labels need the whole list of names.
    """

    id: str
    name: str
    recipe: Recipe
    priority: Priority = "normal"
    batch: bool = False
    apart: bool = False
    waits: bool = False
    idempotency_key: str | None = None
    fingerprint: str | None = None


def enqueue(tx: Transaction, keep: float, job: NewJob, files: Sequence[NewFile], names: Names, *, seal: bool) -> Change:
    known = tx.one("get_job_by_key", idempotency_key=job.idempotency_key) if job.idempotency_key else None
    if known is not None:
        if known["fingerprint"] != job.fingerprint:
            raise errors.IdempotencyMismatch()
        return Change(known)
    tx.run(
        "insert_job",
        id=job.id,
        name=job.name,
        recipe=job.recipe.model_dump_json(),
        priority=PRIORITIES.index(job.priority),
        batch=int(job.batch or len(files) > 1),
        apart=int(job.apart),
        waits=int(job.waits),
        idempotency_key=job.idempotency_key,
        fingerprint=job.fingerprint,
        now=tx.now,
    )
    _insert(tx, job.id, files, first=0)
    insert(tx, job.id, names)
    if seal and files:
        _sealed(tx, keep, job.id)
    return ended(tx, job.id, "job_created")


def add_files(
    tx: Transaction,
    job_id: str,
    files: Sequence[NewFile],
    names: Names,
    max_files: int,
    key: str | None,
    fingerprint: str | None,
) -> tuple[Change, list[str]]:
    ids = [file.id for file in files]
    job = job_row(tx, job_id)
    known = tx.one("get_addition", job_id=job_id, key=key) if key else None
    if known is not None:
        if known["fingerprint"] not in (None, fingerprint):  # none: before fingerprints were kept
            raise errors.IdempotencyMismatch()
        return Change(job), list(json.loads(known["file_ids"]))
    if job["sealed"]:
        raise errors.Conflict("The job is sealed and takes no more files.")
    if job["total"] + len(files) > max_files:
        raise errors.TooManyFiles(f"A job holds at most {max_files} files.")
    position = tx.one("next_position", job_id=job_id)
    _insert(tx, job_id, files, first=position["position"] if position else 0)
    insert(tx, job_id, names)
    if key:
        tx.run("insert_addition", job_id=job_id, key=key, file_ids=json.dumps(ids), fingerprint=fingerprint)
    rows = [tx.one("get_file", job_id=job_id, file_id=file_id) for file_id in ids]
    return ended(tx, job_id, "files_added", [row for row in rows if row]), ids


def seal(tx: Transaction, keep: float, job_id: str) -> Change:
    job = job_row(tx, job_id)
    if job["sealed"]:
        return Change(job)
    moved = arrange(tx, job_id)
    if _sealed(tx, keep, job_id) is None:
        raise errors.Conflict("The job has no files yet.")
    changed = tx.all("list_files", job_id=job_id, status=None, limit=-1, after=None) if moved or job["names"] else []
    return ended(tx, job_id, "job_sealed", changed)


def seal_idle(tx: Transaction, keep: float, job_id: str, idle: float) -> Change | None:
    """Seal an open job that has photos and was not touched for `idle` seconds; None: it was."""
    job = tx.one("get_job", job_id=job_id)
    if job is None or job["status"] != "receiving" or not job["total"] or job["updated_at"] > tx.now - idle:
        return None
    return seal(tx, keep, job_id)


def arrange(tx: Transaction, job_id: str) -> bool:
    """Put photos that came in several requests into the order in which they were chosen; whether one has moved."""
    files = tx.all("places_of_job", job_id=job_id)
    places = sorted(file["position"] for file in files)
    moved = [
        {"id": file["id"], "position": place}
        for file, place in zip(files, places, strict=True)
        if file["position"] != place
    ]
    tx.many("move_file", moved)
    return bool(tx.all("settle_places", job_id=job_id))


def _sealed(tx: Transaction, keep: float, job_id: str) -> Row | None:
    row = tx.one("seal", job_id=job_id, now=tx.now)
    if row is not None:
        apply(tx, job_id)
    return finish_job(tx, row, keep) if row else None


def _insert(tx: Transaction, job_id: str, files: Sequence[NewFile], first: int) -> None:
    tx.many("insert_file", [_values(file, job_id, first + index) for index, file in enumerate(files)])
    failed = sum(1 for file in files if file.error)
    counted = tx.one(
        "count_inserted",
        job_id=job_id,
        total=len(files),
        queued=len(files) - failed,
        failed=failed,
        batch=int(first + len(files) > 1),
        now=tx.now,
    )
    if counted is None:
        raise errors.Conflict("The job takes no more files.")
    for twin in tx.all("finished_twins", job_id=job_id, first=first):
        finish_duplicates(tx, twin["id"])


def _values(file: NewFile, job_id: str, position: int) -> dict[str, str | int | None]:
    return {
        "id": file.id,
        "job_id": job_id,
        "position": position,
        "chosen": file.chosen,
        "name": file.name,
        "status": "failed" if file.error else "queued",
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "archive": file.archive,
        "entry": file.entry,
        "unscanned": int(file.unscanned),
        "error": error_text(file.error),
    }
