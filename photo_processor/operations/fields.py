"""Parameters that several operations have."""

import re
from typing import Any, Literal

from pydantic import Field, JsonValue

ASPECT_PATTERN = r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$"
MAX_SIDE_PX = 20_000

Gravity = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]  # fmt: skip
NoFace = Literal["keep", "fail"]
Which = Literal["largest", "center", "all"]

_LENGTH = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(px|%)?")


def aspect_field(description: str) -> Any:
    """A field for a ratio of width to height."""
    return Field(
        None, pattern=ASPECT_PATTERN, title="Aspect", examples=["1:1", "4:5", "35:45"], description=description
    )


def side_field(title: str, description: str) -> Any:
    """A field for a length in px that may be left open."""
    return Field(
        None, ge=1, le=MAX_SIDE_PX, title=title, description=description, json_schema_extra={"x-unit": "px"}
    )  # fmt: skip


def share_field(default: float, most: float, title: str, description: str, least: float = 0.0) -> Any:
    """A field for a share, shown in percent."""
    extra: dict[str, JsonValue] = {"x-control": "percent"}
    return Field(default, ge=least, le=most, title=title, description=description, json_schema_extra=extra)


def ratio_of(aspect: str) -> float:
    """Width by height of an aspect such as `35:45`."""
    across, down = (int(part) for part in aspect.split(":"))
    return across / down


def shares_of(gravity: Gravity) -> tuple[float, float]:
    """How much of the free room lies on the left and at the top, 0 to 1."""
    x = 0.0 if "left" in gravity else 1.0 if "right" in gravity else 0.5
    y = 0.0 if "top" in gravity else 1.0 if "bottom" in gravity else 0.5
    return x, y


def parse_length(text: str) -> tuple[float, bool]:
    """A length such as `30px` or `10%`, and whether it is a share (then from 0 to 1). Raises ValueError."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise ValueError("A length is a number of px or %, such as `30px` or `10%`.")
    number = float(found[1])
    return (number / 100, True) if found[2] == "%" else (number, False)


def px_of(text: str, whole: float) -> int:
    """A length in px, where `whole` px are 100 %."""
    number, is_share = parse_length(text)
    return round(number * whole) if is_share else round(number)


def four_sides(text: str) -> tuple[str, str, str, str]:
    """One, two or four lengths as CSS reads them: top, right, bottom, left. Raises ValueError."""
    parts = text.split()
    if len(parts) not in (1, 2, 4):
        raise ValueError("Give one length, two (top and bottom, left and right) or four (top, right, bottom, left).")
    for part in parts:
        parse_length(part)
    top, right, bottom, left = (parts * 4)[:4] if len(parts) < 4 else parts
    return top, right, bottom, left
