"""What the workers do with files: each function is one write transaction, fenced by the claim's token."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.blobs import blobs_of, loosen, results_of
from photo_processor.queue.changes import Change, ended, finish_duplicates, finish_file, finish_job, job_row, noted
from photo_processor.queue.database import Transaction
from photo_processor.queue.former import redone, restored, still_accepted
from photo_processor.queue.records import (
    Claim,
    StoredResult,
    Unpacked,
    claim_from,
    error_text,
    file_error,
    result_values,
)
from photo_processor.schemas import FileError, FileWarning

MAX_CRASHES = 3


def claim(tx: Transaction, token: str) -> tuple[Claim, Change] | None:
    file = tx.one("claim_file", token=token, now=tx.now)
    if file is None:
        return None
    row = tx.one("claim_job", job_id=file["job_id"], now=tx.now)
    if row is None:
        raise AssertionError("a file without its job, inside the write transaction")
    return claim_from(file, row), noted(tx, row, "file_started", [file])


def unpacked(
    tx: Transaction, keep: float, held: Claim, files: Sequence[Unpacked]
) -> tuple[Claim | None, Change | None]:
    """Note where entries of an archive are stored now; `held`'s own is the first of `files`."""
    own, *ahead = files
    waiting = [tx.one("unpack_waiting", **other.values()) for other in ahead]
    file = tx.one("unpack_file", token=held.token, **own.values())
    copies = [row for row in (*waiting, file) if row is not None and row["duplicate_of"]]
    if file is not None and file["duplicate_of"]:
        tx.run("defer_to_twin", id=held.file_id, token=held.token)
        tx.run("release_job", job_id=held.job_id, now=tx.now)
    change = _deferred(tx, keep, held.job_id, copies) if copies else None
    if file is None or file["duplicate_of"]:
        return None, change
    return replace(held, sha256=own.sha256, size=own.size), change


def _deferred(tx: Transaction, keep: float, job_id: str, copies: Sequence[Row]) -> Change:
    """Leave copies to the photos that they are copies of; those that are done already give them their result."""
    for twin in {copy["duplicate_of"] for copy in copies}:
        original = tx.one("get_file", job_id=job_id, file_id=twin)
        if original is not None and original["status"] in ("completed", "failed"):
            finish_duplicates(tx, twin)
    finish_job(tx, job_row(tx, job_id), keep)
    rows = [tx.one("get_file", job_id=job_id, file_id=copy["id"]) for copy in copies]
    return ended(tx, job_id, "files_deferred", [row for row in rows if row])


def complete(tx: Transaction, keep: float, held: Claim, result: StoredResult) -> Change | None:
    before = tx.all("group_of_file", id=held.file_id) if held.attempts > 1 else []
    replaced = [*blobs_of(before), *results_of(tx, [held.file_id])] if before else []
    file = tx.one("complete_file", id=held.file_id, token=held.token, **result_values(result))
    if file is None:
        return None
    if before or file["redoing"]:
        tx.run("clear_outputs", file_id=held.file_id)
    outputs = enumerate(result.outputs)
    tx.many(
        "insert_output",
        [
            {"file_id": held.file_id, "position": index, **output.model_dump(exclude={"url"})}
            for index, output in outputs
        ],
    )
    if file["redoing"]:
        file = still_accepted(tx, redone(tx, file))
    change = finish_file(tx, file, keep, succeeded=1)
    loosen(tx, held.job_id, replaced)
    return change


def complete_and_claim(
    tx: Transaction, keep: float, held: Claim, result: StoredResult, token: str
) -> tuple[Change | None, tuple[Claim, Change] | None]:
    return complete(tx, keep, held, result), claim(tx, token)


def fail(tx: Transaction, keep: float, held: Claim, error: FileError, warnings: Sequence[FileWarning]) -> Change | None:
    texts = json.dumps([warning.model_dump() for warning in warnings])
    file = tx.one("fail_file", id=held.file_id, token=held.token, error=error_text(error), warnings=texts)
    return _failed(tx, keep, file, error) if file else None


def _failed(tx: Transaction, keep: float, file: Row, error: FileError) -> Change:
    """Count a file that failed; where it was done again, it is as it was before."""
    if file["redoing"]:
        return finish_file(tx, restored(tx, file, error), keep, succeeded=1, error=error)
    return finish_file(tx, file, keep, succeeded=0)


def release(tx: Transaction, held: Claim, delay: float, *, counted: bool) -> Change | None:
    refund, at = int(not counted), tx.now + delay
    file = tx.one("release_file", id=held.file_id, token=held.token, available_at=at, refund=refund)
    if file is None:
        return None
    tx.run("release_job", job_id=held.job_id, now=tx.now)
    return ended(tx, held.job_id, "file_released", [file])


def release_all(tx: Transaction) -> list[Change]:
    changes = []
    for file in tx.all("files_in_process"):
        released = tx.one("release_file", id=file["id"], token=file["token"], available_at=tx.now, refund=1)
        tx.run("release_job", job_id=file["job_id"], now=tx.now)
        changes.append(ended(tx, file["job_id"], "file_released", [released or file]))
    return changes


def recover(tx: Transaction, keep: float) -> int:
    files = tx.all("files_in_process")
    for file in files:
        _crash(tx, keep, file, alone=len(files) == 1)
    return len(files)


def crashed(tx: Transaction, keep: float, held: Claim) -> Change | None:
    file = tx.one("get_file", job_id=held.job_id, file_id=held.file_id)
    return _crash(tx, keep, file, alone=True) if file is not None and file["token"] == held.token else None


def _crash(tx: Transaction, keep: float, file: Row, *, alone: bool) -> Change:
    """The process that had the file died: it is done by itself from now on, and blamed after three deaths `alone`."""
    if alone and file["crashed_alone"] + 1 >= MAX_CRASHES:
        error = file_error(errors.CrashedWorker())
        failed = tx.one("fail_file", id=file["id"], token=file["token"], error=error_text(error), warnings="[]")
        return _failed(tx, keep, failed or file, error)
    queued = tx.one("requeue_crashed", id=file["id"], alone=int(alone))
    tx.run("release_job", job_id=file["job_id"], now=tx.now)
    return ended(tx, file["job_id"], "file_recovered", [queued or file])


def is_lost(tx: Transaction, job_id: str, file_id: str) -> bool:
    """Whether the file is completed, and a result that its row names now is not on the disk now."""
    file = tx.one("get_file", job_id=job_id, file_id=file_id)
    if file is None or file["status"] != "completed":
        return False
    return not all(tx.is_stored(job_id, blob) for blob in results_of(tx, [file_id]))


def lost(tx: Transaction, keep: float, job_id: str, file_id: str) -> Change | None:
    if not is_lost(tx, job_id, file_id):
        return None
    others = results_of(tx, [file_id])
    file = tx.one("lose_result", id=file_id, error=error_text(file_error(errors.ResultLost())))
    if file is None:
        return None
    tx.run("clear_outputs", file_id=file_id)
    tx.run("count_lost", job_id=job_id, now=tx.now)
    job = job_row(tx, job_id)
    finish_job(tx, job, keep, again=job["status"] in ("completed", "failed"))
    change = ended(tx, job_id, "file_lost", [file])
    loosen(tx, job_id, others)
    return change


def delete_orphan(tx: Transaction, job_id: str, delete: Callable[[str], bool]) -> bool:
    """Have the folder of a job that has no row deleted, while none can come into being; whether it is gone."""
    return tx.one("get_job", job_id=job_id) is None and delete(job_id)
