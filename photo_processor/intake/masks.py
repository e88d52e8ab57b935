"""Masks that a person drew: checked, brought to their photo's size, stored."""

from pathlib import Path

import cv2
import numpy as np

from photo_processor import errors
from photo_processor.imaging.decode import SNIFF_BYTES, mask_of, sniff
from photo_processor.imaging.encode import png

SHAPE_SLACK = 0.02  # of the ratio of width to height; a mask drawn on a small preview is a px off


def mask_png(part: Path, width: int, height: int, max_megapixels: float) -> bytes:
    """The mask in `part` as a grey PNG of `width` x `height` px.

    Raises:
        errors.InvalidMask: it is no PNG, or of another shape; and what decoding raises.
    """
    with part.open("rb") as file:
        if sniff(file.read(SNIFF_BYTES)) != "image/png":
            raise errors.InvalidMask("The mask is not a PNG.")
    mask = mask_of(part, max_megapixels)
    ratio = width / height
    if abs(mask.shape[1] / mask.shape[0] - ratio) > SHAPE_SLACK * ratio:
        raise errors.InvalidMask(f"The mask must have the shape of the photo, {width} x {height} px.")
    if mask.shape != (height, width):
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return png(mask)
