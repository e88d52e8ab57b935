"""Cut the subject out, and lay something else behind it."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from PIL import Image
from pydantic import AfterValidator, Field

from image_io import Picture, Pixels, Placement
from operations.base import Context, OperationParams
from operations.colour import RGBA, parse_colour

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
    background: Annotated[str, AfterValidator(_background)] = Field(
        TRANSPARENT,
        max_length=64,
        title="Background",
        description="`transparent`, `blur`, or a CSS colour such as `white` or `#1e90ff`.",
        json_schema_extra={"x-control": "color-or-transparent"},
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject before its new background. Notes the engine and the mask; warns `no_subject`."""
        matte = context.models.predict(context.model(self.model), picture.pixels, context.stage)
        context.findings.engine = matte.engine
        context.findings.mask = _on_source(matte.alpha, picture.placement, context.source_size)
        if np.count_nonzero(matte.alpha > 127) < EMPTY_SHARE * matte.alpha.size:
            context.warn("no_subject", "No subject was found in the photo; the result may be empty.")
        context.check()
        alpha = matte.alpha if picture.alpha is None else cv2.multiply(matte.alpha, picture.alpha, scale=1 / 255)
        subject = replace(picture, alpha=np.asarray(alpha, np.uint8), photo=picture.pixels)
        if self.background == TRANSPARENT:
            return subject
        if self.background == BLUR:
            return replace(subject, pixels=_before_blur(picture.pixels, matte.alpha), alpha=picture.alpha)
        return _before_colour(subject, parse_colour(self.background))


def _before_colour(subject: Picture, colour: RGBA) -> Picture:
    if colour[3] == 0 or subject.alpha is None:
        return subject
    front = Image.fromarray(np.dstack((subject.pixels, subject.alpha)))
    laid = np.asarray(Image.alpha_composite(Image.new("RGBA", front.size, colour), front))
    alpha = None if colour[3] == 255 else np.ascontiguousarray(laid[..., 3])
    return replace(subject, pixels=np.ascontiguousarray(laid[..., :3]), alpha=alpha)


def _before_blur(pixels: Pixels, matte: Pixels) -> Pixels:
    """The subject before its own blurred background."""
    behind = Image.fromarray(_blurred_background(pixels, matte))
    return np.asarray(Image.composite(Image.fromarray(pixels), behind, Image.fromarray(matte)))


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
