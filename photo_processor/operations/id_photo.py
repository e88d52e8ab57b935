"""An ID photo: the head at a published size, level, before a plain background, and checked."""

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import AfterValidator, Field

from photo_processor import errors
from photo_processor.imaging.composite import before_colour
from photo_processor.imaging.edges import decontaminated, refined
from photo_processor.imaging.faces import FoundFace, Head, hair_top, head_of
from photo_processor.imaging.framing import Cut, cut_of, frame_of, framed
from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.backgrounds import MAX_LENGTH, asset_of, checked_background, laid
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import parse_colour
from photo_processor.operations.faces import chosen, faces_of, nearest, subject_of
from photo_processor.operations.fields import NoFace
from photo_processor.operations.id_presets import ID_PRESETS, SHADES, IdMeasures, IdPreset
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.operations.review import check_faces, check_head, check_measures
from photo_processor.operations.sizes import check_size

ORIGINAL = "original"
UNSURE = (16, 192)  # levels of a matte: people are not transparent, so what lies above is theirs, below nobody's
OVER_HAIR = 0.5  # mm that stay above it
WITHIN = 0.01  # of a measure, that a head keeps from its end
MM = 25.4  # in an inch


def _background(text: str | None) -> str | None:
    if text is None or text.strip().lower() == ORIGINAL:
        return text if text is None else ORIGINAL
    return checked_background(SHADES.get(text.strip().lower(), text))


