"""What changes of the queue share: every one ends numbered, with its event on disk, and says what to publish."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.database import Transaction
from photo_processor.queue.former import redone, restored, still_accepted
from photo_processor.queue.records import error_from, error_text, event_from, file_error
from photo_processor.schemas import FileError, JobEvent


@dataclass(frozen=True, slots=True)
class Change:
    """A job after a change, and what its subscribers are told; no event: everything was so already."""

    row: Row
    event: JobEvent | None = None


def job_row(tx: Transaction, job_id: str) -> Row:
    """Raises errors.JobNotFound."""
    row = tx.one("get_job", job_id=job_id)
    if row is None:
        raise errors.JobNotFound()
    return row


def ended(tx: Transaction, job_id: str, kind: str, files: Sequence[Row] = ()) -> Change:
    """Number the change, then note it."""
    row = tx.one("next_seq", job_id=job_id)
    if row is None:
        raise errors.JobNotFound()
    return noted(tx, row, kind, files)


def noted(tx: Transaction, row: Row, kind: str, files: Sequence[Row], deleted: Sequence[str] = ()) -> Change:
    """Write the event of a change that is numbered already; `deleted` are ids of files that are gone by it."""
    payload = json.dumps({"status": row["status"], "file_ids": [file["id"] for file in files]})
    tx.run("insert_event", job_id=row["id"], seq=row["seq"], type=kind, payload=payload)
    return Change(row, event_from(row, files, deleted=deleted))


def finish_file(tx: Transaction, file: Row, keep: float, *, succeeded: int, error: FileError | None = None) -> Change:
    """Count a file that is done, and its copies; end its job where it was the last. `keep`: as `finish_job`.

    `error`: the file was to be done again, which failed; it is as it was before.
    """
    row = tx.one("count_finished", job_id=file["job_id"], now=tx.now, succeeded=succeeded, failed=1 - succeeded)
    if row is None:
        raise AssertionError("a file without its job, inside the write transaction")
    copies, counted = fail_duplicates(tx, file["id"], error) if error else finish_duplicates(tx, file["id"])
    row = finish_job(tx, counted or row, keep)
    return noted(tx, row, f"file_{file['status']}", [file, *copies])


def finish_duplicates(tx: Transaction, original: str) -> tuple[list[Row], Row | None]:
    """Give the copies of a finished file its result; the copies, and their job where there were any."""
    copies = tx.all("finish_duplicates", id=original)
    if not copies:
        return [], None
    done = copies[0]["status"] == "completed"
    if done:
        copies = [_with_outputs(tx, original, copy) for copy in copies]
    else:
        copies = [restored(tx, copy, error_from(copy["error"])) if copy["redoing"] else copy for copy in copies]
    return copies, _counted(tx, copies)


def _with_outputs(tx: Transaction, original: str, copy: Row) -> Row:
    """A copy that is done by now, with the outputs of its original."""
    if copy["redoing"]:
        tx.run("clear_outputs", file_id=copy["id"])
    tx.run("copy_outputs", id=original, copy=copy["id"])
    return still_accepted(tx, redone(tx, copy)) if copy["redoing"] else copy


def fail_duplicates(tx: Transaction, original: str, error: FileError) -> tuple[list[Row], Row | None]:
    """End the copies of a file that could not be done again: as they were, or failed."""
    copies = tx.all("fail_duplicates", id=original, error=error_text(error))
    copies = [restored(tx, copy, error) if copy["redoing"] else copy for copy in copies]
    return copies, _counted(tx, copies)


def _counted(tx: Transaction, copies: Sequence[Row]) -> Row | None:
    if not copies:
        return None
    succeeded = sum(copy["status"] == "completed" for copy in copies)
    counts = {"succeeded": succeeded, "failed": len(copies) - succeeded}
    return tx.one("count_duplicates", job_id=copies[0]["job_id"], count=len(copies), **counts)


def finish_job(tx: Transaction, job: Row, keep: float, *, again: bool = False) -> Row:
    """End the job where nothing of it is left to do, to be kept for `keep` seconds; the job as it is then.

    `again`: one that has ended may end otherwise now.
    """
    if not job["sealed"] or job["queued"] or job["running"]:
        return job
    first = tx.one("first_error", job_id=job["id"]) if job["succeeded"] == 0 else None
    error = first["error"] if first else None
    if job["total"] > 1:
        detail = f"None of the {job['total']} photos could be processed."
        error = error_text(file_error(errors.AllFilesFailed(detail)))
    values = {"error": error, "now": tx.now, "expires_at": tx.now + keep, "again": again}
    row = tx.one("finish_job", job_id=job["id"], **values)
    if row is None:
        return job
    return settle_recipe(tx, row["id"]) or row


def settle_recipe(tx: Transaction, job_id: str) -> Row | None:
    """Make the recipe that all photos of a job were made by its own, where that is another. None: it is not."""
    row = tx.one("settle_recipe", job_id=job_id)
    if row is not None:
        tx.run("settle_recipes_of_files", job_id=job_id)
    return row
