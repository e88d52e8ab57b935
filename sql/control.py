"""What people do to jobs: each function is one write transaction. Doing a thing twice changes nothing."""

import errors
from schemas import FINAL_STATUSES, Priority, Recipe
from sql.changes import Change, ended, finish_duplicates, job_row
from sql.database import Transaction
from sql.rows import PRIORITIES


def cancel(tx: Transaction, keep: float, job_id: str) -> Change:
    job = job_row(tx, job_id)
    if job["status"] == "cancelled":
        return Change(job)
    if tx.one("cancel_job", job_id=job_id, now=tx.now, expires_at=tx.now + keep) is None:
        raise errors.Conflict("The job has already ended.")
    return ended(tx, job_id, "job_cancelled", tx.all("cancel_files", job_id=job_id))


def switch(tx: Transaction, job_id: str, statement: str, already: str | None, kind: str) -> Change:
    """Run a statement that takes the job from one status to another; in status `already` it is there."""
    job = job_row(tx, job_id)
    if job["status"] == already:
        return Change(job)
    if tx.one(statement, job_id=job_id, now=tx.now) is None:
        raise errors.Conflict(f"The job is {job['status']}.")
    return ended(tx, job_id, kind)


def retry(tx: Transaction, job_id: str, file_id: str | None) -> Change:
    job = job_row(tx, job_id)
    files = [] if job["status"] == "cancelled" else tx.all("retry_files", job_id=job_id, file_id=file_id)
    if not files:
        raise errors.Conflict("No failed photo of this job can be tried again.")
    tx.run("retry_job", job_id=job_id, count=len(files), now=tx.now)
    for twin in tx.all("finished_twins", job_id=job_id, first=0):
        finish_duplicates(tx, twin["id"])
    return ended(tx, job_id, "files_retried", files)


def reprocess(tx: Transaction, job_id: str, recipe: Recipe) -> Change:
    job = job_row(tx, job_id)
    if job["status"] not in FINAL_STATUSES:
        raise errors.Conflict(f"The job is {job['status']}; a new recipe waits until it has ended.")
    files = tx.all("reprocess_files", job_id=job_id)
    if not files:
        raise errors.Conflict("None of the job's photos is kept.")
    tx.run("clear_job_outputs", job_id=job_id)
    tx.run("reprocess_job", job_id=job_id, recipe=recipe.model_dump_json(), count=len(files), now=tx.now)
    return ended(tx, job_id, "job_reprocessed", files)


def draw_mask(tx: Transaction, job_id: str, file_id: str, digest: str | None) -> Change:
    job_row(tx, job_id)
    if tx.one("get_file", job_id=job_id, file_id=file_id) is None:
        raise errors.FileNotFound()
    file = tx.one("draw_mask", job_id=job_id, file_id=file_id, drawn=digest)
    if file is None:
        raise errors.Conflict("Only a finished photo whose background was removed has a mask to draw on.")
    if tx.one("redo_one", job_id=job_id, now=tx.now) is None:
        raise errors.Conflict("The job is cancelled.")
    tx.run("clear_outputs", file_id=file_id)
    return ended(tx, job_id, "mask_drawn", [file])


def change(
    tx: Transaction, keep: float, job_id: str, name: str | None, priority: Priority | None, kept: bool | None
) -> Change:
    job_row(tx, job_id)
    tx.run(
        "change_job",
        job_id=job_id,
        name=name,
        priority=None if priority is None else PRIORITIES.index(priority),
        kept=None if kept is None else int(kept),
        now=tx.now,
        expires_at=tx.now + keep,
    )
    return ended(tx, job_id, "job_changed")


def delete(tx: Transaction, job_id: str) -> None:
    if tx.one("delete_job", job_id=job_id) is None:
        raise errors.JobNotFound()


def expire(tx: Transaction, job_id: str, idle: float) -> bool:
    return tx.one("delete_expired", job_id=job_id, now=tx.now, abandoned=tx.now - idle) is not None
