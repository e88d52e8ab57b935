"""Write or lay a mark on the photo."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from PIL import Image, ImageDraw
from pydantic import Field, JsonValue, model_validator

from photo_processor.imaging.composite import before_picture
from photo_processor.imaging.geometry import CLEAR, Size, padded, rotated_size, scaled, subject_box
from photo_processor.imaging.lettering import font, warning
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.backgrounds import ASSET
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import Gravity, share_field, shares_of
from photo_processor.operations.rotate import rotated

DRAWN_PX = 200  # height of letters as drawn, at most; they are scaled from there
LEAST_PX = 8
OUTLINE_SHARE = 0.05  # of the letters' height
DARK = 0.55  # luma of a colour from which its outline is dark
GAP = 0.6  # between tiled marks, of the mark's height


class Watermark(OperationParams):
    """Text, or an uploaded picture."""

    title: ClassVar[str] = "Watermark"
    summary: ClassVar[str] = "Write a text or lay an uploaded picture on the photo, once or all over."
    short: ClassVar[tuple[str, ...]] = ("text",)
    start: ClassVar[Mapping[str, JsonValue]] = {"text": "©"}
    needs: ClassVar[tuple[str, ...]] = ("text", "picture")

    op: Literal["watermark"] = "watermark"
    text: str = Field(
        "", max_length=200, title="Text", description="What is written, in Latin, Greek or Cyrillic letters."
    )
    picture: str = Field(
        "",
        max_length=80,
        pattern=rf"^({ASSET.pattern})?$",
        title="Picture",
        description="Instead of a text, a picture of `POST /api/assets`: `asset:` and its id.",
    )
    position: Gravity = Field("bottom-right", title="Position", description="Where the mark is.")
    size: float = share_field(0.3, 1.0, "Size", "The mark's width, of the photo's.", least=0.01)
    margin: float = share_field(0.03, 0.5, "Margin", "Room to the photo's edge, of its shorter side.")
    opacity: float = share_field(0.7, 1.0, "Opacity", "How solid the mark is.")
    colour: Colour = colour_field("#ffffff", "Colour", "The text's colour.")
    outline: bool = Field(True, title="Outline", description="A thin edge of the opposite lightness around the text.")
    angle: float = Field(
        0.0, ge=-180, le=180, title="Angle", description="Clockwise.", json_schema_extra={"x-unit": "°"}
    )
    tiled: bool = Field(False, title="All over", description="Repeat the mark over the whole photo.")

    @model_validator(mode="after")
    def _has_one_mark(self) -> "Watermark":
        if bool(self.text.strip()) == bool(self.picture):
            raise ValueError("Give a text or a picture, one of them.")
        return self

    @property
    def assets(self) -> frozenset[str]:
        """The uploaded pictures that this needs."""
        return frozenset({self.picture.removeprefix("asset:")} if self.picture else ())

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The marked picture. Raises AssetNotFound."""
        context.stage("drawing the mark")
        if (warned := warning(self.text)) is not None:
            context.warn(*warned)
        mark = self._mark(picture, context)
        layer = self._tiled(mark, picture) if self.tiled else self._placed(mark, picture)
        laid = before_picture(layer, Picture(picture.pixels, picture.alpha))
        return replace(picture, pixels=laid.pixels, alpha=laid.alpha, matte=picture.subject)

    def _mark(self, picture: Picture, context: Context) -> Picture:
        """The mark alone, at its size, with an alpha."""
        width = max(1, round(self.size * picture.width))
        if self.picture:
            mark = context.assets(self.picture.removeprefix("asset:"), (width, 0))
        else:
            mark = self._drawn_at(width)
        mark = scaled(mark, *self._size(mark, width, picture))
        solid = np.full(mark.pixels.shape[:2], 255, np.uint8) if mark.alpha is None else mark.alpha
        mark = Picture(mark.pixels, _weakened(solid, self.opacity))
        return rotated(mark, self.angle, "expand", "transparent") if self.angle else mark

    def _size(self, mark: Picture, width: int, picture: Picture) -> Size:
        """`width` px across, or as many as the photo holds of the mark once it is turned."""
        height = mark.height * width / mark.width
        across, down = rotated_size(width, max(1, round(height)), self.angle)
        factor = min(1.0, picture.width / across, picture.height / down)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def _drawn_at(self, width: int) -> Picture:
        """The text, about `width` px wide."""
        trial = _drawn(self.text.strip(), DRAWN_PX, self.colour, self.outline)
        letters = round(DRAWN_PX * width / trial.width)
        return _drawn(self.text.strip(), max(LEAST_PX, min(letters, DRAWN_PX * 4)), self.colour, self.outline)

    def _placed(self, mark: Picture, picture: Picture) -> Picture:
        margin = round(self.margin * min(picture.width, picture.height))
        room = max(1, picture.width - 2 * margin), max(1, picture.height - 2 * margin)
        factor = min(1.0, room[0] / mark.width, room[1] / mark.height)
        mark = scaled(mark, max(1, round(mark.width * factor)), max(1, round(mark.height * factor)))
        share_x, share_y = shares_of(self.position)
        x = min(margin + round((room[0] - mark.width) * share_x), picture.width - mark.width)
        y = min(margin + round((room[1] - mark.height) * share_y), picture.height - mark.height)
        return padded(mark, x, y, picture.width - x - mark.width, picture.height - y - mark.height, CLEAR)

    def _tiled(self, mark: Picture, picture: Picture) -> Picture:
        gap = max(2, round(GAP * min(mark.width, mark.height)))
        cell = padded(mark, gap // 2, gap // 2, gap - gap // 2, gap - gap // 2, CLEAR)
        repeats = math.ceil(picture.height / cell.height), math.ceil(picture.width / cell.width) + 1
        return Picture(
            _staggered(cell.pixels, repeats)[: picture.height, : picture.width],
            _staggered(np.asarray(cell.alpha), repeats)[: picture.height, : picture.width],
        )


def _staggered(cell: Pixels, repeats: tuple[int, int]) -> Pixels:
    """`cell` so many times down and across, every other row moved by half of it."""
    row = np.concatenate([cell] * repeats[1], axis=1)
    moved = np.roll(row, cell.shape[1] // 2, axis=1)
    return np.ascontiguousarray(np.concatenate([moved if number % 2 else row for number in range(repeats[0])]))


def _drawn(text: str, letters: int, colour: str, outline: bool) -> Picture:
    """`text` with letters of so many px, cut to what is drawn."""
    red, green, blue, alpha = parse_colour(colour)
    edge = max(1, round(OUTLINE_SHARE * letters)) if outline else 0
    face = font(letters)
    left, top, right, bottom = face.getbbox(text, stroke_width=edge)
    size = math.ceil(right - left) + 2 * letters, math.ceil(bottom - top) + 2 * letters
    shapes = []
    for stroke in (edge, 0):
        shape = Image.new("L", size)
        ImageDraw.Draw(shape).text((letters - left, letters - top), text, fill=255, font=face, stroke_width=stroke)
        shapes.append(np.asarray(shape))
    x, y, width, height = subject_box(shapes[0]) or (0, 0, 1, 1)
    shapes = [shape[y : y + height, x : x + width] for shape in shapes]
    light = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
    other = (0, 0, 0) if light >= DARK else (255, 255, 255)
    pixels = np.empty((*shapes[0].shape, 3), np.uint8)
    pixels[:] = other if outline else (red, green, blue)
    inner = shapes[1][..., None].astype(np.float32) / 255
    pixels = np.asarray(np.rint(pixels + inner * (np.array((red, green, blue)) - pixels)), np.uint8)
    return Picture(pixels, _weakened(shapes[0], alpha / 255))


def _weakened(alpha: Pixels, share: float) -> Pixels:
    return np.asarray(np.rint(alpha * share), np.uint8)
