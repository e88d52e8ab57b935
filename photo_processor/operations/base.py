"""What every operation is, and what it may ask of the photo's surroundings."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar, cast

from pydantic import ConfigDict, JsonValue

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace
from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.models.detection.haar import haar_faces
from photo_processor.models.inference.types import NO_HINTS, Hints, Matte
from photo_processor.operations.naming import PhotoName
from photo_processor.schemas import Engine, Face, FileWarning, Frame, Operation, Quality, ReviewItem

T = TypeVar("T")


def no_asset(_name: str, _least: tuple[int, int]) -> Picture:
    """Where no pictures were uploaded."""
    raise errors.AssetNotFound


class MattePredictor(Protocol):
    """What finds the subject of a photo; `models.ModelStore` does."""

    def predict(
        self,
        name: str,
        pixels: Pixels,
        stage: Callable[[str], None],
        quality: Quality = "best",
        hints: Hints = NO_HINTS,
    ) -> Matte:
        """The matte of (H, W, 3) uint8 RGB `pixels` by the model `name`, announcing what it does through `stage`.

        Its engine says whether the model had the `quality` asked for. `hints` say where the subject is.
        """
        ...


@dataclass(frozen=True)
class Known:
    """What an earlier run found in the same photo, to be taken as it is: the mask of the upright source and what made
    it, and the faces."""

    mask: Pixels | None = None
    engine: Engine | None = None
    faces: tuple[Face, ...] | None = None


@dataclass
class Findings:
    """What the operations learnt about one photo; `timings` are the seconds of their parts.

    `frame` is what was cut out by the face, `review` what a person should look at.
    """

    engine: Engine | None = None
    mask: Pixels | None = None
    faces: tuple[Face, ...] | None = None
    frame: Frame | None = None
    review: list[ReviewItem] = field(default_factory=list)
    warnings: list[FileWarning] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The surroundings of one photo's processing. Made for each photo; `findings` fills as the operations run.

    `resolved_model` says which model stands for each name of the recipe (`auto` for one); a name it lacks stands for
    itself. `check` raises Cancelled or TimedOut. `source_size` is (width, height) of the upright source in px.
    `drawn` (H, W) uint8 is the mask of the upright source that a person drew, to be taken for the model's; `known` what
    an earlier run found; `frame` what a person wants cut out by the face. `faces` finds the faces of (H, W, 3) uint8
    RGB, largest first. `assets` gives an uploaded picture by its id, or raises AssetNotFound; of a drawing, with
    so many px in width and height where it can be drawn so large. `step` counts the
    recipe's operations, of which those in `later` are still to come; `part` the pictures that the photo was cut into.
    `name` is what labels may say of the photo. `max_megapixels` is how large a picture may get.
    """

    models: MattePredictor
    assets: Callable[[str, tuple[int, int]], Picture] = no_asset
    faces: Callable[[Pixels], tuple[FoundFace, ...]] = haar_faces
    drawn: Pixels | None = None
    known: Known | None = None
    frame: Frame | None = None
    resolved_model: Mapping[str, str] = field(default_factory=dict)
    stage: Callable[[str], None] = lambda _stage: None
    check: Callable[[], None] = lambda: None
    source_size: tuple[int, int] | None = None
    step: int = 0
    name: PhotoName = field(default_factory=PhotoName)
    part: int = 0
    later: tuple["OperationParams", ...] = ()
    max_megapixels: float = math.inf
    decisions: dict[tuple[int, int], object] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

    def warn(self, code: str, message: str) -> None:
        """Note something the owner of the photo should know; the same thing once."""
        warning = FileWarning(code=code, message=message)
        if warning not in self.findings.warnings:
            self.findings.warnings.append(warning)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the seconds that the block takes to `findings.timings[name]`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.took(name, time.perf_counter() - start)

    def took(self, name: str, seconds: float) -> None:
        """Add to `findings.timings[name]`."""
        self.findings.timings[name] = round(self.findings.timings.get(name, 0.0) + seconds, 4)

    def decided(self, decide: Callable[[], T]) -> T:
        """What `decide` says of the first frame, for all: an animation whose every frame is cropped alike is steady."""
        key = self.step, self.part
        if key not in self.decisions:
            self.decisions[key] = decide()
        return cast(T, self.decisions[key])

    def model(self, name: str) -> str:
        """The model that stands for `name`."""
        return self.resolved_model.get(name, name)


class OperationParams(Operation):
    """Base of the operations: the parameters are the fields, `title` and `summary` name it in forms.

    `op` says which it is; a subclass narrows it to its own name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: ClassVar[str]
    summary: ClassVar[str]
    short: ClassVar[tuple[str, ...]] = ()  # the parameters that a bare value on the command line stands for

    looks_at_faces: ClassVar[bool] = False

    @property
    def tells_apart(self) -> bool:
        """Whether the result depends on more than the photo's bytes: on its name, or its place in the job."""
        return False

    start: ClassVar[Mapping[str, JsonValue]] = {}
    """What a form fills in when the step is switched on, where the defaults alone are refused."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Parameters of which one at least has a value."""
    varies: ClassVar[bool] = False
    """Whether what the photo shows decides how large the result is."""

    @property
    def assets(self) -> frozenset[str]:
        """The ids of the uploaded pictures that this needs."""
        return frozenset()

    def planned(self, width: int, height: int) -> Size:
        """Width and height in px of what it makes of a picture of that size; the most where the size `varies`."""
        return width, height

    def apply(self, picture: Picture, context: Context) -> Picture:
        """A new picture; `picture` is left as it was."""
        raise NotImplementedError

    def apply_all(self, picture: Picture, context: Context) -> tuple[Picture, ...]:
        """The pictures that `picture` becomes: one, but for operations that cut it into several."""
        return (self.apply(picture, context),)
