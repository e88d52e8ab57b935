"""Take the colour away."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np

from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import share_field


class Grayscale(OperationParams):
    """Black and white, wholly or in part."""

    title: ClassVar[str] = "Black and white"
    summary: ClassVar[str] = "Take the colour away, wholly or in part."

    op: Literal["grayscale"] = "grayscale"
    strength: float = share_field(1.0, 1.0, "Strength", "How much of the colour goes.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The picture in grey, by its luma (Rec. 601)."""
        context.stage("adjusting colours")
        grey = cv2.cvtColor(cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        if self.strength < 1:
            grey = cv2.addWeighted(grey, self.strength, picture.pixels, 1 - self.strength, 0)
        return replace(picture, pixels=np.asarray(grey, np.uint8))
