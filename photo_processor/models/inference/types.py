"""What the models say of themselves and of a photo."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, Protocol

import numpy as np

from photo_processor.imaging.geometry import Box
from photo_processor.imaging.pictures import Pixels as Pixels
from photo_processor.imaging.reduction import enlarged
from photo_processor.schemas import Engine, FileError, FileWarning, Frozen, ModelProgress

State = Literal["built_in", "installed", "missing", "downloading", "failed"]


class Optimised(Frozen):
    """What is known of a network's form for this machine.

    `percentage` of its `step` while it is being made. `gain` says how many times as fast it is, `seconds` against
    `original_seconds` for one inference; `iou` how well its masks agree with the original's on crops that it was not
    calibrated on, in the mean and at worst; `reason` why it is not used.
    """

    state: Literal["running", "paused", "ready", "rejected", "failed"]
    step: str | None = None
    percentage: float | None = None
    gain: float | None = None
    seconds: float | None = None
    original_seconds: float | None = None
    iou: float | None = None
    least_iou: float | None = None
    reason: str | None = None


class ModelInfo(Frozen):
    """A model, as `/api/models` shows it. `bytes` and `digest` are null where nobody has said them.

    `verified` says whether the installed file's digest is one of the registry's; null before it was looked at.
    `runtime` is what runs it, or would. `optimisable` says whether it can be optimised here and now.
    """

    name: str
    title: str
    good_at: str
    licence: str
    commercial_use: bool
    kind: Literal["network", "classical", "face_detector", "face_landmarks"]
    bytes: int | None
    digest: str | None
    input_size: int | None
    state: State
    source: str | None
    verified: bool | None
    progress: ModelProgress | None
    error: FileError | None
    runtime: str | None
    optimisable: bool
    optimised: Optimised | None


@dataclass(frozen=True)
class Resolved:
    """The model that stands for a name, and why it is not the one that was hoped for."""

    name: str
    fallback_warning: FileWarning | None = None


@dataclass(frozen=True)
class Hints:
    """What a person says of where the subject is.

    It lies within `rectangle` (x, y, width, height in px). `strokes` (H, W) uint8 are `BACKGROUND` and `SUBJECT` where
    that is certain, 0 elsewhere.
    """

    BACKGROUND: ClassVar[int] = 1
    SUBJECT: ClassVar[int] = 2

    rectangle: Box | None = None
    strokes: Pixels | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return self.rectangle is None and self.strokes is None

    @property
    def digest(self) -> str:
        """The same for hints that say the same."""
        found = hashlib.sha256(repr(self.rectangle).encode())
        if self.strokes is not None:
            found.update(f"{self.strokes.shape}".encode() + np.ascontiguousarray(self.strokes).tobytes())
        return found.hexdigest()


NO_HINTS = Hints()


@dataclass(frozen=True)
class Cutout:
    """A photo's subject: `alpha` (H, W) uint8 with its edges done, and (H, W, 3) uint8 `pixels` in its own colours."""

    alpha: Pixels
    pixels: Pixels


class Cutouts(Protocol):
    """What has been made of one photo and one matte before. A `way` names how the edges were done."""

    def get(self, way: str, pixels: Pixels) -> Cutout | None:
        """The cutout of the photo's (H, W, 3) uint8 `pixels`; None where none was kept."""
        ...

    def put(self, way: str, pixels: Pixels, cutout: Cutout) -> None:
        """Keep a cutout of that photo, from which it differs within `imaging.edges.soft_room` alone."""
        ...


@dataclass(frozen=True)
class Matte:
    """How much of each px belongs to the subject, as `alpha` says it, and what says so.

    `answer` is (h, w) uint8 from 0 to 255: at the model's own size where `size` gives the photo's (width, height).
    `timings` are the seconds that a network took: `shrink_s` until it was fed, `wait_s` for its turn, `network_s`.
    `cutouts` keeps what is made of it, where mattes are kept.
    """

    answer: Pixels
    engine: Engine
    timings: Mapping[str, float] = field(default_factory=dict)
    cutouts: Cutouts | None = None
    size: tuple[int, int] | None = None

    @cached_property
    def alpha(self) -> Pixels:
        """(H, W) uint8, at the photo's size; worked out when it is first asked for, which a kept cutout spares."""
        return self.answer if self.size is None else enlarged(self.answer, *self.size)
