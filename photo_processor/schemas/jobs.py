"""A job, how far it is, and what its subscribers are told."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from photo_processor.schemas.base import Frozen, JobStatus, Priority, Timestamp
from photo_processor.schemas.photos import FileBrief, FileError
from photo_processor.schemas.recipes import Recipe


class Progress(Frozen):
    """Counts of a job's files. `processed` is `succeeded + failed` and never falls while the job runs, unless photos
    are deleted.

    `review` counts the completed ones that a person should look at.
    """

    processed: int
    total: int
    percentage: float
    succeeded: int
    failed: int
    review: int = 0

    @classmethod
    def of(cls, total: int, succeeded: int, failed: int, review: int = 0) -> "Progress":
        """Counts of files, with the percentage to one decimal."""
        processed = succeeded + failed
        percentage = round(100 * processed / total, 1) if total else 0.0
        return cls(
            processed=processed,
            total=total,
            percentage=percentage,
            succeeded=succeeded,
            failed=failed,
            review=review,
        )


class Eta(Frozen):
    """Seconds until the job ends, as a range learnt from photos finished on this machine."""

    low_s: float
    high_s: float
    jobs_ahead: int


class NamesReport(Frozen):
    """What became of the lists of names that came with a job's photos.

    `matched` photos have a row; the lists have 200 entries at most, and `more` counts what they leave out (the manifest
    of the download has all). `problems` says in words what could not be read.
    """

    matched: int = 0
    rows_without_photo: tuple[str, ...] = ()
    photos_without_row: tuple[str, ...] = ()
    more: int = 0
    problems: tuple[str, ...] = ()


class Job(Frozen):
    """One submission, as the wire shows it. `names` is null where no list of names came with the photos."""

    id: str
    name: str
    status: JobStatus
    job_type: Literal["single", "batch"]
    file_count: int
    priority: Priority
    recipe: Recipe
    progress: Progress
    eta: Eta | None = None
    created_at: Timestamp
    updated_at: Timestamp
    expires_at: Timestamp | None
    error: FileError | None = None
    names: NamesReport | None = None
    links: dict[str, str] = Field(default_factory=dict)


class JobPage(Frozen):
    """A page of jobs, newest first; `next` is the id to ask `before=`, or null at the end."""

    jobs: tuple[Job, ...]
    next: str | None


class JobMetadata(Frozen):
    """What an event says of its job."""

    created_at: Timestamp
    updated_at: Timestamp
    job_type: Literal["single", "batch"]
    file_count: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo finished here: the model that made its matte (empty for none), its megapixels, the seconds it took."""

    model: str
    megapixels: float
    seconds: float


class ModelProgress(Frozen):
    """A download of a model that jobs wait for; `percentage` is null while the size is unknown."""

    name: str
    received: int
    total: int | None
    percentage: float | None


class JobEvent(Frozen):
    """A message of `/ws/job/{id}`: the job's state as of event `seq`, the files that changed, and the ids of those that
    were `deleted`."""

    type: Literal["progress"] = "progress"
    job_id: str
    status: JobStatus
    progress: Progress
    metadata: JobMetadata
    error: FileError | None
    seq: int
    snapshot: bool = False
    final: bool = False
    stage: str | None = None
    files: tuple[FileBrief, ...] = ()
    deleted: tuple[str, ...] = ()
    eta: Eta | None = None
    model: ModelProgress | None = None

    def merged(self, newer: "JobEvent") -> "JobEvent":
        """`newer`, with the files that only this event names put before its own; none that was deleted."""
        deleted = dict.fromkeys((*self.deleted, *newer.deleted))
        files = {brief.id: brief for brief in (*self.files, *newer.files) if brief.id not in deleted}
        news = {"files": tuple(files.values()), "deleted": tuple(deleted), "snapshot": self.snapshot}
        return newer.model_copy(update=news)
