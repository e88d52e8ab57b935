"""The types that travel between the rooms and over the wire. All frozen; unknown fields are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SerializeAsAny

JobStatus = Literal["receiving", "queued", "processing", "paused", "completed", "failed", "cancelled"]
FileStatus = Literal["queued", "processing", "completed", "failed", "cancelled"]
Priority = Literal["high", "normal", "batch"]
Quality = Literal["best", "balanced", "fast"]
Format = Literal["png", "webp", "jpeg", "avif", "tiff", "svg"]
OutputKind = Literal["picture", "mask"]

FINAL_STATUSES: frozenset[str] = frozenset({"completed", "failed", "cancelled"})

WAITING = "waiting"
STAGES = (
    WAITING,
    "unpacking",
    "reading the photo",
    "downloading the model",
    "loading the model",
    "removing background",
    "matting the edge",
    "replacing the background",
    "drawing the shadow",
    "drawing the mark",
    "finding the face",
    "turning",
    "cropping",
    "resizing",
    "adjusting colours",
    "removing noise",
    "saving",
    "done",
    "failed",
    "cancelled",
)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[datetime, PlainSerializer(_iso, return_type=str, when_used="json")]


class Frozen(BaseModel):
    """Base of every type here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OutputSpec(Frozen):
    """One encoded result of a photo."""

    name: str = Field(
        "full",
        title="Name",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="Names the result in addresses and the ZIP.",
    )
    format: Format = Field(
        "png",
        title="Format",
        description="File format. JPEG has no transparency; SVG is the outline of the subject, for cutting machines.",
    )
    kind: OutputKind = Field(
        "picture",
        title="What",
        description="The `picture`, or its `mask`: white where the subject is, as a grey file.",
        json_schema_extra={"x-group": "More"},
    )
    width: int | None = Field(
        None,
        ge=1,
        le=20_000,
        title="Width",
        description="Most px across; left open, as wide as the picture is. Nothing is enlarged.",
        json_schema_extra={"x-unit": "px"},
    )
    height: int | None = Field(
        None,
        ge=1,
        le=20_000,
        title="Height",
        description="Most px down; left open, as high as the picture is. Nothing is enlarged.",
        json_schema_extra={"x-unit": "px"},
    )
    mode: Literal["fit", "fill", "stretch"] = Field(
        "fit",
        title="Size",
        description="`fit` lies within width and height, `fill` covers both and is cut, `stretch` takes both exactly.",
        json_schema_extra={"x-group": "More"},
    )
    quality: int = Field(
        90, ge=1, le=100, title="Quality", description="For WebP, JPEG and AVIF, from 1 (small) to 100 (best)."
    )
    lossless: bool = Field(
        False,
        title="Lossless",
        description="For WebP: keep every pixel as it is.",
        json_schema_extra={"x-group": "More"},
    )
    background: str = Field(
        "#ffffff",
        pattern=r"^#[0-9a-fA-F]{6}$",
        title="Background",
        description="For JPEG: the colour behind what is transparent.",
        json_schema_extra={"x-control": "color"},
    )
    dpi: float | None = Field(
        None,
        ge=1,
        le=65_535,
        title="Resolution",
        description="For PNG, JPEG and TIFF: how large the picture prints; left open, as the photo says.",
        json_schema_extra={"x-group": "More", "x-unit": "dpi"},
    )
    max_bytes: int | None = Field(
        None,
        ge=1_000,
        title="Most bytes",
        description="The quality is lowered until the file is no larger. What cannot be made so small (PNG, TIFF and "
        "lossless WebP have no quality to lower) gets the warning `budget_missed`.",
        json_schema_extra={"x-unit": "bytes"},
    )
    keep_metadata: bool = Field(
        False,
        title="Keep metadata",
        description="Keep the photo's EXIF: camera, settings, time, author, copyright. Place, serial numbers and "
        "maker's notes are dropped all the same.",
        json_schema_extra={"x-group": "More"},
    )
    frames: Literal["first", "all"] = Field(
        "first",
        title="Frames",
        description="Of an animation or a document of several pages: the `first`, or `all` for WebP, PNG, AVIF and "
        "TIFF.",
        json_schema_extra={"x-group": "More"},
    )
    progressive: bool = Field(
        True,
        title="Progressive",
        description="For JPEG: shows coarsely at once, then finer.",
        json_schema_extra={"x-group": "More"},
    )
    chroma: Literal["auto", "full", "half"] = Field(
        "auto",
        title="Colour detail",
        description="For JPEG and AVIF: `full`, or `half` in both directions; `auto` is full from quality 90 on in "
        "JPEG, half in AVIF.",
        json_schema_extra={"x-group": "More"},
    )
    speed: int = Field(
        9,
        ge=0,
        le=10,
        title="AVIF speed",
        description="From 0 (slowest, smallest) to 10; 6 takes ten times as long as 9 and saves 5 %.",
        json_schema_extra={"x-group": "More"},
    )
    compression: Literal["lzw", "deflate", "none"] = Field(
        "lzw",
        title="TIFF compression",
        description="All keep every pixel; `deflate` is smallest, `none` fastest.",
        json_schema_extra={"x-group": "More"},
    )
    tolerance: float = Field(
        0.5,
        ge=0,
        le=20,
        title="Outline's tolerance",
        description="For SVG: how far the outline may stray from the mask's, for fewer corners.",
        json_schema_extra={"x-group": "More", "x-unit": "px"},
    )
    suffix: str | None = Field(
        None,
        pattern=r"^[\w .()@-]{0,40}$",
        title="Name's ending",
        description="What a file's name ends with, such as `-small`; left open, the output's name where there are "
        "several.",
        json_schema_extra={"x-group": "More"},
    )


