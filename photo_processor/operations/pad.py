"""Add room around the photo."""

from typing import ClassVar, Literal

from pydantic import Field

from photo_processor.imaging.composite import with_room
from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import Gravity, aspect_field, ratio_of, share_field, shares_of


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
        margin, across, down = self._room(picture.width, picture.height)
        share_x, share_y = shares_of(self.gravity)
        left, top = round(across * share_x), round(down * share_y)
        colour = parse_colour(self.background)
        return with_room(picture, margin + left, margin + top, margin + across - left, margin + down - top, colour)

    def planned(self, width: int, height: int) -> Size:
        """With its room."""
        margin, across, down = self._room(width, height)
        return width + 2 * margin + across, height + 2 * margin + down

    def _room(self, width: int, height: int) -> tuple[int, int, int]:
        """Px of the margin on each side, and how many more the aspect takes across and down."""
        margin = round(self.margin * max(width, height))
        if self.aspect is None:
            return margin, 0, 0
        ratio, wide, high = ratio_of(self.aspect), width + 2 * margin, height + 2 * margin
        return margin, max(0, round(high * ratio) - wide), max(0, round(wide / ratio) - high)
