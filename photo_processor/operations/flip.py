"""Mirror the photo."""

from typing import ClassVar, Literal

from pydantic import Field

from photo_processor.imaging.geometry import flipped
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams

CODES = {"horizontal": 1, "vertical": 0, "both": -1}


class Flip(OperationParams):
    """Mirror left to right, or upside down."""

    title: ClassVar[str] = "Flip"
    summary: ClassVar[str] = "Mirror the photo left to right, upside down, or both."

    op: Literal["flip"] = "flip"
    direction: Literal["horizontal", "vertical", "both"] = Field(
        "horizontal", title="Direction", description="`horizontal` exchanges left and right, `vertical` top and bottom."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The mirrored picture."""
        context.stage("turning")
        return flipped(picture, CODES[self.direction])