class Operation(Frozen):
    """One step of a recipe. The steps themselves, with their parameters, are the classes of `operations`."""

    model_config = ConfigDict(extra="allow")

    op: str


class Recipe(Frozen):
    """What to do with each photo: operations in order, then outputs. As stored; `operations.parse_recipe` checks it."""

    operations: tuple[SerializeAsAny[Operation], ...] = Field((), max_length=20)
    outputs: tuple[OutputSpec, ...] = Field((OutputSpec(),), max_length=20)
    naming: str | None = Field(
        None,
        max_length=200,
        title="Names",
        description="What results are called, with folders: `{folder}/{number}_{output}`. Fields: `{name}`, `{file}`, "
        "`{folder}`, `{date}`, `{index:03}`, `{number}`, `{caption}`, `{output}`; left open, the photo's own name.",
    )


class FileError(Frozen):
    """Why a file or job failed: a stable code, a sentence for people, and what to do."""

    code: str
    message: str
    hint: str | None = None


class FileWarning(Frozen):
    """Something the owner of the photo should know; the file completed all the same."""

    code: str
    message: str


class Engine(Frozen):
    """What made the matte."""

    model: str
    runtime: str
    quality: str


class Face(Frozen):
    """A face as found, in px of the upright source, origin top left; `score` is the detector's own, or null.

    `landmarks` are [x, y] of the pupils, the nose's tip and the mouth's corners, the left ones of an upright photo
    first; null where the detector has none. `eyes` are the pupils, where they were found by other means as well;
    `angle` says by how many degrees clockwise the head leans.
    """

    x: int
    y: int
    width: int
    height: int
    detector: str
    score: float | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None
    eyes: tuple[tuple[float, float], ...] | None = None
    angle: float = 0.0


class Frame(Frozen):
    """The part of a photo that was cut out, in px of the upright source.

    `centre` is [x, y] of its middle, `width` and `height` its sides. `angle` turns it as the operation `rotate` does:
    the photo turned clockwise by so many degrees shows the frame level. `manual`: a person chose it.
    """

    centre: tuple[float, float]
    width: float
    height: float
    angle: float = 0.0
    manual: bool = False


class CropRequest(Frozen):
    """The part of a photo that a person wants cut out, in px of the upright source; `angle` as in `Frame`.

    `height` may be left open: it then follows the shape of the crop there was, and of the operation.
    """

    centre: tuple[float, float]
    width: float = Field(gt=0, le=200_000)
    height: float | None = Field(None, gt=0, le=200_000)
    angle: float = Field(0.0, ge=-360, le=360)


class ReviewItem(Frozen):
    """Something about a photo that a person should look at: what was measured, and the range it should lie in."""

    code: str
    message: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None


