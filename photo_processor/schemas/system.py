"""What the server says of itself."""

from photo_processor.schemas.base import Frozen, JobStatus, Timestamp
from photo_processor.schemas.blobs import Kind


class ModelTotals(Frozen):
    """What a model has done here; `mean_s` is the mean of the whole path in seconds."""

    model: str
    runtime: str
    files: int
    mean_s: float | None


class Span(Frozen):
    """Photos that ended, and the jobs they belong to, since a moment."""

    jobs: int
    completed: int
    failed: int


class Totals(Frozen):
    """Counts over all jobs still kept: jobs and files by status, failures by code; the last day and week."""

    today: Span
    week: Span

    jobs: dict[str, int]
    files: dict[str, int]
    source_bytes: int
    models: tuple[ModelTotals, ...]
    failures: dict[str, int]


class Notice(Frozen):
    """Something everybody who uses the server should know."""

    code: str
    message: str


class DoomedJob(Frozen):
    """A job whose time is over."""

    id: str
    name: str
    status: JobStatus
    expires_at: Timestamp | None
    bytes: int


class DoomedFolder(Frozen):
    """A folder that belongs to no job."""

    name: str
    bytes: int


class LooseBlob(Frozen):
    """A file on the disk that no photo of its job has any more."""

    job_id: str
    kind: Kind
    name: str
    bytes: int


class LostResult(Frozen):
    """A completed file whose result is not on the disk."""

    job_id: str
    file_id: str


class UnusedAsset(Frozen):
    """An uploaded picture that no job and no preset names."""

    id: str
    bytes: int


class CleanupReport(Frozen):
    """What a cleanup took away, or with `dry_run` would take."""

    dry_run: bool
    jobs: tuple[DoomedJob, ...]
    orphans: tuple[DoomedFolder, ...]
    loose: tuple[LooseBlob, ...] = ()
    lost: tuple[LostResult, ...]
    assets: tuple[UnusedAsset, ...] = ()
