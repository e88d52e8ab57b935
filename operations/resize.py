"""Give the photo another size."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field, model_validator

from imaging.pictures import Picture, Pixels
from operations.base import Context, OperationParams

MAX_SIDE_PX = 20_000


class Resize(OperationParams):
    """Scale to a width, a height, or into both."""

    title: ClassVar[str] = "Resize"
    summary: ClassVar[str] = "Scale the photo to a width, a height, or into both."

    op: Literal["resize"] = "resize"
    width: int | None = Field(
        None, ge=1, le=MAX_SIDE_PX, title="Width", description="Left open, it follows the height.",
        json_schema_extra={"x-unit": "px"},
    )  # fmt: skip
    height: int | None = Field(
        None, ge=1, le=MAX_SIDE_PX, title="Height", description="Left open, it follows the width.",
        json_schema_extra={"x-unit": "px"},
    )  # fmt: skip
    mode: Literal["fit", "fill", "stretch"] = Field(
        "fit",
        title="Mode",
        description="`fit` lies within both, `fill` covers both and cuts off the rest, `stretch` takes both exactly.",
    )
    enlarge: bool = Field(False, title="Enlarge", description="Also make small photos larger.")

    @model_validator(mode="after")
    def _has_a_side(self) -> "Resize":
        if self.width is None and self.height is None:
            raise ValueError("Give a width, a height, or both.")
        return self

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The picture scaled; alpha with it, without colours of transparent px bleeding in."""
        context.stage("resizing")
        if self.mode == "fill" and self.width and self.height:
            picture = _crop_to_ratio(picture, self.width / self.height)
        width, height = self._size(picture.width, picture.height)
        if (width, height) == (picture.width, picture.height):
            return picture
        return scaled(picture, width, height)

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """The new size in px of a picture of `width` x `height` px."""
        factor_x = self.width / width if self.width else None
        factor_y = self.height / height if self.height else None
        if self.mode != "stretch" or factor_x is None or factor_y is None:
            factors = [factor for factor in (factor_x, factor_y) if factor is not None]
            factor_x = factor_y = max(factors) if self.mode == "fill" else min(factors)
        if not self.enlarge:
            factor_x, factor_y = min(1.0, factor_x), min(1.0, factor_y)
        return max(1, round(width * factor_x)), max(1, round(height * factor_y))


def _crop_to_ratio(picture: Picture, ratio: float) -> Picture:
    """The largest middle part of `picture` that is `ratio` times as wide as high."""
    width = min(picture.width, max(1, round(picture.height * ratio)))
    height = min(picture.height, max(1, round(picture.width / ratio)))
    return cropped(picture, (picture.width - width) // 2, (picture.height - height) // 2, width, height)


def cropped(picture: Picture, x: int, y: int, width: int, height: int) -> Picture:
    """The part of `picture` of `width` x `height` px that begins at `x`, `y`; it lies within the picture."""

    def part(plane: Pixels | None) -> Pixels | None:
        return None if plane is None else np.ascontiguousarray(plane[y : y + height, x : x + width])

    pixels = np.ascontiguousarray(picture.pixels[y : y + height, x : x + width])
    placement = picture.placement.cropped(x, y)
    return replace(picture, pixels=pixels, alpha=part(picture.alpha), photo=part(picture.photo), placement=placement)


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """`picture` at `width` x `height` px: by area when shrinking, by Lanczos when enlarging."""
    shrinks = width <= picture.width and height <= picture.height
    by = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4

    def plane(pixels: Pixels) -> Pixels:
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=by), np.uint8)

    placement = picture.placement.scaled(width / picture.width, height / picture.height)
    photo = None if picture.photo is None else plane(picture.photo)
    if picture.alpha is None:
        return replace(picture, pixels=plane(picture.pixels), photo=photo, placement=placement)
    weight = picture.alpha[..., None].astype(np.float32) / 255
    weighted = cv2.resize(picture.pixels * weight, (width, height), interpolation=by)
    weights = cv2.resize(weight, (width, height), interpolation=by)
    colours = np.divide(weighted, weights[..., None], where=weights[..., None] > 1 / 512, out=np.zeros_like(weighted))
    pixels = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    return replace(picture, pixels=pixels, alpha=plane(picture.alpha), photo=photo, placement=placement)
