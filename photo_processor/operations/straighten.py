"""Level the photo by the eyes."""

from typing import ClassVar, Literal

from pydantic import Field

from photo_processor import errors
from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field
from photo_processor.operations.faces import chosen, faces_of
from photo_processor.operations.fields import NoFace
from photo_processor.operations.rotate import EXTENT, Extent, rotated, turned_size
from photo_processor.operations.sizes import check_size

LEVEL = 0.7  # degrees that nobody sees


class Straighten(OperationParams):
    """Turn the photo until the line through both eyes of the largest face is level."""

    title: ClassVar[str] = "Straighten"
    summary: ClassVar[str] = "Turn the photo until the eyes of the largest face are level."
    looks_at_faces: ClassVar[bool] = True
    varies: ClassVar[bool] = True

    op: Literal["straighten"] = "straighten"
    most: float = Field(
        30, ge=0, le=45, title="At most", description="A photo that leans further is left as it is.",
        json_schema_extra={"x-unit": "°"},
    )  # fmt: skip
    extent: Extent = Field("expand", title="Size", description=EXTENT)
    background: Colour = colour_field("transparent", "Corners", "The colour of the empty corners.")
    no_face: NoFace = Field(
        "keep", title="Without a face", description="`keep` leaves the photo with a warning, `fail` fails it."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The levelled picture. Warns `no_eyes`, or raises NoFaceFound."""
        angle = context.decided(lambda: eye_line(picture, context))
        if angle is None or abs(angle) > self.most:
            if self.no_face == "fail":
                raise errors.NoFaceFound
            context.warn("no_eyes", "No level could be told from a pair of eyes; the photo was not turned.")
            return picture
        if abs(angle) < LEVEL:
            return picture
        check_size(*turned_size(picture.width, picture.height, angle, self.extent), context.max_megapixels)
        context.stage("turning")
        return rotated(picture, -angle, self.extent, self.background)

    def planned(self, width: int, height: int) -> Size:
        """Turned as far as it may be."""
        return max(
            (turned_size(width, height, angle, self.extent) for angle in (0.0, self.most / 2, self.most)),
            key=lambda size: size[0] * size[1],
        )


def eye_line(picture: Picture, context: Context) -> float | None:
    """Degrees clockwise by which the eyes of the largest face of `picture` lean; None where not found."""
    faces = faces_of(picture, context)
    face = chosen(faces, "largest", picture) if faces else None
    return None if face is None or face.eyes is None else face.angle
