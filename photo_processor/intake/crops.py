"""Crops that a person chose: checked, and made whole."""

import math

from photo_processor import errors
from photo_processor.schemas import CropRequest, Frame, JobFile

LEAST_PX = 8.0  # of a side
MOST_BEYOND = 3.0  # times the photo's longer side that a frame may be long


def frame_wanted(request: CropRequest, file: JobFile) -> Frame:
    """The frame that `request` means of `file`.

    Raises:
        errors.ResultNotReady: the photo's size is not known yet.
        errors.InvalidCrop: it is too small or too large, or lies beside the photo.
    """
    if file.width is None or file.height is None:
        raise errors.ResultNotReady
    shape = file.crop.height / file.crop.width if file.crop else 1.0
    height = request.width * shape if request.height is None else request.height
    x, y = request.centre
    if min(request.width, height) < LEAST_PX or max(request.width, height) > MOST_BEYOND * max(file.width, file.height):
        raise errors.InvalidCrop("A crop has at least 8 px a side, and at most three times the photo's longer side.")
    if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= file.width and 0 <= y <= file.height):
        raise errors.InvalidCrop(f"The crop's middle lies outside the photo, {file.width} x {file.height} px.")
    return Frame(centre=(x, y), width=request.width, height=height, angle=request.angle, manual=True)
