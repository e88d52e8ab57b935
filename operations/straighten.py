"""Level the photo by the eyes."""

import math
from itertools import product
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

import errors
from imaging.geometry import Box
from imaging.pictures import Picture, Pixels
from operations.base import Context, OperationParams
from operations.colour import Colour, colour_field
from operations.crop_face import find_eyes, find_faces
from operations.fields import NoFace
from operations.rotate import EXTENT, Extent, rotated

WORK_PX = 900  # longest side while looking: eyes need 20 px there
TRIALS = (0.0, -18.0, 18.0, -36.0, 36.0)  # degrees: the cascades find faces that lean by about 12
LOOKS = (0.0, -4.0, 4.0)  # degrees beside the one found: the mean of three looks has half the error of one
STEADY = 6.0  # degrees by which looks may differ and still be believed
LEVEL = 0.7  # degrees that nobody sees
APART = (0.28, 0.75)  # distance of the eyes, in face widths
STEEPEST = 0.5  # slope of a line through two eyes of one face that leans by 12 degrees, and twice that


class Straighten(OperationParams):
    """Turn the photo until the line through both eyes of the largest face is level."""

    title: ClassVar[str] = "Straighten"
    summary: ClassVar[str] = "Turn the photo until the eyes of the largest face are level."

    op: Literal["straighten"] = "straighten"
    most: float = Field(
        30, ge=0, le=45, title="At most", description="A photo that leans further is left as it is.",
        json_schema_extra={"x-unit": "°"},
    )  # fmt: skip
    extent: Extent = Field("expand", title="Size", description=EXTENT)
    background: Colour = colour_field("transparent", "Corners", "The colour of the empty corners.")
    no_face: NoFace = Field(
        "keep", title="Without a face", description="`keep` leaves the photo with a warning, `fail` fails it."
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The levelled picture. Warns `no_eyes`, or raises NoFaceFound."""
        context.stage("finding the face")
        photo = picture.pixels if picture.photo is None else picture.photo
        angle = context.decided(lambda: eye_line(photo))
        if angle is None or abs(angle) > self.most:
            if self.no_face == "fail":
                raise errors.NoFaceFound
            context.warn("no_eyes", "No level could be told from a pair of eyes; the photo was not turned.")
            return picture
        if abs(angle) < LEVEL:
            return picture
        context.stage("turning")
        return rotated(picture, -angle, self.extent, self.background)


def eye_line(pixels: Pixels) -> float | None:
    """Degrees clockwise by which the eyes of the largest face in (H, W, 3) uint8 RGB lean; None where not found."""
    factor = min(1.0, WORK_PX / max(pixels.shape[:2]))
    small = np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    for trial in TRIALS:
        first = _leaning(small, trial)
        if first is None:
            continue
        looks = [found for look in LOOKS if (found := _leaning(small, first + look)) is not None]
        if len(looks) >= 2 and np.ptp(looks) <= STEADY:
            return float(np.median(looks))
    return None


def _leaning(pixels: Pixels, trial: float) -> float | None:
    """Degrees by which the eyes lean, looked for in the photo turned back by `trial` degrees."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), trial, 1.0)
    turned = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE) if trial else pixels
    turned = np.asarray(turned, np.uint8)
    for face in find_faces(turned)[:1]:
        pair = _pair(face, find_eyes(turned, face))
        if pair is not None:
            (left_x, left_y), (right_x, right_y) = pair
            return trial + math.degrees(math.atan2(right_y - left_y, right_x - left_x))
    return None


Point = tuple[float, float]


def _pair(face: Box, eyes: list[Box]) -> tuple[Point, Point] | None:
    """The middles of two eyes, the left one first, that lie as eyes of one face do; None where there are none."""
    middles = [(x + width / 2, y + height / 2) for x, y, width, height in eyes]
    middle = face[0] + face[2] / 2
    pairs = [
        (one, other)
        for one, other in product(middles, middles)
        if one[0] < middle < other[0]
        and APART[0] <= (other[0] - one[0]) / face[2] <= APART[1]
        and abs(other[1] - one[1]) <= STEEPEST * (other[0] - one[0])
    ]
    # Of several, the pair that is most evenly about the face's middle.
    return min(pairs, key=lambda pair: abs((pair[0][0] + pair[1][0]) / 2 - middle), default=None)
