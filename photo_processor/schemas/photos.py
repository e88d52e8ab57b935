"""A photo of a job, and what became of it."""

from datetime import datetime

from pydantic import Field

from photo_processor.schemas.base import FileStatus, Format, Frozen
from photo_processor.schemas.recipes import Recipe


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
    `angle` says by how many degrees clockwise the head leans. Where Face Mesh has measured the face: the point of the
    `chin`, by how many degrees the head is turned to a side (`yaw`) and bowed (`pitch`; raised where negative), and how
    far the lips are apart, in widths of the mouth (`mouth_open`).
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
    chin: tuple[float, float] | None = None
    yaw: float | None = None
    pitch: float | None = None
    mouth_open: float | None = None


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

    `can_retry`: it failed or was cancelled, and its bytes are kept; what was refused on arrival must be sent again.
    `accepted`: a person said that it looks fine.
    `can_undo`: it was done again, or is being so, and what it was before is kept; until it is done, `outputs` are the
    former ones. `revision` is another number where the results are others. `recipe`: its own, where it was done again
    by another than the job's.
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
    can_undo: bool = False
    accepted: bool = False
    revision: int = 0
    facts: PhotoFacts | None = None


class FileNaming(Frozen):
    """What a person calls a photo; what is absent stays. An empty text takes number or caption away."""

    name: str | None = Field(None, min_length=1, max_length=255)
    number: str | None = Field(None, max_length=200)
    caption: str | None = Field(None, max_length=200)


class NameEntry(Frozen):
    """A row of a job's lists of names; `used`: a photo has its number and caption."""

    file: str
    number: str
    caption: str
    used: bool


class NameList(Frozen):
    """The rows of the lists of names that came with a job's photos."""

    rows: tuple[NameEntry, ...] = ()


class FilePage(Frozen):
    """A page of files; `next` is the id to ask `after=`, or null at the end.

    `deleted` are ids of photos that were taken out of the job; the first page alone has them.
    """

    files: tuple[JobFile, ...]
    next: str | None
    deleted: tuple[str, ...] = ()


class FileBrief(Frozen):
    """What an event says of a file; of its review the codes. `index`, `number`, `caption` as `JobFile` has them."""

    id: str
    name: str
    index: int = 1
    number: str | None = None
    caption: str | None = None
    status: FileStatus
    stage: str
    error: FileError | None = None
    warnings: tuple[FileWarning, ...] = ()
    can_retry: bool = False
    can_undo: bool = False
    accepted: bool = False
    revision: int = 0
    review: tuple[str, ...] = ()
