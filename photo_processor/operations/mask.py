"""The subject's shape alone."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import Context, OperationParams


class Mask(OperationParams):
    """White where the subject is, black elsewhere."""

    title: ClassVar[str] = "Mask"
    summary: ClassVar[str] = "Show the subject's shape alone: white on black."

    op: Literal["mask"] = "mask"
    invert: bool = Field(False, title="Invert", description="Black on white.")
    threshold: int | None = Field(
        None, ge=1, le=255, title="Threshold", description="The level from which on a px is white; left open, edges "
        "stay soft.",
    )  # fmt: skip

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The mask as a picture without transparency. Warns `no_subject_known`: it is white then."""
        subject = picture.subject
        if subject is None:
            context.warn("no_subject_known", "The photo has no transparency and nothing was cut out of it.")
            subject = np.full(picture.pixels.shape[:2], 255, np.uint8)
        if self.threshold is not None:
            subject = np.asarray(np.where(subject >= self.threshold, 255, 0), np.uint8)
        if self.invert:
            subject = np.asarray(cv2.bitwise_not(subject), np.uint8)
        grey = np.asarray(cv2.cvtColor(subject, cv2.COLOR_GRAY2RGB), np.uint8)
        return replace(picture, pixels=grey, alpha=None, matte=picture.subject)
