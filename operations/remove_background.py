"""Cut the subject out, and lay something else behind it."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from PIL import Image
from pydantic import AfterValidator, Field

from imaging.edges import decontaminated, refined
from imaging.pictures import Picture, Pixels, Placement
from operations.base import Context, OperationParams
from operations.colour import RGBA, parse_colour
from schemas import Quality

TRANSPARENT = "transparent"
BLUR = "blur"
BLUR_SHARE = 0.03  # the blur's sigma, of the longest side
BLUR_WORK_PX = 512  # a blurred background has no detail that more px would show
EMPTY_SHARE = 0.001  # of the px; the least subject in the test photos covers 0.004


def _background(value: str) -> str:
    text = value.strip().lower()
    if text not in (TRANSPARENT, BLUR):
        try:
            parse_colour(text)
        except ValueError:
            raise ValueError(
                "Neither `transparent` nor `blur` nor a CSS colour such as `white` or `#ffffff`."
            ) from None
    return text


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
    background: Annotated[str, AfterValidator(_background)] = Field(
        TRANSPARENT,
        max_length=64,
        title="Background",
        description="`transparent`, `blur`, or a CSS colour such as `white` or `#1e90ff`.",
        json_schema_extra={"x-control": "color-or-transparent"},
    )
    refine: bool = Field(
        True,
        title="Refine the edge",
        description="Let the edge follow the photo's own detail: hair, fur, thin parts.",
        json_schema_extra={"x-group": "Edges"},
    )
    decontaminate: bool = Field(
        True,
        title="Remove the old background's colour",
        description="Take the old background's colour out of soft edges, so that no halo of it is left.",
        json_schema_extra={"x-group": "Edges"},
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject before its new background. Notes the engine and the mask; warns `no_subject`."""
        matte = self._matte(picture.pixels, context)
        context.findings.mask = _on_source(matte, picture.placement, context.source_size)
        if np.count_nonzero(matte > 127) < EMPTY_SHARE * matte.size:
            context.warn("no_subject", "No subject was found in the photo; the result may be empty.")
        context.check()
        pixels = picture.pixels
        if self.decontaminate:
            with context.timed("decontaminate_s"):
                pixels = decontaminated(pixels, matte)
        alpha = matte if picture.alpha is None else cv2.multiply(matte, picture.alpha, scale=1 / 255)
        subject = replace(picture, pixels=pixels, alpha=np.asarray(alpha, np.uint8), photo=picture.pixels)
        if self.background == TRANSPARENT:
            return subject
        with context.timed("composite_s"):
            if self.background == BLUR:
                behind = _blurred_background(picture.pixels, matte)
                return replace(subject, pixels=_before(pixels, matte, behind), alpha=picture.alpha)
            return _before_colour(subject, parse_colour(self.background))

    def _matte(self, pixels: Pixels, context: Context) -> Pixels:
        """(H, W) uint8: which px of the photo are the subject's. Notes the engine; warns `quality_unavailable`."""
        with context.timed("infer_s"):
            matte = context.models.predict(context.model(self.model), pixels, context.stage, self.quality)
        context.findings.engine = matte.engine
        if matte.engine.quality != self.quality:
            context.warn("quality_unavailable", "The model has no other quality than the best; that was used.")
        if not self.refine:
            return matte.alpha
        context.check()
        with context.timed("refine_s"):
            return refined(pixels, matte.alpha)


def _before_colour(subject: Picture, colour: RGBA) -> Picture:
    if colour[3] == 0 or subject.alpha is None:
        return subject
    front = Image.fromarray(np.dstack((subject.pixels, subject.alpha)))
    laid = np.asarray(Image.alpha_composite(Image.new("RGBA", front.size, colour), front))
    alpha = None if colour[3] == 255 else np.ascontiguousarray(laid[..., 3])
    return replace(subject, pixels=np.ascontiguousarray(laid[..., :3]), alpha=alpha)


def _before(pixels: Pixels, matte: Pixels, behind: Pixels) -> Pixels:
    """The subject before another picture of the same size."""
    return np.asarray(Image.composite(Image.fromarray(pixels), Image.fromarray(behind), Image.fromarray(matte)))


def _blurred_background(pixels: Pixels, matte: Pixels) -> Pixels:
    """`pixels` blurred by background px alone, so that the subject's colours make no halo around it."""
    height, width = pixels.shape[:2]
    factor = min(1.0, BLUR_WORK_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = 1 - cv2.resize(matte, size, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255 + 1e-4
    sigma = max(1.0, BLUR_SHARE * max(size))
    colours = cv2.GaussianBlur(small * weight, (0, 0), sigma)
    weights = cv2.GaussianBlur(weight, (0, 0), sigma)
    blurred = np.clip(np.rint(colours / weights[..., None]), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _on_source(alpha: Pixels, placement: Placement, source_size: tuple[int, int] | None) -> Pixels:
    """`alpha` on the upright source, where the picture may be a crop or another size of it; 0 elsewhere."""
    height, width = alpha.shape
    if source_size is None or (source_size == (width, height) and placement == Placement()):
        return alpha
    x, y = round(placement.x), round(placement.y)
    size = (max(1, round(width * placement.scale_x)), max(1, round(height * placement.scale_y)))
    full = np.zeros((source_size[1], source_size[0]), np.uint8)
    part = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA if placement.scale_x < 1 else cv2.INTER_LINEAR)
    room = full[y : y + size[1], x : x + size[0]]
    room[:] = part[: room.shape[0], : room.shape[1]]
    return full
