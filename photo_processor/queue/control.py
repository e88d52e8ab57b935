"""What people do to jobs: each function is one write transaction. Doing a thing twice changes nothing."""

import json
from dataclasses import dataclass
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue import names
from photo_processor.queue.blobs import blobs_of, loosen, results_of
from photo_processor.queue.changes import Change, ended, finish_duplicates, job_row
from photo_processor.queue.database import Transaction
from photo_processor.queue.records import PRIORITIES
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


def reprocess(tx: Transaction, job_id: str, recipe: Recipe, apart: bool) -> tuple[Change, list[Blob]]:
    """Queue everything again; also, which blobs the results were in."""
    job = job_row(tx, job_id)
    if job["status"] not in FINAL_STATUSES:
        raise errors.Conflict(f"The job is {job['status']}; a new recipe waits until it has ended.")
    if apart:
        tx.run("part_copies", job_id=job_id)
    files = tx.all("reprocess_files", job_id=job_id)
    if not files:
        raise errors.Conflict("None of the job's photos is kept.")
    results = results_of(tx, [file["id"] for file in files])
    tx.run("clear_job_outputs", job_id=job_id)
    tx.run(
        "reprocess_job", job_id=job_id, recipe=recipe.model_dump_json(), apart=int(apart), count=len(files), now=tx.now
    )
    return ended(tx, job_id, "job_reprocessed", files), results


def reprocess_some(tx: Transaction, job_id: str, redo: Redo) -> tuple[Change, list[Blob]]:
    """Queue some again; also, which blobs the results were in, and the masks that were drawn for them."""
    job = job_row(tx, job_id)
    ids = json.dumps(redo.files)
    files = tx.all("files_among", job_id=job_id, ids=ids)
    if len(files) < len(set(redo.files)):
        raise errors.FileNotFound()
    counts = {status: sum(file["status"] == status for file in files) for status in ("completed", "failed")}
    if tx.one("redo_some", job_id=job_id, succeeded=counts["completed"], failed=counts["failed"], now=tx.now) is None:
        raise errors.Conflict("The job is cancelled.")
    queued = [
        tx.one("reprocess_file", id=file["id"], ids=ids, fresh=redo.model is not None, apart=redo.apart, recipe=recipe)
        for file in files
        for recipe in [redo.recipe_of(Recipe.model_validate_json(file["recipe"] or job["recipe"])).model_dump_json()]
    ]
    if None in queued:
        raise errors.Conflict("A photo among these is not finished, or was refused on arrival and is not kept.")
    loose = [*blobs_of(files), *results_of(tx, [file["id"] for file in files])]
    for file in files:
        tx.run("clear_outputs", file_id=file["id"])
    return ended(tx, job_id, "files_reprocessed", [file for file in queued if file]), loose


def draw_mask(tx: Transaction, job_id: str, file_id: str, digest: str | None) -> Change:
    job_row(tx, job_id)
    known = tx.one("get_file", job_id=job_id, file_id=file_id)
    if known is None:
        raise errors.FileNotFound()
    file = tx.one("draw_mask", job_id=job_id, file_id=file_id, drawn=digest)
    if file is None:
        raise errors.Conflict("Only a finished photo whose background was removed has a mask to draw on.")
    if tx.one("redo_one", job_id=job_id, now=tx.now) is None:
        raise errors.Conflict("The job is cancelled.")
    _clear(tx, known)
    return ended(tx, job_id, "mask_drawn", [file])


def _clear(tx: Transaction, known: Row) -> None:
    """The results of a file are given up; `known` is how it was before."""
    loose = [*blobs_of([known]), *results_of(tx, [known["id"]])]
    tx.run("clear_outputs", file_id=known["id"])
    loosen(tx, known["job_id"], loose)


def want_crop(tx: Transaction, job_id: str, file_id: str, wanted: Frame | None) -> Change:
    """Cut the file out anew, by `wanted` or (None) as the operation does; its outputs go until that is done."""
    job = job_row(tx, job_id)
    known = tx.one("get_file", job_id=job_id, file_id=file_id)
    if known is None:
        raise errors.FileNotFound()
    recipe = Recipe.model_validate_json(known["recipe"] or job["recipe"])
    if CROPS.isdisjoint(step.op for step in recipe.operations):
        raise errors.Conflict("Only a photo that is cropped by its face has a crop to change.")
    text = wanted.model_dump_json() if wanted else None
    file = tx.one("want_crop", job_id=job_id, file_id=file_id, wanted=text)
    if file is None:
        raise errors.Conflict("Only a finished photo can be cropped again.")
    if tx.one("redo_one", job_id=job_id, now=tx.now) is None:
        raise errors.Conflict("The job is cancelled.")
    _clear(tx, known)
    return ended(tx, job_id, "crop_wanted", [file])


def accept(tx: Transaction, job_id: str, file_id: str) -> Change:
    """Say that a finished file looks fine."""
    job = job_row(tx, job_id)
    file = tx.one("get_file", job_id=job_id, file_id=file_id)
    if file is None:
        raise errors.FileNotFound()
    if file["status"] != "completed":
        raise errors.Conflict("Only a finished photo can be accepted.")
    if file["review"] == "[]":
        return Change(job)
    return ended(tx, job_id, "file_accepted", [tx.one("accept_file", job_id=job_id, file_id=file_id) or file])


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
