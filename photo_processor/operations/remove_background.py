"""Cut the subject out, and lay something else behind it."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field, field_validator

from photo_processor import errors
from photo_processor.imaging.edges import decontaminated, refined, settled
from photo_processor.imaging.ground import are_alike, is_cut_out, on_ground
from photo_processor.imaging.matting import CannotMatte, matted
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.imaging.source_masks import from_source, on_source
from photo_processor.models.inference.classical import FOLLOWING_STROKES
from photo_processor.models.inference.doubts import background_left, part_alone
from photo_processor.models.inference.types import Cutout, Hints, Matte
from photo_processor.operations.backgrounds import (
    ASSET,
    BLUR,
    TRANSPARENT,
    Background,
    Fit,
    asset_of,
    background_field,
    fit_field,
    laid,
)
from photo_processor.operations.base import Context, Known, OperationParams
from photo_processor.operations.fields import parse_length, px_of
from photo_processor.schemas import Engine, Quality

BY_HAND = Engine(model="drawn", runtime="by hand", quality="best")
STROKE_LEVELS = 80  # by which red or green stands out in a stroke, of 255
BESIDE_NETWORKS = frozenset({"opencv", BY_HAND.runtime})
EMPTY_SHARE = 0.001  # of the px; the least subject in the test photos covers 0.004


class RemoveBackground(OperationParams):
    """Find the subject with a model and remove what is behind it."""

    title: ClassVar[str] = "Remove background"
    summary: ClassVar[str] = (
        "Cut the subject out; leave it transparent, lay a colour behind it, or blur what was there."
    )

    op: Literal["remove_background"] = "remove_background"
    model: str = Field(
        "auto",
        min_length=1,
        max_length=64,
        title="Model",
        description="What finds the subject; `auto` takes the best one on this machine.",
        json_schema_extra={"x-control": "model"},
    )
    quality: Quality = Field(
        "best",
        title="Quality",
        description="How closely ISNet looks: `best` at 1024 px, `balanced` at 768, `fast` at 512. The first is the "
        "default because small subjects need it; see docs/models.md for what the others save and lose.",
    )
    background: Background = background_field(TRANSPARENT)
    fit: Fit = fit_field()
    rectangle: str = Field(
        "",
        max_length=60,
        title="Where the subject is",
        description="A box around the subject: left, top, width and height in px or percent, `10% 5% 80% 95%`; left "
        "open, the whole photo is looked at.",
        json_schema_extra={"x-group": "Subject"},
    )
    strokes: str = Field(
        "",
        max_length=80,
        pattern=rf"^({ASSET.pattern})?$",
        title="Strokes",
        description="For `grabcut` and `watershed`: a picture of `POST /api/assets`, `asset:` and its id, of the "
        "photo's shape: green where the subject is for certain, red where it is not.",
        json_schema_extra={"x-group": "Subject"},
    )
    refine: bool = Field(
        True,
        title="Refine the edge",
        description="Let the edge follow the photo's own detail: hair, fur, thin parts.",
        json_schema_extra={"x-group": "Edges"},
    )
    alpha_matting: bool = Field(
        False,
        title="Alpha matting",
        description="Find the edge anew by closed-form matting: finest for hair before plain backgrounds, and some "
        "seconds slower. Where it cannot be done, the file says so and the edge is refined instead.",
        json_schema_extra={"x-group": "Edges"},
    )
    decontaminate: bool = Field(
        True,
        title="Remove the old background's colour",
        description="Take the old background's colour out of soft edges, so that no halo of it is left.",
        json_schema_extra={"x-group": "Edges"},
    )

    @field_validator("rectangle")
    @classmethod
    def _four_lengths(cls, text: str) -> str:
        parts = text.split()
        if len(parts) not in (0, 4):
            raise ValueError("Give four lengths, such as `10% 5% 80% 95%`: left, top, width, height.")
        if any(parse_length(part)[0] <= 0 for part in parts[2:]):
            raise ValueError("The box has no width or height.")
        for part in parts:
            parse_length(part)
        return " ".join(parts)

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject before its new background. Notes the engine and the mask; warns `no_subject`."""
        cutout = self._cutout(picture, context)
        matte, pixels = cutout.alpha, cutout.pixels
        alpha = matte if picture.alpha is None else cv2.multiply(matte, picture.alpha, scale=1 / 255)
        cut = np.asarray(alpha, np.uint8)
        if np.count_nonzero(cut > 127) < EMPTY_SHARE * cut.size:
            context.warn("no_subject", "No subject was found in the photo; the result may be empty.")
        elif picture.alpha is None and context.drawn is None and not self.rectangle:
            _note_doubts(picture.pixels, cut, context)
        context.check()
        subject = replace(picture, pixels=pixels, alpha=cut, matte=cut, photo=picture.pixels, ahead=False)
        if self.background == TRANSPARENT:
            return subject
        with context.timed("composite_s"):
            if self.background == BLUR:
                blurred = laid(replace(subject, alpha=matte), BLUR, self.fit, context)
                return replace(blurred, alpha=picture.alpha)
            return laid(subject, self.background, self.fit, context)

    @property
    def assets(self) -> frozenset[str]:
        """The uploaded pictures that this needs."""
        named = (asset_of(self.background), asset_of(self.strokes))
        return frozenset(asset for asset in named if asset is not None)

    def matte(self, picture: Picture, context: Context, *, insists: bool = True) -> Pixels:
        """(H, W) uint8: which px of the photo are the subject's.

        Notes the engine and the mask; warns `quality_unavailable` where one `insists` on the quality.
        """
        known = self._known(picture, context)
        if known is not None:
            return known
        matte = self._found(picture.pixels, context, insists)
        kept = self._kept(matte, picture.pixels)
        alpha = kept.alpha if kept else self._edges(picture.pixels, matte.alpha, context)
        context.findings.mask = on_source(alpha, picture.placement, context.source_size)
        return alpha

    def _cutout(self, picture: Picture, context: Context) -> Cutout:
        """The subject with its edges done: the one kept from an earlier time, else a new one. Notes engine and mask."""
        known = picture.matte if picture.ahead else self._known(picture, context)
        if known is not None:
            return Cutout(known, self._own_colours(picture.pixels, known, context))
        if picture.alpha is None:
            matte = self._found(picture.pixels, context, insists=True)
            cutout = self._kept(matte, picture.pixels) or self._made(matte, picture.pixels, context)
        else:
            cutout = self._of_transparent(picture, picture.alpha, context)
        context.findings.mask = on_source(cutout.alpha, picture.placement, context.source_size)
        return cutout

    def _of_transparent(self, picture: Picture, alpha: Pixels, context: Context) -> Cutout:
        """The same of a picture with (H, W) uint8 `alpha`: the model sees what a person sees, and what was cut out
        already stays as it is. Warns `cut_out_already`."""
        seen = on_ground(picture.pixels, alpha)
        matte = self._found(seen, context, insists=True)
        alike = are_alike(matte.alpha, alpha)
        if alike or is_cut_out(alpha):
            if not alike:
                text = "The photo is transparent around its subject already; that was kept as it is."
                context.warn("cut_out_already", text)
            return Cutout(np.asarray(cv2.inRange(alpha, 1, 255), np.uint8), picture.pixels)
        cutout = self._kept(matte, seen) or self._made(matte, seen, context)
        own = cv2.inRange(alpha, 255, 255)  # elsewhere the ground shines through
        return Cutout(cutout.alpha, np.asarray(cv2.copyTo(cutout.pixels, own, picture.pixels.copy()), np.uint8))

    def _known(self, picture: Picture, context: Context) -> Pixels | None:
        """The mask that a person drew, or that an earlier run found, where there is one. Notes the engine and it."""
        known = context.known if context.drawn is None else Known(context.drawn, BY_HAND)
        if known is None or known.mask is None:
            return None
        context.findings.mask, context.findings.engine = known.mask, known.engine
        return from_source(known.mask, picture)

    def _kept(self, matte: Matte, pixels: Pixels) -> Cutout | None:
        """The cutout made of the photo before in the same way."""
        return None if self.alpha_matting or matte.cutouts is None else matte.cutouts.get(self._way, pixels)

    def _made(self, matte: Matte, pixels: Pixels, context: Context) -> Cutout:
        """A new cutout, which is kept where mattes are, unless nothing was done that is worth it."""
        alpha = self._edges(pixels, matte.alpha, context)
        context.check()
        made = Cutout(alpha, self._own_colours(pixels, alpha, context))
        if matte.cutouts and not self.alpha_matting and (self.refine or self.decontaminate):
            matte.cutouts.put(self._way, pixels, made)
        return made

    @property
    def _way(self) -> str:
        """How the edges are done."""
        return f"{'refined' if self.refine else 'plain'}-{'own' if self.decontaminate else 'mixed'}"

    def _own_colours(self, pixels: Pixels, alpha: Pixels, context: Context) -> Pixels:
        """(H, W, 3) uint8: the photo, the subject in its own colours where that is asked for."""
        if not self.decontaminate:
            return pixels
        with context.timed("decontaminate_s"):
            return decontaminated(pixels, alpha)

    def _found(self, pixels: Pixels, context: Context, insists: bool) -> Matte:
        """Which px of the photo are the subject's, by the model. Notes the engine.

        Warns `quality_unavailable`, `strokes_unused`.
        """
        hints = self._hints(pixels, context)
        with context.timed("infer_s"):
            asked = (context.model(self.model), pixels, context.stage, self.quality)
            matte = context.models.predict(*asked) if hints.is_empty else context.models.predict(*asked, hints)
        for name, seconds in matte.timings.items():
            context.took(name, seconds)
        context.findings.engine = matte.engine
        if insists and matte.engine.quality != self.quality:
            context.warn("quality_unavailable", "The model has no other quality than the best; that was used.")
        if hints.strokes is not None and matte.engine.model not in FOLLOWING_STROKES:
            names = " and ".join(sorted(FOLLOWING_STROKES))
            context.warn("strokes_unused", f"Only the models {names} follow strokes; they were left out.")
        context.check()
        return matte

    def _hints(self, pixels: Pixels, context: Context) -> Hints:
        """Where the subject is said to be. Raises CropOutside, AssetNotFound."""
        height, width = pixels.shape[:2]
        box = None
        if self.rectangle:
            left, top, wide, high = (
                px_of(part, side) for part, side in zip(self.rectangle.split(), (width, height) * 2, strict=True)
            )
            box = left, top, min(wide, width - left), min(high, height - top)
            if min(box[2:]) < 1:
                raise errors.CropOutside("The box around the subject has no px of the photo.")
        asset = asset_of(self.strokes)
        return Hints(box, None if asset is None else _strokes(context.assets(asset, (width, height)), width, height))

    def _edges(self, pixels: Pixels, matte: Pixels, context: Context) -> Pixels:
        """(H, W) uint8: the matte with its edges done as asked."""
        with context.timed("refine_s"):
            edge = self._found_anew(pixels, matte, context) if self.alpha_matting else None
            if edge is not None:
                return edge
            return settled(refined(pixels, matte)) if self.refine else matte

    def _found_anew(self, pixels: Pixels, matte: Pixels, context: Context) -> Pixels | None:
        """The matte by closed-form matting; None, with the warning `matting_skipped`, where that cannot be done."""
        context.stage("matting the edge")
        try:
            return matted(pixels, matte, context.check)
        except CannotMatte as reason:
            context.warn("matting_skipped", f"Alpha matting was left out: {reason}.")
            return None


