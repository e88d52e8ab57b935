"""Add room around the photo."""

from typing import ClassVar, Literal

from pydantic import Field

from imaging.composite import with_room
from imaging.pictures import Picture
from operations.base import Context, OperationParams
from operations.colour import Colour, colour_field, parse_colour
from operations.fields import Gravity, aspect_field, ratio_of, share_field, shares_of


class Pad(OperationParams):
    """A margin, or as much room as an aspect takes."""

    title: ClassVar[str] = "Pad"
    summary: ClassVar[str] = "Add a margin, or as much room as an aspect takes."
    short: ClassVar[tuple[str, ...]] = ("aspect",)

    op: Literal["pad"] = "pad"
    margin: float = share_field(0.0, 1.0, "Margin", "Room on each side, of the photo's longest side.")
    aspect: str | None = aspect_field("Width to height with the room, such as `1:1`; left open, as the photo has it.")
    gravity: Gravity = Field("center", title="Position", description="Where the photo lies in the room of the aspect.")
    background: Colour = colour_field(
        "transparent", "Background", "The colour of the room, and behind what is transparent."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The picture with its room."""
        context.stage("resizing")
        margin = round(self.margin * max(picture.width, picture.height))
        across = down = 0
        if self.aspect is not None:
            ratio, width, height = ratio_of(self.aspect), picture.width + 2 * margin, picture.height + 2 * margin
            across, down = max(0, round(height * ratio) - width), max(0, round(width / ratio) - height)
        share_x, share_y = shares_of(self.gravity)
        left, top = round(across * share_x), round(down * share_y)
        colour = parse_colour(self.background)
        return with_room(picture, margin + left, margin + top, margin + across - left, margin + down - top, colour)
