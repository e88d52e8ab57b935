"""Rows of the queue's tables as the types of `schemas`, and back."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Row

from pydantic import TypeAdapter

from photo_processor import errors
from photo_processor.schemas import (
    FINAL_STATUSES,
    WAITING,
    Engine,
    Face,
    FileBrief,
    FileError,
    FileWarning,
    Frame,
    Job,
    JobEvent,
    JobFile,
    JobMetadata,
    ModelTotals,
    NamesReport,
    Output,
    PhotoFacts,
    Priority,
    Progress,
    Recipe,
    ReviewItem,
    Span,
    Totals,
)

PRIORITIES: tuple[Priority, ...] = ("batch", "normal", "high")


def new_id() -> str:
    """An id for a job or file: 32 hex digits."""
    return uuid.uuid4().hex


_FACES = TypeAdapter(tuple[Face, ...])
REVIEW = TypeAdapter(tuple[ReviewItem, ...])
WARNINGS = TypeAdapter(tuple[FileWarning, ...])
_STAGES = {"queued": WAITING, "processing": "reading the photo", "completed": "done"}
UNSCANNED = FileWarning(
    code="not_scanned", message="The virus scanner did not answer when this photo came in; it was not scanned."
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A photo as it enters the queue; with `error`, one that was refused on arrival.

    Its bytes are the stored source `sha256`, or entry number `entry` of the stored ZIP `archive`. `unscanned`: the
    virus scanner was away. `chosen`: its place among the photos as a person chose them, where the client says it.
    """

    id: str
    name: str
    size: int
    media_type: str | None = None
    sha256: str | None = None
    archive: str | None = None
    entry: int | None = None
    error: FileError | None = None
    unscanned: bool = False
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class NameRow:
    """A row of a list of names: the photo `file`, perhaps with folders, has this number and caption."""

    file: str
    number: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """The lists of names that came with photos, and in plain words what could not be read of them."""

    rows: tuple[NameRow, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One file taken by one worker. Every later word on it carries `token`; a claim that was cancelled says nothing.

    `drawn` is the digest of the mask that a person drew for it; `index` its place in the job, from 1; `created_at`
    when that came, in seconds since 1970; `number` and `caption` are those of the list of names.
    `crop` is what a person wants cut out; where it is done again for that alone, `mask`, `engine` and `faces` are what
    was found before.
    """

    token: str
    job_id: str
    file_id: str
    name: str
    recipe: str
    size: int
    sha256: str | None
    archive: str | None
    entry: int | None
    attempts: int
    drawn: str | None = None
    index: int = 1
    created_at: float = 0.0
    number: str = ""
    caption: str = ""
    crop: Frame | None = None
    mask: str | None = None
    engine: Engine | None = None
    faces: tuple[Face, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Entry number `entry` of an archive, of `size` bytes; `sha256` and `media_type` once it is stored."""

    file_id: str
    entry: int
    size: int
    sha256: str = ""
    media_type: str = ""

    def values(self) -> dict[str, str | int]:
        """The columns of `unpack_file`."""
        return {"id": self.file_id, "sha256": self.sha256, "size": self.size, "media_type": self.media_type}


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What a worker made of a file; the pictures are stored already. `width`, `height`: px of the upright source."""

    width: int
    height: int
    outputs: tuple[Output, ...]
    mask: str | None
    thumbnail: str
    engine: Engine | None
    faces: tuple[Face, ...] | None
    warnings: tuple[FileWarning, ...]
    timings: dict[str, float]
    facts: PhotoFacts | None = None
    crop: Frame | None = None
    review: tuple[ReviewItem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a file's bytes are: digests of stored blobs, and its place in the ZIP `archive` until it is unpacked."""

    name: str
    finished: bool
    media_type: str | None
    sha256: str | None
    archive: str | None
    entry: int | None
    mask: str | None
    thumbnail: str | None


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def claim_from(file: Row, job: Row) -> Claim:
    return Claim(
        token=file["token"],
        job_id=file["job_id"],
        file_id=file["id"],
        name=file["name"],
        recipe=file["recipe"] or job["recipe"],
        size=file["size"],
        sha256=file["sha256"],
        archive=file["archive"],
        entry=file["entry"],
        attempts=file["attempts"],
        drawn=file["drawn"],
        index=file["position"] + 1,
        created_at=job["created_at"],
        number=file["number"] or "",
        caption=file["caption"] or "",
        crop=_frame(file["wanted"]),
        mask=file["mask"] if file["keeps"] else None,
        engine=_engine(file["engine"]) if file["keeps"] else None,
        faces=_faces(file["faces"]) if file["keeps"] else None,
    )


def _frame(text: str | None) -> Frame | None:
    return Frame.model_validate_json(text) if text else None


def _engine(text: str | None) -> Engine | None:
    return Engine.model_validate_json(text) if text else None


def _faces(text: str | None) -> tuple[Face, ...] | None:
    return _FACES.validate_json(text) if text else None


def stored_from(row: Row) -> StoredFile:
    return StoredFile(
        name=row["name"],
        finished=row["status"] in FINAL_STATUSES,
        media_type=row["media_type"],
        sha256=row["sha256"],
        archive=row["archive"],
        entry=row["entry"],
        mask=row["mask"],
        thumbnail=row["thumbnail"],
    )


def span_from(row: Row) -> Span:
    return Span(jobs=row["jobs"], completed=row["completed"], failed=row["failed"])


def totals_from(
    today: Row, week: Row, jobs: Sequence[Row], files: Sequence[Row], models: Sequence[Row], failures: Sequence[Row]
) -> Totals:
    return Totals(
        today=span_from(today),
        week=span_from(week),
        jobs={row["status"]: row["jobs"] for row in jobs},
        files={row["status"]: row["files"] for row in files},
        source_bytes=sum(row["bytes"] for row in files),
        models=tuple(ModelTotals(**dict(row)) for row in models),
        failures={row["code"]: row["files"] for row in failures},
    )


def progress_from(row: Row) -> Progress:
    return Progress.of(row["total"], row["succeeded"], row["failed"], row["review"])


def error_from(text: str | None) -> FileError | None:
    return FileError.model_validate_json(text) if text else None


def file_error(error: errors.PhotoError) -> FileError:
    """What a failed file says of `error`."""
    return FileError(code=error.code, message=error.detail, hint=error.hint)


def error_text(error: FileError | None) -> str | None:
    return error.model_dump_json() if error else None


def job_from(row: Row) -> Job:
    base = f"/api/jobs/{row['id']}"
    return Job(
        id=row["id"],
        name=row["name"],
        status=row["status"],
        job_type="batch" if row["batch"] else "single",
        file_count=row["total"],
        priority=PRIORITIES[row["priority"]],
        recipe=Recipe.model_validate_json(row["recipe"]),
        progress=progress_from(row),
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        expires_at=moment(row["expires_at"]) if row["expires_at"] else None,
        error=error_from(row["error"]),
        names=NamesReport.model_validate_json(row["names"]) if row["names"] else None,
        links={
            "self": base,
            "files": f"{base}/files",
            "download": f"{base}/download",
            "events": f"/ws/job/{row['id']}",
        },
    )


def output_from(row: Row, job_id: str) -> Output:
    return Output(
        name=row["name"],
        format=row["format"],
        width=row["width"],
        height=row["height"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        url=f"/api/jobs/{job_id}/files/{row['file_id']}/result/{row['name']}",
        face=row["face"],
    )


def file_from(row: Row, outputs: Iterable[Row] = (), *, facts: bool = False) -> JobFile:
    """The file as the wire shows it, with what is known of the photo where that is asked for."""
    return JobFile(
        id=row["id"],
        name=row["name"],
        index=row["position"] + 1,
        number=row["number"],
        caption=row["caption"],
        taken=row["taken"],
        status=row["status"],
        stage=_STAGES.get(row["status"], row["status"]),
        size=row["size"],
        width=row["width"],
        height=row["height"],
        sha256=row["sha256"],
        engine=_engine(row["engine"]),
        outputs=tuple(output_from(output, row["job_id"]) for output in outputs),
        faces=_faces(row["faces"]),
        crop=_frame(row["crop"]),
        review=REVIEW.validate_json(row["review"]) if row["status"] == "completed" else (),
        warnings=(*WARNINGS.validate_json(row["warnings"]), *((UNSCANNED,) if row["unscanned"] else ())),
        error=error_from(row["error"]),
        duplicate_of=row["duplicate_of"],
        timings=json.loads(row["timings"]),
        attempts=row["attempts"],
        recipe=Recipe.model_validate_json(row["recipe"]) if row["recipe"] else None,
        can_retry=row["status"] in ("failed", "cancelled") and bool(row["sha256"] or row["archive"]),
        can_undo=bool(row["redoing"] or row["undoable"]),
        accepted=row["accepted"] is not None,
        revision=row["revision"],
        facts=PhotoFacts.model_validate_json(row["facts"]) if facts and row["facts"] else None,
    )


def brief_from(row: Row) -> FileBrief:
    """What an event says of the file; its other columns are not read."""
    warnings = () if row["warnings"] == "[]" else WARNINGS.validate_json(row["warnings"])
    is_reviewed = row["status"] == "completed" and row["review"] != "[]"
    return FileBrief(
        id=row["id"],
        name=row["name"],
        index=row["position"] + 1,
        number=row["number"],
        caption=row["caption"],
        status=row["status"],
        stage=_STAGES.get(row["status"], row["status"]),
        error=error_from(row["error"]),
        warnings=(*warnings, *((UNSCANNED,) if row["unscanned"] else ())),
        can_retry=row["status"] in ("failed", "cancelled") and bool(row["sha256"] or row["archive"]),
        can_undo=bool(row["redoing"] or row["undoable"]),
        accepted=row["accepted"] is not None,
        revision=row["revision"],
        review=tuple(item.code for item in REVIEW.validate_json(row["review"])) if is_reviewed else (),
    )


def event_from(job: Row, files: Sequence[Row], *, snapshot: bool = False, deleted: Sequence[str] = ()) -> JobEvent:
    """The job's state as a message, with what `files` are now, and the ids of those that are `deleted`."""
    return JobEvent(
        job_id=job["id"],
        status=job["status"],
        progress=progress_from(job),
        metadata=JobMetadata(
            created_at=moment(job["created_at"]),
            updated_at=moment(job["updated_at"]),
            job_type="batch" if job["batch"] else "single",
            file_count=job["total"],
        ),
        error=error_from(job["error"]),
        seq=job["seq"],
        snapshot=snapshot,
        final=job["status"] in FINAL_STATUSES,
        files=tuple(map(brief_from, files)),
        deleted=tuple(deleted),
    )


def result_values(result: StoredResult) -> dict[str, str | int | None]:
    """The columns of `complete_file`."""
    facts = result.facts
    shot = facts.exif if facts else None
    return {
        "width": result.width,
        "height": result.height,
        "engine": result.engine.model_dump_json() if result.engine else None,
        "faces": None if result.faces is None else _FACES.dump_json(result.faces).decode(),
        "crop": result.crop.model_dump_json() if result.crop else None,
        "review": REVIEW.dump_json(result.review).decode(),
        "warnings": WARNINGS.dump_json(result.warnings).decode(),
        "timings": json.dumps(result.timings),
        "mask": result.mask,
        "thumbnail": result.thumbnail,
        "facts": facts.model_dump_json(exclude_none=True) if facts else None,
        "taken": shot.taken.isoformat() if shot and shot.taken else None,
    }
