"""CSS colours, as a recipe may name them."""

import colorsys
import re
from typing import Annotated, Any

from PIL import ImageColor
from pydantic import AfterValidator, Field, JsonValue

from photo_processor.imaging.geometry import RGBA as RGBA

MAX_LENGTH = 64

_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]*)\)")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(%|deg)?")


def parse_colour(text: str) -> RGBA:
    """Red, green, blue and alpha, 0 to 255 each, of a CSS colour: a name, `#rgb`, `#rrggbbaa`, `rgb()`, `hsl()`.

    Raises ValueError.
    """
    text = text.strip().lower()
    if text == "transparent":
        return (0, 0, 0, 0)
    function = _FUNCTION.fullmatch(text)
    if function:
        return _from_function(function[1], function[2])
    if text.startswith("#") or text in ImageColor.colormap:
        red, green, blue, *alpha = ImageColor.getrgb(text)
        return (red, green, blue, alpha[0] if alpha else 255)
    raise ValueError("not a CSS colour")


def _from_function(name: str, arguments: str) -> RGBA:
    parts = [_NUMBER.fullmatch(part) for part in re.split(r"[\s,/]+", arguments.strip())]
    if len(parts) not in (3, 4):
        raise ValueError("a CSS colour has three or four parts")
    values = [_value(part, index, name) for index, part in enumerate(parts)]
    alpha = values[3] if len(values) == 4 else 1.0
    red, green, blue = colorsys.hls_to_rgb(values[0], values[2], values[1]) if name == "hsl" else values[:3]
    return (_byte(red), _byte(green), _byte(blue), _byte(alpha))


def _value(part: re.Match[str] | None, index: int, name: str) -> float:
    """One part as a share of its range: of 255, of a turn, of 100 %, or of alpha's 1."""
    if part is None:
        raise ValueError("not a number")
    number, unit = float(part[1]), part[2]
    if name == "hsl" and index == 0:
        return (number / 360) % 1.0
    if unit == "%" or (name == "hsl" and index < 3):
        number /= 100
    elif index < 3:
        number /= 255
    return min(1.0, max(0.0, number))


def _byte(share: float) -> int:
    return round(255 * share)


def _checked(text: str) -> str:
    try:
        parse_colour(text)
    except ValueError:
        raise ValueError("Not a CSS colour such as `white`, `#ffffff` or `transparent`.") from None
    return text.strip().lower()


Colour = Annotated[str, AfterValidator(_checked)]


def colour_field(default: str, title: str, description: str, group: str | None = None) -> Any:
    """A field for a CSS colour, drawn as one."""
    extra: dict[str, JsonValue] = {"x-control": "color-or-transparent", "examples": ["transparent"]}
    return Field(
        default,
        max_length=MAX_LENGTH,
        title=title,
        description=description,
        json_schema_extra=extra if group is None else extra | {"x-group": group},
    )
