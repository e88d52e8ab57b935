"""Cut out a part of the photo."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from photo_processor import errors
from photo_processor.imaging.geometry import Box, cropped, largest_of_ratio
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import Gravity, aspect_field, ratio_of, shares_of


class Crop(OperationParams):
    """Keep a box, given in px or percent, or an aspect."""

    title: ClassVar[str] = "Crop"
    summary: ClassVar[str] = "Keep a part: a box in px or percent, or the largest part of an aspect."
    short: ClassVar[tuple[str, ...]] = ("aspect",)
    start: ClassVar[Mapping[str, JsonValue]] = {"aspect": "1:1"}
    needs: ClassVar[tuple[str, ...]] = ("width", "height", "aspect")

    op: Literal["crop"] = "crop"
    width: float | None = Field(None, gt=0, title="Width", description="Left open, as the height or the aspect says.")
    height: float | None = Field(None, gt=0, title="Height", description="Left open, as the width or the aspect says.")
    x: float | None = Field(None, ge=0, title="Left", description="Where the part begins; left open, as Position says.")
    y: float | None = Field(None, ge=0, title="Top", description="Where the part begins; left open, as Position says.")
    unit: Literal["px", "percent"] = Field(
        "px", title="Unit", description="What the four numbers are: `px`, or `percent` of the photo's sides."
    )
    aspect: str | None = aspect_field("Width to height of the part, such as `1:1` or `35:45`.")
    gravity: Gravity = Field(
        "center", title="Position", description="Which side of the photo is kept where Left or Top is left open."
    )

    @model_validator(mode="after")
    def _has_a_size(self) -> "Crop":
        if self.width is None and self.height is None and self.aspect is None:
            raise ValueError("Give a width, a height, or an aspect.")
        return self

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The part. Raises CropOutside where it has no px of the picture."""
        context.stage("cropping")
        return cropped(picture, *self._box(picture.width, picture.height))

    def _box(self, width: int, height: int) -> Box:
        """The part of `width` x `height` px; what lies outside is left out."""
        wide, high = self._size(width, height)
        share_x, share_y = shares_of(self.gravity)
        left = (width - wide) * share_x if self.x is None else self._px(self.x, width)
        top = (height - high) * share_y if self.y is None else self._px(self.y, height)
        x, y = round(left), round(top)
        if x >= width or y >= height:
            raise errors.CropOutside(f"The photo has {width} x {height} pixels; the crop begins at {x}, {y}.")
        return x, y, max(1, min(round(wide), width - x)), max(1, min(round(high), height - y))

    def _size(self, width: int, height: int) -> tuple[float, float]:
        wide = None if self.width is None else min(width, self._px(self.width, width))
        high = None if self.height is None else min(height, self._px(self.height, height))
        if self.aspect is None:
            return width if wide is None else wide, height if high is None else high
        ratio = ratio_of(self.aspect)
        if wide is None and high is None:
            return largest_of_ratio(width, height, ratio)
        room = (width if wide is None else wide, height if high is None else high)
        fitting = min(room[0], room[1] * ratio)
        return fitting, fitting / ratio

    def _px(self, number: float, side: int) -> float:
        return number * side / 100 if self.unit == "percent" else number
