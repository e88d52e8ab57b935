"""What may lie behind a subject, as a recipe names it."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from photo_processor.imaging.composite import before_colour, before_picture, behind_of, blurred_background, gradient
from photo_processor.imaging.geometry import CLEAR, RGBA
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context
from photo_processor.operations.colour import parse_colour

TRANSPARENT = "transparent"
BLUR = "blur"
MAX_LENGTH = 200
DOWN = 180.0  # degrees: where a CSS gradient goes unless it says so
ASSET = re.compile(r"asset:([0-9a-f]{64})")

_GRADIENT = re.compile(r"linear-gradient\((?:\s*([+-]?[0-9]+(?:\.[0-9]+)?)deg\s*,)?(.*)\)")
_COMMA = re.compile(r",(?![^(]*\))")  # one that does not stand within parentheses

Fit = Literal["cover", "contain"]


@dataclass(frozen=True)
class Gradient:
    """From one colour to another; `degrees` as in CSS, 0 up and 90 to the right."""

    start: RGBA
    end: RGBA
    degrees: float


def parse_gradient(text: str) -> Gradient | None:
    """The gradient that `text` writes as CSS does, `linear-gradient(90deg, white, #ccc)`; None where it is none.

    Raises ValueError.
    """
    found = _GRADIENT.fullmatch(text.strip().lower())
    if found is None:
        return None
    colours = _COMMA.split(found[2])
    if len(colours) != 2:
        raise ValueError("a gradient here has two colours")
    return Gradient(parse_colour(colours[0]), parse_colour(colours[1]), float(found[1] or DOWN) % 360)


def checked_background(value: str) -> str:
    """A background as a recipe names it, stripped and in small letters. Raises ValueError where it is none."""
    text = value.strip().lower()
    if text in (TRANSPARENT, BLUR) or ASSET.fullmatch(text):
        return text
    try:
        if parse_gradient(text) is None:
            parse_colour(text)
    except ValueError:
        raise ValueError(
            "Neither `transparent` nor `blur`, nor a CSS colour such as `#ffffff`, nor a gradient such as "
            "`linear-gradient(90deg, white, #ccc)`, nor an uploaded picture, `asset:` and its id."
        ) from None
    return text


Background = Annotated[str, AfterValidator(checked_background)]


def background_field(default: str) -> Any:
    """A field for what lies behind the subject."""
    return Field(
        default,
        max_length=MAX_LENGTH,
        title="Background",
        description="`transparent`; `blur` for the photo's own, blurred; a CSS colour such as `white` or `#1e90ff`; a "
        "gradient, `linear-gradient(90deg, white, #ccc)`; or a picture of `POST /api/assets`, `asset:` and its id.",
        json_schema_extra={"x-control": "color-or-transparent"},
    )


def fit_field() -> Any:
    """A field for how an uploaded picture fills the frame."""
    return Field(
        "cover",
        title="Picture's fit",
        description="Of an uploaded background: `cover` fills the frame and cuts off the rest, `contain` shows all of "
        "it.",
    )


def asset_of(background: str) -> str | None:
    """The id of the uploaded picture that `background` names; None where it names none."""
    found = ASSET.fullmatch(background)
    return found[1] if found else None


def laid(subject: Picture, background: str, fit: Fit, context: Context) -> Picture:
    """`subject`, which has an alpha, before `background`. Raises AssetNotFound."""
    if background == TRANSPARENT:
        return subject
    if background == BLUR:
        return _before_blur(subject)
    shade = parse_gradient(background)
    if shade is not None:
        return before_picture(subject, gradient(subject.width, subject.height, shade.start, shade.end, shade.degrees))
    asset = asset_of(background)
    if asset is not None:
        size = subject.width, subject.height
        behind = behind_of(context.assets(asset, size), *size, fit, CLEAR)
        return before_picture(subject, behind)
    return before_colour(subject, parse_colour(background))


def _before_blur(subject: Picture) -> Picture:
    """The subject before its own photo, blurred; what was transparent in the photo stays so."""
    if subject.alpha is None:
        return subject
    photo = subject.pixels if subject.photo is None else subject.photo
    matte = subject.alpha if subject.matte is None else subject.matte
    return before_picture(subject, Picture(blurred_background(photo, matte)))