class IdPhoto(OperationParams):
    """Make an ID photo."""

    title: ClassVar[str] = "ID photo"
    summary: ClassVar[str] = (
        "The head at the size and eye line that an office asks for, level, before a plain background, and checked."
    )
    short: ClassVar[tuple[str, ...]] = ("preset",)
    looks_at_faces: ClassVar[bool] = True
    varies: ClassVar[bool] = True

    op: Literal["id_photo"] = "id_photo"
    preset: IdPreset = Field(
        "icao_35x45",
        title="For",
        description="Whose measures: size, height of the head, eye line, resolution and background.",
        json_schema_extra={
            "x-labels": {name: measures.title for name, measures in ID_PRESETS.items()},
            "x-measures": {name: measures.told() for name, measures in ID_PRESETS.items()},
        },
    )
    background: Annotated[str | None, AfterValidator(_background)] = Field(
        None,
        max_length=MAX_LENGTH,
        title="Background",
        examples=["white", "grey", "blue", "red", ORIGINAL],
        description="`white`, `grey`, `blue` or `red` as offices have them; `original` keeps the photo's own; or what "
        "`remove_background` takes. Left open, what the measures ask for.",
        json_schema_extra={"x-control": "color-or-transparent"},
    )
    model: str = Field(
        "auto",
        min_length=1,
        max_length=64,
        title="Model",
        description="What finds the person, where no step before has.",
        json_schema_extra={"x-control": "model"},
    )
    dpi: float | None = Field(
        None, ge=72, le=1200, title="Resolution", description="Px per inch; left open, what the measures ask for.",
        json_schema_extra={"x-unit": "dpi"},
    )  # fmt: skip
    which: Literal["largest", "center"] = Field(
        "largest", title="Which face", description="Of several faces, the largest or the one nearest the middle."
    )
    no_face: NoFace = Field(
        "keep",
        title="Without a face",
        description="`keep` leaves the photo as it is with a warning, `fail` fails it.",
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The ID photo. Notes the faces and what to look at; warns `no_face` or raises NoFaceFound."""
        faces = faces_of(picture, context)
        check_faces(faces, None, context, several=False)
        if not faces and context.frame is None:
            if self.no_face == "fail":
                raise errors.NoFaceFound
            context.warn("no_face", "No face was found; the photo was left uncropped.")
            return picture
        known = picture.subject is not None
        base = self._before_removal(picture, context)
        context.stage("cropping")
        face, cut = self._framed(base, faces, context)
        size = self.planned(picture.width, picture.height)
        check_size(*size, context.max_megapixels)
        part = framed(base, cut, *size)
        if self.background_used == ORIGINAL:
            result = replace(before_colour(part, parse_colour(self.measures.background)), matte=part.matte)
        else:
            result = self._on_background(part, raw=not known, mixed=picture.alpha is None, context=context)
        result = replace(result, dpi=(self.resolution, self.resolution))
        context.findings.frame = frame_of(part, context.frame is not None)
        if face is not None:
            self._check(base, face, faces, cut, part, result, context)
        return result

    def planned(self, width: int, height: int) -> Size:
        """What the measures and the resolution say."""
        return self.measures.size(self.dpi)

    @property
    def measures(self) -> IdMeasures:
        """The measures of the preset."""
        return ID_PRESETS[self.preset]

    @property
    def resolution(self) -> float:
        """Px per inch of the result."""
        return self.dpi or self.measures.dpi

    @property
    def background_used(self) -> str:
        """What lies behind the person."""
        return self.measures.background if self.background is None else self.background

    @property
    def assets(self) -> frozenset[str]:
        """The uploaded pictures that this needs."""
        asset = asset_of(self.background_used)
        return frozenset() if asset is None else frozenset({asset})

    def _before_removal(self, picture: Picture, context: Context) -> Picture:
        """The photo with its own background, and the matte: a step before found it, or it is found now.

        The edge is refined once the frame is cut out, since it has a fraction of the photo's px.
        """
        if picture.photo is not None and picture.subject is not None:
            pixels = picture.photo if picture.alpha is None else picture.pixels
            return replace(picture, pixels=pixels, alpha=None, photo=None, matte=picture.subject)
        if picture.subject is not None or self.background_used == ORIGINAL:
            return picture
        # At 1024 px ISNet leaves dark hair half transparent that it takes whole at 768.
        removal = RemoveBackground(model=self.model, quality="balanced", refine=False)
        return replace(picture, matte=removal.matte(picture, context, insists=False))

    def _framed(
        self, picture: Picture, faces: tuple[FoundFace, ...], context: Context
    ) -> tuple[FoundFace | None, Cut]:  # fmt: skip
        measures = self.measures
        if context.frame is not None:
            cut = cut_of(context.frame, picture.placement)
            return nearest(faces, cut.x, cut.y), replace(cut, height=cut.width * measures.height / measures.width)
        face = chosen(faces, self.which, picture)
        return face, context.decided(lambda: self._cut(picture, face))

    def _cut(self, picture: Picture, face: FoundFace) -> Cut:
        head, matte = self._head(picture, face), subject_of(picture)
        return cut_by(head, self.measures, None if matte is None else hair_top(head, matte))

    def _head(self, picture: Picture, face: FoundFace) -> Head:
        return head_of(face, subject_of(picture), hair=self.measures.hair)

    def _on_background(self, part: Picture, *, raw: bool, mixed: bool, context: Context) -> Picture:
        """The person before the new background.

        `raw`: the matte's edge is not refined yet; `mixed`: the edge's colours still have the old background's.
        """
        context.stage("replacing the background")
        if part.matte is None:  # what was transparent when it came
            return laid(part, self.background_used, "cover", context)
        matte, pixels = part.matte, part.pixels
        if raw:
            matte = refined(pixels, firmer(matte))
        if mixed:
            pixels = decontaminated(pixels, matte)
        if part.alpha is not None:
            matte = np.minimum(matte, part.alpha)
        subject = replace(part, pixels=pixels, alpha=matte, matte=matte, photo=part.pixels)
        return laid(subject, self.background_used, "cover", context)

    def _check(
        self, base: Picture, face: FoundFace, faces: tuple[FoundFace, ...], cut: Cut, part: Picture, result: Picture,
        context: Context,
    ) -> None:  # fmt: skip
        head = self._head(base, face)
        check_faces(faces, face, context, several=True)
        seen = result if result.matte is not None else replace(result, matte=_about(head, cut, result))
        check_head(base, face, head, cut, seen, context, whole=True)
        check_measures(head, cut, self.measures, base.placement, part, context)


def firmer(matte: Pixels) -> Pixels:
    """(H, W) uint8: `matte` with less between subject and background."""
    low, high = UNSURE
    levels = np.clip(np.rint((np.arange(256) - low) * 255 / (high - low)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(matte, levels), np.uint8)


def cut_by(head: Head, measures: IdMeasures, hair: float | None = None) -> Cut:
    """The frame that shows `head` as `measures` ask for it, level by the eyes.

    Where hair reaches so many px above the pupils that the frame would cut it, the head is smaller, and then lower, as
    far as the measures allow.
    """
    px, eyes = head.height / measures.head[1], measures.eyes[1]  # px of the picture, to a mm
    if hair is not None:
        least, lowest = measures.head[0] * (1 + WITHIN), measures.eyes[0] + WITHIN * (eyes - measures.eyes[0])
        px = max(px, min(head.height / least, hair / (measures.height - eyes - OVER_HAIR)))
        eyes = min(eyes, max(lowest, measures.height - OVER_HAIR - hair / px))
    down = (measures.height / 2 - (measures.height - eyes)) * px
    x, y = head.at(0.0, down)
    return Cut(x, y, measures.width * px, measures.height * px, head.angle)


def _about(head: Head, cut: Cut, result: Picture) -> Pixels:
    """(H, W) uint8: about where the person is in a result whose matte nobody knows; head and all that is below."""
    scale = result.width / cut.width
    lean = math.radians(-cut.lean)
    across, down = head.eyes[0] - cut.x, head.eyes[1] - cut.y
    x = result.width / 2 + scale * (across * math.cos(lean) - down * math.sin(lean))
    y = result.height / 2 + scale * (across * math.sin(lean) + down * math.cos(lean))
    matte = np.zeros((result.height, result.width), np.uint8)
    left, right = max(0, round(x - 0.6 * head.width * scale)), max(0, round(x + 0.6 * head.width * scale))
    matte[max(0, round(y - 1.15 * head.crown * scale)) :, left:right] = 255
    matte[max(0, round(y + 0.5 * head.chin * scale)) :] = 255
    return matte