class Output(Frozen):
    """One encoded result: `width`, `height` in px, `bytes` its size; `face` numbers those of a photo of several."""

    name: str
    format: Format
    width: int
    height: int
    bytes: int
    sha256: str
    url: str = ""
    face: int | None = None


class Asset(Frozen):
    """An uploaded picture that recipes may name, `asset:` and its id; `width`, `height` in px, upright."""

    id: str
    width: int
    height: int
    bytes: int
    media_type: str


class Progress(Frozen):
    """Counts of a job's files. `processed` is `succeeded + failed` and never falls while the job runs.

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


class Shot(Frozen):
    """How a photo was taken, by its EXIF: `taken` by the camera's clock; degrees, north and east positive; metres."""

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    taken: datetime | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: float | None = None
    focal_length_mm: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None


class PhotoQuality(Frozen):
    """Measures of a photo; docs/facts.md has the formula, range and source of each."""

    sharpness: float
    contrast: float
    brightness: float
    colourfulness: float
    megapixels: float


class PhotoFacts(Frozen):
    """What is known of a photo itself, whatever is made of it. `phash`: 64 bits as 16 hex digits."""

    format: str
    mode: str
    exif: Shot | None = None
    phash: str
    quality: PhotoQuality


class JobFile(Frozen):
    """One photo of a job. `size` in bytes; `width`, `height` of the upright source in px, once decoded.

    `can_retry`: it failed, and its bytes are kept; what was refused on arrival must be sent again. `recipe`: its own,
    where it was done again by another than the job's.
    `index` is its place in the job, from 1; `taken` when, by the camera's clock; `number` and `caption` are those of
    the list of names that came with the photos, null where that does not name it.
    `crop` is what `crop_face` or `id_photo` cut out; `review` what a person should look at, empty where nothing is.
    """

    id: str
    name: str
    index: int = 1
    number: str | None = None
    caption: str | None = None
    taken: datetime | None = None
    status: FileStatus
    stage: str
    size: int
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    engine: Engine | None = None
    outputs: tuple[Output, ...] = ()
    faces: tuple[Face, ...] | None = None
    crop: Frame | None = None
    review: tuple[ReviewItem, ...] = ()
    warnings: tuple[FileWarning, ...] = ()
    error: FileError | None = None
    duplicate_of: str | None = None
    timings: dict[str, float] = Field(default_factory=dict)
    attempts: int = 0
    recipe: Recipe | None = None
    can_retry: bool = False
    facts: PhotoFacts | None = None


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


class FilePage(Frozen):
    """A page of files; `next` is the id to ask `after=`, or null at the end."""

    files: tuple[JobFile, ...]
    next: str | None


class FileBrief(Frozen):
    """What an event says of a file; of its review the codes."""

    id: str
    name: str
    status: FileStatus
    stage: str
    error: FileError | None = None
    warnings: tuple[FileWarning, ...] = ()
    can_retry: bool = False
    review: tuple[str, ...] = ()


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
    """A message of `/ws/job/{id}`: the job's state as of event `seq`, and the files that changed."""

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
    eta: Eta | None = None
    model: ModelProgress | None = None

    def merged(self, newer: "JobEvent") -> "JobEvent":
        """`newer`, with the files that only this event names put before its own."""
        files = {brief.id: brief for brief in (*self.files, *newer.files)}
        return newer.model_copy(update={"files": tuple(files.values()), "snapshot": self.snapshot})


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


class LostResult(Frozen):
    """A completed file whose result is not on the disk."""

    job_id: str
    file_id: str


class CleanupReport(Frozen):
    """What a cleanup took away, or with `dry_run` would take."""

    dry_run: bool
    jobs: tuple[DoomedJob, ...]
    orphans: tuple[DoomedFolder, ...]
    lost: tuple[LostResult, ...]


class Problem(Frozen):
    """RFC 9457 problem details, with the stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    errors: tuple[dict[str, str], ...] = ()


def brief(file: JobFile) -> FileBrief:
    """What an event says of `file`."""
    return FileBrief(
        id=file.id,
        name=file.name,
        status=file.status,
        stage=file.stage,
        error=file.error,
        warnings=file.warnings,
        can_retry=file.can_retry,
        review=tuple(item.code for item in file.review),
    )


def pointer(location: Sequence[str | int]) -> str:
    """RFC 6901 JSON pointer of a location inside a document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
