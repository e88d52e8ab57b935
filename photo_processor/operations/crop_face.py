"""Crop the photo to a head."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from photo_processor import errors
from photo_processor.imaging.composite import before_colour
from photo_processor.imaging.faces import FoundFace, Head, head_of
from photo_processor.imaging.framing import Cut, cut_of, frame_of, framed
from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.faces import chosen, faces_of, nearest, subject_of, with_matte
from photo_processor.operations.fields import MAX_SIDE_PX, NoFace, Which, aspect_field, ratio_of
from photo_processor.operations.review import check_faces, check_hair, check_head
from photo_processor.operations.sizes import check_size
from photo_processor.operations.trim import edge_colour

MM = 25.4  # in an inch
MOST_GROWTH = 2.0  # times the photo's px that a crop may have which reaches beyond it
TALLEST = 0.5  # width by height of a crop whose shape the head decides
MOST_FACES = 100  # that are cut out of one photo


class CropFace(OperationParams):
    """Find the head and keep it with some room around."""

    title: ClassVar[str] = "Crop to face"
    summary: ClassVar[str] = "Find the face and keep its head, from chin to crown, with some room around."
    looks_at_faces: ClassVar[bool] = True
    varies: ClassVar[bool] = True

    op: Literal["crop_face"] = "crop_face"
    margin: float = Field(
        0.3, ge=0, le=2, title="Margin", description="Room on each side of the head, in head heights.",
        json_schema_extra={"x-unit": "head heights", "x-control": "percent"},
    )  # fmt: skip
    aspect: str | None = aspect_field(
        "Width to height of the crop, such as `1:1` or `35:45`; left open, whatever the margin gives."
    )
    width: float | None = Field(
        None, gt=0, le=MAX_SIDE_PX, title="Width", description="Of the result; left open, as the photo has it."
    )
    height: float | None = Field(
        None, gt=0, le=MAX_SIDE_PX, title="Height", description="Of the result; left open, as the photo has it."
    )
    unit: Literal["px", "mm"] = Field("px", title="Unit", description="What width and height are in.")
    dpi: float = Field(
        300, ge=30, le=2400, title="Resolution", description="Px per inch, where the size is in mm.",
        json_schema_extra={"x-unit": "dpi"},
    )  # fmt: skip
    which: Which = Field(
        "largest",
        title="Which face",
        description="Of several faces, the `largest`, the one nearest the middle (`center`), or `all`: one result "
        "of each, numbered.",
    )
    straighten: bool = Field(False, title="Straighten", description="Turn the photo until the eyes are level.")
    no_face: NoFace = Field(
        "keep",
        title="Without a face",
        description="`keep` leaves the photo uncropped with a warning, `fail` fails it.",
    )
    background: Colour = colour_field(
        "transparent",
        "Beyond the photo",
        "The colour where the crop reaches beyond the photo; before a new background, that one's.",
    )
    checks: bool = Field(
        False,
        title="Checks",
        description="Measure sharpness, light, eyes and pose as well, and say what should be looked at.",
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The part around the head. Notes the faces and what to look at; warns `no_face` or raises NoFaceFound."""
        return self.apply_all(picture, replace(context, later=()))[0]

    def apply_all(self, picture: Picture, context: Context) -> tuple[Picture, ...]:
        """The same of each face, where all are wanted."""
        faces = faces_of(picture, context)
        context.stage("cropping")
        picture = with_matte(picture, context)
        if context.frame is not None:
            cut = self._by_hand(cut_of(context.frame, picture.placement))
            return (self._taken(picture, cut, nearest(faces, cut.x, cut.y), faces, context, manual=True),)
        if not faces:
            check_faces(faces, None, context, several=False)
            if self.no_face == "fail":
                raise errors.NoFaceFound
            context.warn("no_face", "No face was found; the photo was left uncropped.")
            return (picture,)
        if self.which != "all":
            face = chosen(faces, self.which, picture)
            return (self._taken(picture, context.decided(lambda: self._cut(picture, face)), face, faces, context),)
        several = faces[:MOST_FACES]
        cuts = context.decided(lambda: [self._cut(picture, face) for face in several])
        pairs = zip(cuts, several, strict=False)
        sizes = [self._size(cut, MOST_GROWTH * picture.width * picture.height) for cut in cuts]
        check_size(*sizes[0], context.max_megapixels, sum(across * down for across, down in sizes[1:]))
        results = tuple(self._taken(picture, cut, face, faces, context) for cut, face in pairs)
        if len(results) > 1:
            context.findings.frame = None  # there are several
        return results

    def _taken(
        self, picture: Picture, cut: Cut, face: FoundFace | None, faces: tuple[FoundFace, ...], context: Context,
        *, manual: bool = False,
    ) -> Picture:  # fmt: skip
        """The cut-out; notes the frame, and what of it should be looked at."""
        size = self._size(cut, MOST_GROWTH * picture.width * picture.height)
        check_size(*size, context.max_megapixels)
        result = replace(framed(picture, cut, *size), dpi=(self.dpi, self.dpi) if self._in_mm else picture.dpi)
        context.findings.frame = frame_of(result, manual)
        check_faces(faces, face, context, several=self.which != "all")
        if face is not None:
            head = head_of(face, subject_of(picture))
            check_head(picture, face, head, cut, result, context, whole=self.checks)
            if subject_of(picture) is not None:
                check_hair(result, context)
        colour = parse_colour(self.background)
        if picture.alpha is None and colour[3] == 0 and picture.photo is not None:
            colour = edge_colour(picture)
        return result if picture.alpha is not None else before_colour(result, colour)

    def planned(self, width: int, height: int) -> Size:
        """The size asked for; where the head decides, the most that it may have."""
        growth = MOST_GROWTH**0.5
        if self.width is None and self.height is None:
            return round(growth * width), round(growth * height)
        ratio = self._ratio or TALLEST
        across = self.width or (self.height or 1.0) * max(ratio, 1 / TALLEST if self._ratio is None else ratio)
        down = self.height or across / ratio
        per_unit = self.dpi / MM if self._in_mm else 1.0
        return max(1, round(across * per_unit)), max(1, round(down * per_unit))

    @property
    def _ratio(self) -> float | None:
        """Width by height, where it is given."""
        if self.width is not None and self.height is not None:
            return self.width / self.height
        return None if self.aspect is None else ratio_of(self.aspect)

    @property
    def _in_mm(self) -> bool:
        return self.unit == "mm" and (self.width is not None or self.height is not None)

    def _by_hand(self, cut: Cut) -> Cut:
        """A frame that a person chose, in the shape that the result has."""
        return cut if self._ratio is None else replace(cut, height=cut.width / self._ratio)

    def _cut(self, picture: Picture, face: FoundFace) -> Cut:
        """The frame around the head, level with the photo or with the eyes."""
        head = head_of(face, subject_of(picture))
        x, y, wide, high = _box(head, self.straighten)
        room = 2 * self.margin * head.height
        wide, high = wide + room, high + room
        if self._ratio is not None:
            wide, high = max(wide, high * self._ratio), max(high, wide / self._ratio)
        return Cut(x, y, wide, high, head.angle if self.straighten else 0.0)

    def _size(self, cut: Cut, most: float) -> tuple[int, int]:
        """The result's px; `most` of them where the photo itself says how many. Raises OutputTooLarge."""
        per_unit = self.dpi / MM if self.unit == "mm" else 1.0
        width = None if self.width is None else self.width * per_unit
        height = None if self.height is None else self.height * per_unit
        if width is None and height is None:
            factor = min(1.0, (most / (cut.width * cut.height)) ** 0.5)
            width, height = cut.width * factor, cut.height * factor
        elif width is None:
            width = (height or 1.0) * cut.width / cut.height
        elif height is None:
            height = width * cut.height / cut.width
        if max(width, height or 1.0) > MAX_SIDE_PX:
            raise errors.OutputTooLarge(f"A side of the crop would have more than {MAX_SIDE_PX} pixels.")
        return max(1, round(width)), max(1, round(height or 1.0))


def _box(head: Head, level: bool) -> tuple[float, float, float, float]:
    """Middle and sides of the box from crown to chin and ear to ear: along the head, or upright around it."""
    if level:
        x, y = head.at(0.0, (head.chin - head.crown) / 2)
        return x, y, head.width, head.height
    corners = head.corners()
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
