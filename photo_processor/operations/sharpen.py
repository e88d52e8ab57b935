"""Make details clearer."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import share_field


class Sharpen(OperationParams):
    """Unsharp mask on the lightness, so that colours have no fringes."""

    title: ClassVar[str] = "Sharpen"
    summary: ClassVar[str] = "Make details clearer, as after shrinking."

    op: Literal["sharpen"] = "sharpen"
    amount: float = share_field(0.6, 3.0, "Amount", "How much of the detail is added.")
    radius: float = Field(
        1.0, ge=0.3, le=20, title="Radius", description="Size of the details.", json_schema_extra={"x-unit": "px"}
    )
    threshold: int = Field(
        3, ge=0, le=50, title="Threshold", description="Levels of difference that count as noise and stay as they are."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The sharpened picture."""
        context.stage("adjusting colours")
        planes = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2YCrCb)
        luma = np.ascontiguousarray(planes[..., 0])
        soft = cv2.GaussianBlur(luma, (0, 0), self.radius)
        detail = cv2.subtract(luma, soft, dtype=cv2.CV_16S)
        levels = np.arange(-255, 256, dtype=np.float32)
        kept = np.sign(levels) * np.maximum(0, np.abs(levels) - self.threshold) * self.amount
        added = np.rint(kept).astype(np.int16)[detail + 255]
        planes[..., 0] = cv2.add(luma, added, dtype=cv2.CV_8U)
        return replace(picture, pixels=np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8))
