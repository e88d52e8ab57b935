"""Take the empty border away."""

from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import AfterValidator, Field

from photo_processor.imaging.composite import with_room
from photo_processor.imaging.geometry import CLEAR, Box, Size, cropped, subject_box
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import four_sides, px_of
from photo_processor.operations.sizes import check_size

MOST_MARGIN_PX = 500  # remove.bg's limits: this, and half of the subject


def _sides(text: str) -> str:
    four_sides(text)
    return text.strip()


class Trim(OperationParams):
    """Keep the subject, or what differs from a plain border, with a margin."""

    title: ClassVar[str] = "Trim"
    summary: ClassVar[str] = "Crop to the subject, or to what differs from a border of one colour."

    varies: ClassVar[bool] = True

    op: Literal["trim"] = "trim"
    by: Literal["auto", "subject", "colour"] = Field(
        "auto",
        title="What is kept",
        description="`subject`: what is not background, once that was removed, or not transparent; `colour`: what "
        "differs from the colour of the corners; `auto`: the first that can be told.",
    )
    tolerance: int = Field(
        12,
        ge=0,
        le=255,
        title="Tolerance",
        description="Levels by which a px must differ to be kept.",
    )
    margin: Annotated[str, AfterValidator(_sides)] = Field(
        "0",
        max_length=40,
        title="Margin",
        examples=["0", "5%", "30px"],
        description="Room that stays, in px or percent of the subject: one length, two (vertical, horizontal) or four "
        "(top, right, bottom, left). At most half of the subject, or 500 px.",
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The trimmed picture; room beyond the photo's edge is transparent. Warns `nothing_to_trim`."""
        context.stage("cropping")
        box = context.decided(lambda: self._box(picture))
        if box is None:
            context.warn("nothing_to_trim", "Nothing to trim was found; the photo was left as it was.")
            return picture
        return self._with_margin(picture, box, context)

    def planned(self, width: int, height: int) -> Size:
        """The whole with its margin."""
        top, right, bottom, left = self._margins(width, height)
        return width + left + right, height + top + bottom

    def _margins(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Top, right, bottom and left in px, of a subject of that size."""
        wholes = (height, width, height, width)
        top, right, bottom, left = (
            min(MOST_MARGIN_PX, whole // 2, px_of(side, whole))
            for side, whole in zip(four_sides(self.margin), wholes, strict=True)
        )
        return top, right, bottom, left

    def _box(self, picture: Picture) -> Box | None:
        if self.by != "colour" and picture.subject is not None:
            box = subject_box(picture.subject, max(1, self.tolerance))
            if box is not None or self.by == "subject":
                return box
        return None if self.by == "subject" else coloured_box(picture.pixels, self.tolerance)

    def _with_margin(self, picture: Picture, box: Box, context: Context) -> Picture:
        x, y, width, height = box
        top, right, bottom, left = self._margins(width, height)
        start_x, start_y = max(0, x - left), max(0, y - top)
        end_x, end_y = min(picture.width, x + width + right), min(picture.height, y + height + bottom)
        part = cropped(picture, start_x, start_y, end_x - start_x, end_y - start_y)
        room = (
            start_x - (x - left), start_y - (y - top), x + width + right - end_x, y + height + bottom - end_y
        )  # fmt: skip
        check_size(part.width + room[0] + room[2], part.height + room[1] + room[3], context.max_megapixels)
        return with_room(part, *room, edge_colour(part)) if any(room) else part


def edge_colour(picture: Picture) -> tuple[int, int, int, int]:
    """The colour that room beside `picture` has: none where it is transparent, else that of its corner."""
    if picture.alpha is not None:
        return CLEAR
    red, green, blue = (int(level) for level in picture.pixels[0, 0])
    return red, green, blue, 255


def coloured_box(pixels: Pixels, tolerance: int) -> Box | None:
    """The box of what differs from the corners' colour; None where all does, or nothing."""
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    if np.ptp(corners, axis=0).max() > max(1, tolerance):
        return None
    colour = np.rint(corners.mean(axis=0))
    low, high = np.clip(colour - tolerance, 0, 255), np.clip(colour + tolerance, 0, 255)
    differs = cv2.bitwise_not(cv2.inRange(pixels, low, high))
    x, y, width, height = cv2.boundingRect(differs)
    return (x, y, width, height) if width else None
