"""Smooth a camera's noise."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import share_field

MOST_LUMA = 25.0  # levels: what non-local means takes for noise at full strength
MOST_CHROMA = 30.0
PATCH_PX = 3
SEARCH_PX = 9  # 12 MP take 4 s; 21, OpenCV's own, five times that
STRIP_ROWS = 512  # px between two looks at whether the job was cancelled


class Denoise(OperationParams):
    """Non-local means (Buades, Coll, Morel 2005): gently on lightness, more on colour, which shows noise most."""

    title: ClassVar[str] = "Denoise"
    summary: ClassVar[str] = "Smooth a camera's noise and keep the edges; some seconds for a large photo."

    op: Literal["denoise"] = "denoise"
    strength: float = share_field(0.4, 1.0, "Strength", "How much grain goes.")
    colour: float = share_field(0.5, 1.0, "Colour", "How much coloured noise goes.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The smoothed picture."""
        context.stage("removing noise")
        planes = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2YCrCb)
        if self.strength:
            planes[..., 0] = _smooth(np.ascontiguousarray(planes[..., 0]), MOST_LUMA * self.strength, context)
        if self.colour:
            half = max(1, picture.width // 2), max(1, picture.height // 2)
            for channel in (1, 2):
                small = np.asarray(cv2.resize(planes[..., channel], half, interpolation=cv2.INTER_AREA), np.uint8)
                smooth = _smooth(small, MOST_CHROMA * self.colour, context)
                planes[..., channel] = cv2.resize(smooth, (picture.width, picture.height))
        return replace(picture, pixels=np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8))


def _smooth(plane: Pixels, levels: float, context: Context) -> Pixels:
    """(H, W) uint8 `plane` without noise of so many levels."""
    result = np.empty_like(plane)
    for rows, around in _strips(plane.shape[0]):
        context.check()
        smooth = cv2.fastNlMeansDenoising(plane[around], None, levels, PATCH_PX, SEARCH_PX)
        start = rows.start - around.start
        result[rows] = smooth[start : start + rows.stop - rows.start]
    return result


def _strips(height: int) -> Iterator[tuple[slice, slice]]:
    """Rows, and the same with what the search sees beyond them."""
    reach = PATCH_PX + SEARCH_PX
    for top in range(0, height, STRIP_ROWS):
        end = min(height, top + STRIP_ROWS)
        yield slice(top, end), slice(max(0, top - reach), min(height, end + reach))