def _note_doubts(pixels: Pixels, alpha: Pixels, context: Context) -> None:
    """Warns `part_of_subject`, `background_left` where a network's cutout is likely wrong."""
    engine = context.findings.engine
    if engine is None or engine.runtime in BESIDE_NETWORKS:
        return
    if part_alone(pixels, alpha):
        text = "The cutout may be a part of the subject alone, such as what is printed on it. See whether the model"
        context.warn("part_of_subject", f"{text} 'edges' or the quality 'fast' keeps all of it.")
    elif background_left(pixels, alpha):
        text = "The cutout may hold some of the background, such as inside of letters. Mend the mask by hand."
        context.warn("background_left", text)


def _strokes(picture: Picture, width: int, height: int) -> Pixels:
    """(H, W) uint8: where a drawn picture is green, and where red, as `Hints` has them."""
    size = (width, height)
    drawn = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_NEAREST).astype(np.int16)
    seen = np.ones((height, width), np.bool_)
    if picture.alpha is not None:
        seen = cv2.resize(picture.alpha, size, interpolation=cv2.INTER_NEAREST) > 127
    red, green, blue = drawn[..., 0], drawn[..., 1], drawn[..., 2]
    strokes = np.zeros((height, width), np.uint8)
    strokes[seen & (green - np.maximum(red, blue) > STROKE_LEVELS)] = Hints.SUBJECT
    strokes[seen & (red - np.maximum(green, blue) > STROKE_LEVELS)] = Hints.BACKGROUND
    return strokes
