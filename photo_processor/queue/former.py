"""What photos were before they were done again: kept until the new results are there, then one step back."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Row
from typing import Literal

from photo_processor import errors
from photo_processor.queue.blobs import loosen
from photo_processor.queue.database import Transaction
from photo_processor.queue.records import REVIEW, WARNINGS
from photo_processor.schemas import Blob, FileError, FileWarning, ReviewItem

Slot = Literal["redo", "undo"]


def keep_former(tx: Transaction, job_id: str, ids: Sequence[str] | None = None) -> None:
    """Keep what the completed ones of these files are, of all where `ids` is None: they are about to be done again."""
    values = {"job_id": job_id, "ids": None if ids is None else json.dumps(ids)}
    tx.run("keep_former", **values)
    tx.run("keep_former_blobs", **values)
    tx.run("note_redoing", **values)


def redone(tx: Transaction, file: Row) -> Row:
    """The file, whose new results are there: what it was is one step back now, and what was so before is given up."""
    blobs = former_blobs(tx, [file["id"]], "undo")
    tx.run("forget_former", id=file["id"], slot="undo")
    tx.run("former_is_undo", id=file["id"])
    row = tx.one("note_former", id=file["id"], warnings=None)
    loosen(tx, file["job_id"], blobs)
    return row or file


def restored(tx: Transaction, file: Row, error: FileError | None = None) -> Row:
    """The file as it was before it was done again, which did not come to its end; `error` says why, for a warning."""
    row = _as_before(tx, file["id"], "redo")
    tx.run("forget_former", id=file["id"], slot="redo")
    warnings = None if error is None else _with_warning(row["warnings"], error)
    return tx.one("note_former", id=file["id"], warnings=warnings) or row


def taken_back(tx: Transaction, file: Row) -> Row:
    """The finished file as it was one step before; what it is now is one step back instead.

    Raises:
        errors.Conflict: the former results have vanished from the disk.
    """
    blobs = former_blobs(tx, [file["id"]], "undo")
    if not all(tx.is_stored(file["job_id"], blob) for blob in blobs if blob.kind == "result"):
        raise errors.Conflict("The former results have vanished from the disk.")
    keep_former(tx, file["job_id"], [file["id"]])
    row = _as_before(tx, file["id"], "undo")
    tx.run("forget_former", id=file["id"], slot="undo")
    tx.run("former_is_undo", id=file["id"])
    return tx.one("note_former", id=file["id"], warnings=None) or row


def _as_before(tx: Transaction, file_id: str, slot: Slot) -> Row:
    row = tx.one("restore_former", id=file_id, slot=slot)
    if row is None:
        raise AssertionError("a file is marked as done again, and nothing of it is kept")
    tx.run("clear_outputs", file_id=file_id)
    tx.run("restore_outputs", id=file_id, slot=slot)
    return row


def former_blobs(tx: Transaction, ids: Iterable[str], slot: Slot | None = None) -> list[Blob]:
    """What is stored of the former results of files."""
    rows = tx.all("former_blobs_of", ids=json.dumps(list(ids)), slot=slot)
    return [Blob(row["kind"], row["key"]) for row in rows]


def _with_warning(text: str, error: FileError) -> str:
    said = " ".join(part for part in (error.message, error.hint) if part)
    warning = FileWarning(code="redo_failed", message=f"Doing it again failed, so the former result is kept: {said}")
    others = [other for other in WARNINGS.validate_json(text) if other.code != warning.code]
    return WARNINGS.dump_json((*others, warning)).decode()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a person said looks fine, and of which mask and crop."""

    items: tuple[ReviewItem, ...]
    mask: str | None
    crop: str | None

    @classmethod
    def of(cls, file: Row) -> "Accepted | None":
        if not file["accepted"]:
            return None
        value = json.loads(file["accepted"])
        return cls(REVIEW.validate_python(value["items"]), value["mask"], value["crop"])

    def text(self) -> str:
        items = [item.model_dump() for item in self.items]
        return json.dumps({"items": items, "mask": self.mask, "crop": self.crop})

    def is_of(self, file: Row) -> bool:
        return (self.mask, self.crop) == (file["mask"], file["crop"])


def accepted_text(file: Row) -> str:
    """The column `accepted` of a file that looks fine as it is."""
    earlier = Accepted.of(file)
    items = REVIEW.validate_json(file["review"])
    if earlier and earlier.is_of(file):
        items = (*(item for item in earlier.items if item.code not in {new.code for new in items}), *items)
    return Accepted(items, file["mask"], file["crop"]).text()


def still_accepted(tx: Transaction, file: Row) -> Row:
    """The file that was done again, without the doubts of its review that a person has settled for the same picture."""
    accepted = Accepted.of(file)
    if accepted is None:
        return file
    if not accepted.is_of(file):
        return tx.one("set_review", id=file["id"], review=file["review"], accepted=None) or file
    settled = {item.code for item in accepted.items}
    left = tuple(item for item in REVIEW.validate_json(file["review"]) if item.code not in settled)
    text = REVIEW.dump_json(left).decode()
    return tx.one("set_review", id=file["id"], review=text, accepted=file["accepted"]) or file


def undone(tx: Transaction, job_id: str, files: Sequence[Row]) -> list[Row]:
    """Those of the files that were done again, or are being so, as they were before; the job's counts follow.

    Raises:
        errors.Conflict: nothing is kept of any of them.
    """
    again = [file for file in files if file["redoing"]]
    ended = [file for file in files if file["status"] in ("completed", "failed")]
    back = [file for file in ended if file["undoable"] and not file["redoing"]]
    if not again and not back:
        raise errors.Conflict("Nothing that these photos were before is kept.")
    counts = Counter(file["status"] for file in (*again, *back))
    rows = [*(restored(tx, file) for file in again), *(taken_back(tx, file) for file in back)]
    values = {status: counts[status] for status in ("queued", "processing", "failed")}
    tx.run("count_undone", job_id=job_id, now=tx.now, **values)
    return rows
