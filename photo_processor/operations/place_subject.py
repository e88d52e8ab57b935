"""Put the subject where it belongs in the frame."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from photo_processor.imaging.composite import with_room
from photo_processor.imaging.geometry import CLEAR, RGBA, Box, Size, cropped, padded, scaled, subject_box
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import aspect_field, parse_length, ratio_of, side_field
from photo_processor.operations.trim import edge_colour

FAINTEST = 8  # levels of the matte


def _position(text: str) -> str:
    text = text.strip().lower()
    if text in ("original", "center"):
        return text
    parts = text.split()
    if len(parts) not in (1, 2) or not all(_is_percentage(part) for part in parts):
        raise ValueError("A position is `original`, `center`, or one or two percentages such as `50% 80%`.")
    return text


def _is_percentage(text: str) -> bool:
    try:
        number, is_share = parse_length(text)
    except ValueError:
        return False
    return is_share and number <= 1


class PlaceSubject(OperationParams):
    """Size and place of the subject in a frame, as remove.bg's `scale` and `position` have them."""

    title: ClassVar[str] = "Place the subject"
    summary: ClassVar[str] = "Give the subject a size and a place in the frame, so that a series looks alike."

    op: Literal["place_subject"] = "place_subject"
    scale: float | None = Field(
        None,
        ge=0.1,
        le=1,
        title="Scale",
        description="How much of the frame's width or height the subject takes, whichever it fills first, from 0.1 to "
        "1; left open, it keeps its size.",
    )
    position: Annotated[str, AfterValidator(_position)] = Field(
        "center",
        max_length=20,
        title="Position",
        examples=["center", "original", "50% 100%"],
        description="`center`; `original`, where it was; or percentages of the free room on the left and at the top.",
    )
    width: int | None = side_field("Frame's width", "Left open, as the photo has it.")
    height: int | None = side_field("Frame's height", "Left open, as the photo has it.")
    aspect: str | None = aspect_field(
        "Width to height of the frame; the side that is open follows it, else the frame is the smallest around the "
        "photo."
    )
    background: Colour = colour_field(
        "transparent", "Background", "The frame's colour; where the photo has another background already, its corner's."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject in its frame. Warns `no_subject_known`."""
        context.stage("resizing")
        box = None if picture.subject is None else context.decided(lambda: _box_of(picture))
        if box is None:
            context.warn("no_subject_known", "The photo has no transparency and nothing was cut out of it.")
            return picture
        frame = self._frame(picture.width, picture.height)
        colour = parse_colour(self.background)
        if picture.alpha is None and colour[3] == 0:
            colour = edge_colour(picture)
        return self._placed(replace(picture, alpha=picture.subject), box, frame, colour)

    def planned(self, width: int, height: int) -> Size:
        """The frame, or the photo where no subject is known."""
        return max((width, height), self._frame(width, height), key=lambda size: size[0] * size[1])

    def _frame(self, width: int, height: int) -> Size:
        if self.aspect is None:
            return self.width or width, self.height or height
        ratio = ratio_of(self.aspect)
        if self.width is not None:
            return self.width, self.height or max(1, round(self.width / ratio))
        if self.height is not None:
            return max(1, round(self.height * ratio)), self.height
        return max(width, round(height * ratio)), max(height, round(width / ratio))

    def _placed(self, subject: Picture, box: Box, frame: tuple[int, int], colour: RGBA) -> Picture:
        factor = min(1.0, frame[0] / box[2], frame[1] / box[3])
        if self.scale is not None:
            factor = self.scale * min(frame[0] / box[2], frame[1] / box[3])
        part = scaled(cropped(subject, *box), max(1, round(box[2] * factor)), max(1, round(box[3] * factor)))
        free = frame[0] - part.width, frame[1] - part.height
        x, y = self._offset(subject, box, free)
        placed = padded(part, x, y, free[0] - x, free[1] - y, CLEAR)
        return with_room(placed, 0, 0, 0, 0, colour)

    def _offset(self, subject: Picture, box: Box, free: tuple[int, int]) -> tuple[int, int]:
        """Px on the left and at the top, of `free` ones."""
        if self.position == "original":
            shares = (
                box[0] / max(1, subject.width - box[2]), box[1] / max(1, subject.height - box[3])
            )  # fmt: skip
        elif self.position == "center":
            shares = (0.5, 0.5)
        else:
            parts = [parse_length(part)[0] for part in self.position.split()]
            shares = (parts[0], parts[-1])
        return round(free[0] * shares[0]), round(free[1] * shares[1])


def _box_of(picture: Picture) -> Box | None:
    return None if picture.subject is None else subject_box(picture.subject, FAINTEST)
