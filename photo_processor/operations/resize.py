"""Give the photo another size."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from photo_processor.imaging.composite import with_room
from photo_processor.imaging.geometry import RGBA, Size, sized, sized_to
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import side_field


class Resize(OperationParams):
    """Scale to a width, a height, or into both."""

    title: ClassVar[str] = "Resize"
    summary: ClassVar[str] = "Scale the photo to a width, a height, or into both."
    short: ClassVar[tuple[str, ...]] = ("width", "height")
    start: ClassVar[Mapping[str, JsonValue]] = {"width": 1600}
    needs: ClassVar[tuple[str, ...]] = ("width", "height")

    op: Literal["resize"] = "resize"
    width: int | None = side_field("Width", "Left open, it follows the height.")
    height: int | None = side_field("Height", "Left open, it follows the width.")
    mode: Literal["fit", "fill", "stretch", "pad"] = Field(
        "fit",
        title="Mode",
        description="`fit` lies within both, `fill` covers both and cuts off the rest, `stretch` takes both exactly, "
        "`pad` lies within both and has room added to them.",
    )
    enlarge: bool = Field(False, title="Enlarge", description="Also make small photos larger.")
    background: Colour = colour_field(
        "transparent", "Background", "Of `pad`: the colour of the room it adds, and behind what is transparent."
    )

    @model_validator(mode="after")
    def _has_a_side(self) -> "Resize":
        if self.width is None and self.height is None:
            raise ValueError("Give a width, a height, or both.")
        return self

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The picture scaled; alpha with it, without colours of transparent px bleeding in."""
        context.stage("resizing")
        result = sized(picture, self.width, self.height, "fit" if self.mode == "pad" else self.mode, self.enlarge)
        if self.mode != "pad":
            return result
        width, height = self.width or result.width, self.height or result.height
        return _around(result, width, height, parse_colour(self.background))

    def planned(self, width: int, height: int) -> Size:
        """As scaled, and with the room of `pad`."""
        mode = "fit" if self.mode == "pad" else self.mode
        across, down = sized_to(width, height, self.width, self.height, mode, self.enlarge)
        return (self.width or across, self.height or down) if self.mode == "pad" else (across, down)


def _around(picture: Picture, width: int, height: int, colour: RGBA) -> Picture:
    """`picture` in the middle of `width` x `height` px, or of as many of them as it fills in one direction."""
    left, top = (width - picture.width) // 2, (height - picture.height) // 2
    return with_room(picture, left, top, width - picture.width - left, height - picture.height - top, colour)
