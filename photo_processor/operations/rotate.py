"""Turn the photo."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from photo_processor.imaging.composite import before_colour
from photo_processor.imaging.geometry import Size, inscribed_size, rotated_size, turned, warped
from photo_processor.imaging.pictures import Picture, Placement
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour

Extent = Literal["expand", "keep", "inside"]
EXTENT = "`expand` shows all of the photo, `keep` keeps its size, `inside` is the largest part without empty corners."
CLEARLY = 0.01  # degrees; less moves no px of 5,000 by a whole one


class Rotate(OperationParams):
    """Turn by any angle."""

    title: ClassVar[str] = "Rotate"
    summary: ClassVar[str] = "Turn the photo by any angle; by 90, 180 and 270 degrees without loss."
    short: ClassVar[tuple[str, ...]] = ("angle",)

    op: Literal["rotate"] = "rotate"
    angle: float = Field(
        90, ge=-360, le=360, title="Angle", description="Clockwise; negative to the left.",
        json_schema_extra={"x-unit": "°"},
    )  # fmt: skip
    extent: Extent = Field("expand", title="Size", description=EXTENT)
    background: Colour = colour_field("transparent", "Corners", "The colour of the empty corners.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The turned picture."""
        context.stage("turning")
        return rotated(picture, self.angle, self.extent, self.background)

    def planned(self, width: int, height: int) -> Size:
        """The box that the extent asks for."""
        return turned_size(width, height, self.angle, self.extent)


def rotated(picture: Picture, degrees: float, extent: Extent, background: str) -> Picture:
    """`picture` turned clockwise; `background` is the CSS colour of the corners."""
    degrees %= 360
    quarters = round(degrees / 90)
    if abs(degrees - 90 * quarters) < CLEARLY and (extent != "keep" or quarters % 2 == 0):
        return turned(picture, quarters % 4)
    width, height = turned_size(picture.width, picture.height, degrees, extent)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x = picture.width / 2 - cos * width / 2 - sin * height / 2
    y = picture.height / 2 + sin * width / 2 - cos * height / 2
    result = warped(picture, Placement(x, y, cos, cos, sin, -sin), width, height)
    return before_colour(result, parse_colour(background))


def turned_size(width: int, height: int, degrees: float, extent: Extent) -> Size:
    """Width and height in px of what `rotated` makes of a picture of `width` x `height`."""
    if extent == "expand":
        return rotated_size(width, height, degrees)
    return inscribed_size(width, height, degrees) if extent == "inside" else (width, height)
