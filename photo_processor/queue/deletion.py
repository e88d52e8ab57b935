"""Photos taken out of their job: one write transaction, whatever they are and whoever works on them."""

import json
from collections import Counter
from collections.abc import Sequence
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.blobs import blobs_of, results_of
from photo_processor.queue.changes import Change, finish_job, job_row, noted
from photo_processor.queue.database import Transaction
from photo_processor.queue.former import former_blobs
from photo_processor.queue.names import apply
from photo_processor.schemas import FINAL_STATUSES, Blob, all_reduced


def delete_files(tx: Transaction, keep: float, job_id: str, ids: Sequence[str]) -> tuple[Change, list[Blob]]:
    """Forget those of the files that the job has; also, which of their blobs may be wanted no more.

    A worker that has one of them finds its claim void. A job with nothing left to do ends.
    """
    job = job_row(tx, job_id)
    files = tx.all("files_among", job_id=job_id, ids=json.dumps(ids))
    if not files:
        return Change(job), []
    blobs = _blobs(tx, files)
    gone = {file["id"] for file in files}
    for file in files:
        tx.run("delete_file", id=file["id"])
    heirs = [heir for file in files for heir in _heirs(tx, file["id"])]
    counts = Counter(file["status"] for file in files)
    values = {name: counts[name] for name in ("queued", "processing", "completed", "failed")}
    tx.run("count_deleted", job_id=job_id, total=len(files), now=tx.now, **values)
    if job["sealed"] and job["names"] is not None:
        tx.run("unuse_names", job_id=job_id)
        apply(tx, job_id)
    row = tx.one("next_seq", job_id=job_id) or job
    tx.many("insert_deleted", [_tombstone(file, row["seq"]) for file in files])
    row = finish_job(tx, row, keep, again=row["status"] in FINAL_STATUSES)
    changed = [heir for id_ in heirs if (heir := tx.one("get_file", job_id=job_id, file_id=id_))]
    return noted(tx, row, "files_deleted", changed, deleted=sorted(gone)), blobs


def _blobs(tx: Transaction, files: Sequence[Row]) -> list[Blob]:
    """Everything that is stored of files, and perhaps of others as well."""
    ids = [file["id"] for file in files]
    blobs = [*blobs_of(files), *results_of(tx, ids), *former_blobs(tx, ids)]
    for file in files:
        blobs += [Blob("source", file["sha256"])] if file["sha256"] else []
        blobs += [Blob("archive", file["archive"])] if file["archive"] else []
        blobs += all_reduced("source", file["id"])
    return list(dict.fromkeys(blobs))


def _heirs(tx: Transaction, original: str) -> list[str]:
    """Copies of a file that is gone are copies of the first of them: those that wait, and those that are done."""
    copies = tx.all("copies_of_file", id=original)
    heirs = []
    for waiting in (True, False):
        group = [copy["id"] for copy in copies if (copy["status"] == "queued") == waiting]
        if group:
            tx.run("lead_copies", heir=group[0], ids=json.dumps(group))
            heirs.append(group[0])
    return heirs


def _tombstone(file: Row, seq: int) -> dict[str, str | int]:
    return {"job_id": file["job_id"], "file_id": file["id"], "position": file["position"], "seq": seq}


def delete_one(tx: Transaction, keep: float, job_id: str, file_id: str) -> tuple[Change, list[Blob]]:
    """As `delete_files`, of one that has to be there. Raises errors.JobNotFound, errors.FileNotFound."""
    change, blobs = delete_files(tx, keep, job_id, [file_id])
    if change.event is None:
        raise errors.FileNotFound()
    return change, blobs
