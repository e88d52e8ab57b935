"""What people do to jobs: each function is one write transaction. Doing a thing twice changes nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue import names
from photo_processor.queue.blobs import blobs_of
from photo_processor.queue.changes import Change, ended, finish_duplicates, finish_job, job_row, settle_recipe
from photo_processor.queue.database import Transaction
from photo_processor.queue.former import Accepted, accepted_text, keep_former, restored, undone
from photo_processor.queue.records import PRIORITIES, REVIEW
from photo_processor.schemas import FINAL_STATUSES, Blob, FileNaming, Frame, Priority, Recipe

CROPS = frozenset({"crop_face", "id_photo"})  # operations that cut a photo out by its face
REMOVES = frozenset({"remove_background", "id_photo"})  # operations that have a model


@dataclass(frozen=True, slots=True)
class Redo:
    """Photos to do again, by their ids: by `recipe`, else as they were done; with `model`, by that one in any case.

    `apart`: as `NewJob`'s.
    """

    files: tuple[str, ...]
    recipe: Recipe | None
    model: str | None
    apart: bool = False

    def recipe_of(self, last: Recipe) -> Recipe:
        """What a photo is done by that was last done by `last`."""
        recipe = self.recipe or last
        if self.model is None:
            return recipe
        if REMOVES.isdisjoint(step.op for step in recipe.operations):
            raise errors.Conflict("No background is removed from this photo, so no model works on it.")
        steps = [
            step.model_copy(update={"model": self.model}) if step.op in REMOVES else step for step in recipe.operations
        ]
        return recipe.model_copy(update={"operations": tuple(steps)})


def cancel(tx: Transaction, keep: float, job_id: str) -> Change:
    """Photos that were to be done again are as they were; a job that had no others to do has not been cancelled."""
    job = job_row(tx, job_id)
    if job["status"] == "cancelled":
        return Change(job)
    if tx.one("cancel_job", job_id=job_id, now=tx.now, expires_at=tx.now + keep) is None:
        raise errors.Conflict("The job has already ended.")
    files = tx.all("cancel_files", job_id=job_id)
    redone = sum(file["redoing"] for file in files)
    files = [restored(tx, file) if file["redoing"] else file for file in files]
    if redone:
        tx.run("end_cancelled_redo", job_id=job_id, count=redone, whole=redone == len(files))
        settle_recipe(tx, job_id)
    return ended(tx, job_id, "job_cancelled", files)


def switch(tx: Transaction, job_id: str, statement: str, already: str | None, kind: str) -> Change:
    """Run a statement that takes the job from one status to another; in status `already` it is there."""
    job = job_row(tx, job_id)
    if job["status"] == already:
        return Change(job)
    if tx.one(statement, job_id=job_id, now=tx.now) is None:
        raise errors.Conflict(f"The job is {job['status']}.")
    return ended(tx, job_id, kind)


def retry(tx: Transaction, job_id: str, file_id: str | None) -> Change:
    """Queue what failed or was cancelled again, of which the bytes are kept."""
    job_row(tx, job_id)
    ready = tx.all("files_to_retry", job_id=job_id, file_id=file_id)
    if not ready:
        raise errors.Conflict("No failed or cancelled photo of this job can be tried again.")
    failed = sum(file["status"] == "failed" for file in ready)
    files = tx.all("retry_files", ids=json.dumps([file["id"] for file in ready]))
    tx.run("retry_job", job_id=job_id, count=len(files), failed=failed, now=tx.now)
    for twin in tx.all("finished_twins", job_id=job_id, first=0):
        finish_duplicates(tx, twin["id"])
    return ended(tx, job_id, "files_retried", files)


def reprocess(tx: Transaction, job_id: str, recipe: Recipe, apart: bool) -> Change:
    """Queue everything again; what is completed keeps its results until the new ones are there."""
    job = job_row(tx, job_id)
    if job["status"] not in FINAL_STATUSES:
        raise errors.Conflict(f"The job is {job['status']}; a new recipe waits until it has ended.")
    if apart:
        tx.run("part_copies", job_id=job_id)
    keep_former(tx, job_id)
    files = tx.all("reprocess_files", job_id=job_id)
    if not files:
        raise errors.Conflict("None of the job's photos is kept.")
    tx.run(
        "reprocess_job", job_id=job_id, recipe=recipe.model_dump_json(), apart=int(apart), count=len(files), now=tx.now
    )
    return ended(tx, job_id, "job_reprocessed", files)


def reprocess_some(tx: Transaction, job_id: str, redo: Redo) -> tuple[Change, list[Blob]]:
    """Queue some again; what is completed keeps its results until the new ones are there. Also, which masks that were
    drawn may be wanted no more."""
    job = job_row(tx, job_id)
    ids = json.dumps(redo.files)
    files = tx.all("files_among", job_id=job_id, ids=ids)
    if len(files) < len(set(redo.files)):
        raise errors.FileNotFound()
    counts = {status: sum(file["status"] == status for file in files) for status in ("completed", "failed")}
    tx.run("redo_some", job_id=job_id, succeeded=counts["completed"], failed=counts["failed"], now=tx.now)
    keep_former(tx, job_id, redo.files)
    queued = [
        tx.one("reprocess_file", id=file["id"], ids=ids, fresh=redo.model is not None, apart=redo.apart, recipe=recipe)
        for file in files
        for recipe in [redo.recipe_of(Recipe.model_validate_json(file["recipe"] or job["recipe"])).model_dump_json()]
    ]
    if None in queued:
        raise errors.Conflict("A photo among these is not finished, or was refused on arrival and is not kept.")
    return ended(tx, job_id, "files_reprocessed", [file for file in queued if file]), blobs_of(files)


def draw_mask(tx: Transaction, job_id: str, file_id: str, digest: str | None) -> Change:
    job_row(tx, job_id)
    if tx.one("get_file", job_id=job_id, file_id=file_id) is None:
        raise errors.FileNotFound()
    keep_former(tx, job_id, [file_id])
    file = tx.one("draw_mask", job_id=job_id, file_id=file_id, drawn=digest)
    if file is None:
        raise errors.Conflict("Only a finished photo whose background was removed has a mask to draw on.")
    tx.run("redo_one", job_id=job_id, now=tx.now)
    return ended(tx, job_id, "mask_drawn", [file])


def want_crop(tx: Transaction, job_id: str, file_id: str, wanted: Frame | None) -> Change:
    """Cut the file out anew, by `wanted` or (None) as the operation does; its outputs stay until that is done."""
    job = job_row(tx, job_id)
    known = tx.one("get_file", job_id=job_id, file_id=file_id)
    if known is None:
        raise errors.FileNotFound()
    recipe = Recipe.model_validate_json(known["recipe"] or job["recipe"])
    if CROPS.isdisjoint(step.op for step in recipe.operations):
        raise errors.Conflict("Only a photo that is cropped by its face has a crop to change.")
    text = wanted.model_dump_json() if wanted else None
    keep_former(tx, job_id, [file_id])
    file = tx.one("want_crop", job_id=job_id, file_id=file_id, wanted=text)
    if file is None:
        raise errors.Conflict("Only a finished photo can be cropped again.")
    tx.run("redo_one", job_id=job_id, now=tx.now)
    return ended(tx, job_id, "crop_wanted", [file])


def accept(tx: Transaction, job_id: str, file_id: str) -> Change:
    """Say that a finished file looks fine."""
    job = job_row(tx, job_id)
    file = tx.one("get_file", job_id=job_id, file_id=file_id)
    if file is None:
        raise errors.FileNotFound()
    if file["status"] != "completed":
        raise errors.Conflict("Only a finished photo can be accepted.")
    accepted = _accepted(tx, file)
    return Change(job) if accepted is None else ended(tx, job_id, "file_accepted", [accepted])


def unaccept(tx: Transaction, job_id: str, file_id: str) -> Change:
    """Take back that a finished file looks fine: what was to be looked at is so again."""
    job = job_row(tx, job_id)
    file = tx.one("get_file", job_id=job_id, file_id=file_id)
    if file is None:
        raise errors.FileNotFound()
    taken_back = _unaccepted(tx, file)
    return Change(job) if taken_back is None else ended(tx, job_id, "file_unaccepted", [taken_back])


def accept_some(tx: Transaction, job_id: str, ids: Sequence[str], accepted: bool) -> Change:
    """Say of files that they look fine, or take that back; of those that this can be said of."""
    job = job_row(tx, job_id)
    files = tx.all("files_among", job_id=job_id, ids=json.dumps(ids))
    change = _accepted if accepted else _unaccepted
    changed = [after for file in files if (after := change(tx, file)) is not None]
    kind = "files_accepted" if accepted else "files_unaccepted"
    return ended(tx, job_id, kind, changed) if changed else Change(job)


def _accepted(tx: Transaction, file: Row) -> Row | None:
    """The file with nothing left to look at; None where nothing was."""
    settled = file["review"] == "[]" and (file["warnings"] == "[]" or file["accepted"])
    if settled or file["status"] != "completed":
        return None
    return tx.one("accept_file", job_id=file["job_id"], file_id=file["id"], accepted=accepted_text(file))


def _unaccepted(tx: Transaction, file: Row) -> Row | None:
    """The file with what was to be looked at; None where nobody has accepted that."""
    accepted = Accepted.of(file)
    if accepted is None or file["status"] != "completed":
        return None
    items = {item.code: item for item in (*accepted.items, *REVIEW.validate_json(file["review"]))}
    review = REVIEW.dump_json(tuple(items.values())).decode()
    return tx.one("set_review", id=file["id"], review=review, accepted=None)


def undo(tx: Transaction, keep: float, job_id: str, ids: Sequence[str] | None) -> Change:
    """Photos as they were before they were done again, all of the job where `ids` is None; and what waits for them."""
    job = job_row(tx, job_id)
    if ids is None:
        files = tx.all("list_files", job_id=job_id, status=None, limit=-1, after=None)
    else:
        files = tx.all("files_among", job_id=job_id, ids=json.dumps(_with_copies(tx, ids)))
        if len({file["id"] for file in files} & set(ids)) < len(set(ids)):
            raise errors.FileNotFound()
    rows = undone(tx, job_id, files)
    for twin in tx.all("finished_twins", job_id=job_id, first=0):
        rows += finish_duplicates(tx, twin["id"])[0]
    settle_recipe(tx, job_id)
    job = job_row(tx, job_id)
    finish_job(tx, job, keep, again=job["status"] in ("completed", "failed"))
    return ended(tx, job_id, "files_undone", rows)


def _with_copies(tx: Transaction, ids: Sequence[str]) -> list[str]:
    """The ids, and those of copies that are to be done again with them."""
    return [*ids, *(row["id"] for row in tx.all("copies_done_again", ids=json.dumps(ids)))]


def name_file(tx: Transaction, job_id: str, file_id: str, name: str, naming: FileNaming) -> Change:
    """Call a photo by `name`, and by the number and caption of `naming`."""
    job_row(tx, job_id)
    return ended(tx, job_id, "file_named", [names.name_file(tx, job_id, file_id, name, naming)])


def name_results(tx: Transaction, job_id: str, recipe: Recipe) -> Change:
    """Call the results as `recipe` does, which is otherwise the job's."""
    job_row(tx, job_id)
    tx.run("name_results", job_id=job_id, recipe=recipe.model_dump_json(), now=tx.now)
    tx.run("name_own_results", job_id=job_id)
    return ended(tx, job_id, "job_changed")


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
