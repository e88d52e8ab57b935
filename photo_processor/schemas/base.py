"""What all the types share: names of states, moments, the frozen base, problems."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

JobStatus = Literal["receiving", "queued", "processing", "paused", "completed", "failed", "cancelled"]


FileStatus = Literal["queued", "processing", "completed", "failed", "cancelled"]


Priority = Literal["high", "normal", "batch"]


Quality = Literal["best", "balanced", "fast"]


Format = Literal["png", "webp", "jpeg", "avif", "tiff", "gif", "bmp", "svg"]


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


class Problem(Frozen):
    """RFC 9457 problem details, with the stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    errors: tuple[dict[str, str], ...] = ()


def pointer(location: Sequence[str | int]) -> str:
    """RFC 6901 JSON pointer of a location inside a document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
