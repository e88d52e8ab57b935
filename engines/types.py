"""What the models say of themselves and of a photo."""

from dataclasses import dataclass
from typing import Literal

from imaging.pictures import Pixels as Pixels
from schemas import Engine, FileError, FileWarning, Frozen, ModelProgress

State = Literal["built_in", "installed", "missing", "downloading", "failed"]


class ModelInfo(Frozen):
    """A model, as `/api/models` shows it. `bytes` and `digest` are null where nobody has said them.

    `verified` says whether the installed file's digest is one of the registry's; null before it was looked at.
    """

    name: str
    title: str
    good_at: str
    licence: str
    commercial_use: bool
    kind: Literal["network", "classical"]
    bytes: int | None
    digest: str | None
    input_size: int | None
    state: State
    source: str | None
    verified: bool | None
    progress: ModelProgress | None
    error: FileError | None
    runtime: str | None


@dataclass(frozen=True)
class Resolved:
    """The model that stands for a name, and why it is not the one that was hoped for."""

    name: str
    fallback_warning: FileWarning | None = None


@dataclass(frozen=True)
class Matte:
    """How much of each px belongs to the subject, (H, W) uint8 from 0 to 255, and what says so."""

    alpha: Pixels
    engine: Engine
