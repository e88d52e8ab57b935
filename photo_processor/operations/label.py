"""Write a line from a template under, above or on the photo."""

import math
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from PIL import Image, ImageDraw
from pydantic import Field, field_validator

from photo_processor.imaging.composite import before_picture
from photo_processor.imaging.geometry import CLEAR, RGBA, Size, padded, scaled
from photo_processor.imaging.lettering import font, warning
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import Gravity, share_field, shares_of
from photo_processor.operations.naming import FIELDS, OUTPUT, fields_of, filled
from photo_processor.operations.sizes import check_size

MAX_LINES = 4
MOST_PX = 800  # height of letters as drawn; larger ones are scaled from there
LEAST_PX = 8
DRAWN_LARGER = 2.0  # times the photo's width that a line is drawn at, where it is then shrunk to fit
STEP = 1.5  # from line to line, at most, of the letters' height
ROOM = 0.45  # around the text, of the letters' height
LISTED = frozenset({"number", "caption"})


class Label(OperationParams):
    """A text made of the photo's name, date, number or caption."""

    title: ClassVar[str] = "Label"
    summary: ClassVar[str] = (
        "Write the photo's name, date, number or caption, or any text, on a strip below it or on the photo."
    )
    short: ClassVar[tuple[str, ...]] = ("text",)

    varies: ClassVar[bool] = True

    op: Literal["label"] = "label"
    text: str = Field(
        "{name}",
        min_length=1,
        max_length=200,
        title="Text",
        description="What is written; `{name}`, `{file}`, `{folder}`, `{date}`, `{index}` or `{index:03}`, `{number}` "
        "and `{caption}` stand for the photo's own. Latin, Greek and Cyrillic letters; a new line begins a line.",
    )
    place: Literal["strip", "overlay"] = Field(
        "strip",
        title="Place",
        description="`strip` adds room for the text below or above, `overlay` writes on the photo.",
    )
    position: Gravity = Field(
        "bottom",
        title="Position",
        description="Where the text is; a strip is above the photo for the top ones, else below.",
    )
    size: float = share_field(0.05, 0.5, "Size", "Height of the letters, of the photo's shorter side.", least=0.005)
    colour: Colour = colour_field("#000000", "Colour", "The text's colour.")
    background: Colour = colour_field(
        "#ffffff", "Background", "Behind the text: the strip's colour, or that of a box on the photo."
    )

    @field_validator("text")
    @classmethod
    def _known_fields(cls, text: str) -> str:
        if OUTPUT in fields_of(text):
            raise ValueError(f"There is no field {{{OUTPUT}}} here; there are {', '.join(f'{{{f}}}' for f in FIELDS)}.")
        if text.count("\n") >= MAX_LINES:
            raise ValueError(f"A label has at most {MAX_LINES} lines.")
        return text

    @property
    def tells_apart(self) -> bool:
        """Whether the text depends on the photo's name or place in the job."""
        return bool(fields_of(self.text))

    @property
    def needs_names(self) -> bool:
        """Whether the text comes out of a list of names."""
        return not LISTED.isdisjoint(fields_of(self.text))

    @property
    def needs_order(self) -> bool:
        """Whether the text counts the job's photos."""
        return "index" in fields_of(self.text)

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The picture with its label; without one where the text comes out empty. Warns `missing_letters`."""
        context.stage("drawing the mark")
        values = {name: context.name.value(name, "") for name in ("name", "file", "caption", "number")}
        text = filled(self.text, context.name, {name: _plain(value) for name, value in values.items()}).strip()
        if not text:
            return picture
        if (warned := warning(text)) is not None:
            context.warn(*warned)
        letters = max(LEAST_PX, round(self.size * min(picture.width, picture.height)))
        box = _written(text, letters, self.position, parse_colour(self.colour), (picture.width, picture.height))
        if self.place == "strip":
            check_size(picture.width, picture.height + box.height, context.max_megapixels)
        else:
            return self._over(picture, box)
        if "top" in self.position:
            return self._over(padded(picture, 0, box.height, 0, 0, parse_colour(self.background)), box)
        return self._over(padded(picture, 0, 0, 0, box.height, parse_colour(self.background)), box)

    def planned(self, width: int, height: int) -> Size:
        """With its strip, as high as that may be."""
        if self.place == "overlay":
            return width, height
        return width, height + min(height, round(STEP * (self.text.count("\n") + 2) * self.size * min(width, height)))

    def _over(self, picture: Picture, box: Picture) -> Picture:
        """`box` laid on the picture, in a strip at its upper or lower edge where that is what was asked for."""
        share_x, share_y = shares_of(self.position)
        if self.place == "strip":
            share_y = 0.0 if "top" in self.position else 1.0
        else:
            box = before_picture(box, _plane(box, parse_colour(self.background)))
        x, y = round((picture.width - box.width) * share_x), round((picture.height - box.height) * share_y)
        right, bottom = picture.width - x - box.width, picture.height - y - box.height
        layer = padded(_with_alpha(box), x, y, right, bottom, CLEAR)
        laid = before_picture(layer, Picture(picture.pixels, picture.alpha))
        return replace(picture, pixels=laid.pixels, alpha=laid.alpha, matte=picture.subject)


def _plain(value: str) -> str:
    """One line, without what would not be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())


def _written(text: str, letters: int, position: Gravity, colour: RGBA, most: Size) -> Picture:
    """`text` with letters of so many px and room around, its background clear; the height goes by its lines alone.

    It is shrunk where it is larger than `most`, and never drawn much larger than that.
    """
    trial = font(LEAST_PX)
    longest = max(trial.getlength(line) for line in text.splitlines()) / LEAST_PX
    drawn = max(LEAST_PX, min(letters, MOST_PX, math.ceil(DRAWN_LARGER * most[0] / max(longest, 1.0))))
    face, room = font(drawn), math.ceil(ROOM * drawn)
    ascent, descent = face.getmetrics()
    lines = text.splitlines()
    widths = [face.getlength(line) for line in lines]
    width, step = math.ceil(max(widths)), ascent + descent
    shape = Image.new("L", (width + 2 * room, step * len(lines) + room))
    share, _ = shares_of(position)
    pen = ImageDraw.Draw(shape)
    for number, (line, length) in enumerate(zip(lines, widths, strict=True)):
        pen.text((room + (width - length) * share, room // 2 + number * step), line, fill=255, font=face)
    alpha = np.asarray(np.rint(np.asarray(shape) * (colour[3] / 255)), np.uint8)
    pixels = np.empty((*alpha.shape, 3), np.uint8)
    pixels[:] = colour[:3]
    box = Picture(pixels, alpha)
    factor = min(letters / drawn, most[0] / box.width, most[1] / box.height)
    if factor == 1:
        return box
    return scaled(box, max(1, math.floor(box.width * factor)), max(1, math.floor(box.height * factor)))


def _plane(box: Picture, colour: RGBA) -> Picture:
    """One colour, as large as `box`."""
    pixels = np.empty_like(box.pixels)
    pixels[:] = colour[:3]
    return Picture(pixels, np.full(pixels.shape[:2], colour[3], np.uint8))


def _with_alpha(picture: Picture) -> Picture:
    solid: Pixels = np.full(picture.pixels.shape[:2], 255, np.uint8) if picture.alpha is None else picture.alpha
    return replace(picture, alpha=solid)
