"""Faces by Haar's cascades, which come with OpenCV: frontal ones, where no network is."""

import math
import threading
from itertools import product
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from cv2.data import haarcascades

from imaging.faces import FoundFace, Point, lean
from imaging.framing import Cut, framed
from imaging.geometry import Box
from imaging.pictures import Picture, Pixels
from imaging.reduction import reduced

NAME = "haar"
WORK_PX = 640  # longest side while looking; a face needs 24 px there
EYES_WORK_PX = 900  # longest side while looking for eyes, which need 20 px there
MIN_FACE_PX = 24
SCALE_STEP = 1.1
MIN_NEIGHBOURS = 4
SURE_NEIGHBOURS = 12  # as many overlapping hits need no eyes: sunglasses, closed eyes
EYES_FROM_PX = 48  # eyes of smaller faces cannot be found
EYE_WORK_PX = 120  # width of a face while looking for its eyes
EYE_SHARE = 0.12  # least width of an eye, of the face's
TRIALS = (-18.0, 18.0, -36.0, 36.0, 90.0, -90.0, 180.0)  # degrees: the cascades find faces that lean by about 12
LOOKS = (0.0, -4.0, 4.0)  # degrees beside the one found: the mean of three looks has half the error of one
STEADY = 6.0  # degrees by which looks may differ and still be believed
APART = (0.28, 0.75)  # distance of the eyes, in face widths
AROUND = 0.8  # of a face's width: what is looked at on each side of it for its eyes
OPEN_ROOM = 1.1  # side of the square about a pupil, in units of the head,
OPEN_PX = 110  # and in px, in which an open eye is looked for
OPEN_LEAST_PX = 36
STEEPEST = 0.5  # slope of a line through two eyes of one face that leans by 12 degrees, and twice that


def haar_faces(pixels: Pixels) -> tuple[FoundFace, ...]:
    """The faces in (H, W, 3) uint8 RGB `pixels`, largest first.

    Upright ones first; where there are none, one that leans by up to 45 degrees or lies on its side is looked for, and
    believed if it has two eyes.
    """
    small, factor = _small(pixels)
    found = tuple(FoundFace(*box, detector=NAME) for box in find_faces(pixels))
    if found:
        return (_with_eyes(found[0], small, factor), *found[1:])
    tilted = _tilted(small)
    return () if tilted is None else (_scaled(tilted, 1 / factor),)


def find_faces(pixels: Pixels) -> list[Box]:
    """Boxes (x, y, width, height in px) of the upright faces in (H, W, 3) uint8 RGB `pixels`, largest first."""
    height, width = pixels.shape[:2]
    factor = min(1.0, WORK_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if min(size) < MIN_FACE_PX:
        return []
    grey = cv2.cvtColor(reduced(pixels, *size), cv2.COLOR_RGB2GRAY)
    boxes = _detect(np.asarray(grey, np.uint8))
    scaled = [[round(side / factor) for side in box] for box in boxes]
    inside = [(x, y, min(wide, width - x), min(high, height - y)) for x, y, wide, high in scaled]
    return sorted(inside, key=lambda box: -box[2] * box[3])


def _detect(grey: Pixels) -> list[Box]:
    """Boxes in px of `grey`.

    In 150 street photos this finds 24 of 39 bare faces, in 60 photos without people one false one. Without the look
    for eyes it is 24 and four, with an equalised histogram besides 20 and five.
    """
    found, hits = _kept_cascade("frontalface_alt2").detectMultiScale2(
        grey, scaleFactor=SCALE_STEP, minNeighbors=MIN_NEIGHBOURS, minSize=(MIN_FACE_PX, MIN_FACE_PX)
    )
    eyes = _kept_cascade("eye_tree_eyeglasses")
    boxes = [(int(x), int(y), int(width), int(height)) for x, y, width, height in found]
    return [
        box
        for box, count in zip(boxes, hits, strict=True)
        if count >= SURE_NEIGHBOURS or box[2] < EYES_FROM_PX or _has_eye(grey, box, eyes)
    ]


def _cascade(name: str) -> cv2.CascadeClassifier:
    """A cascade from OpenCV's wheel, read in 15 ms."""
    return cv2.CascadeClassifier(str(Path(haarcascades) / f"haarcascade_{name}.xml"))


def find_eyes(pixels: Pixels, face: Box) -> list[Box]:
    """Boxes (x, y, width, height in px) of what looks like eyes in the upper part of a face in (H, W, 3) uint8 RGB."""
    x, y, width, height = face
    part = cv2.cvtColor(pixels[y : y + round(0.65 * height), x : x + width], cv2.COLOR_RGB2GRAY)
    factor = max(1.0, 2 * EYE_WORK_PX / width)
    large = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    least = round(EYE_SHARE * width * factor)
    found = _kept_cascade("eye_tree_eyeglasses").detectMultiScale(
        large, scaleFactor=1.05, minNeighbors=3, minSize=(least, least)
    )
    return [
        (x + round(left / factor), y + round(top / factor), round(wide / factor), round(high / factor))
        for left, top, wide, high in found
    ]


def _has_eye(grey: Pixels, box: Box, eyes: cv2.CascadeClassifier) -> bool:
    x, y, width, height = box
    factor = max(1.0, EYE_WORK_PX / width)
    upper = cv2.resize(
        grey[y : y + round(0.65 * height), x : x + width], None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC
    )
    least = round(EYE_SHARE * width * factor)
    return len(eyes.detectMultiScale(upper, scaleFactor=1.05, minNeighbors=1, minSize=(least, least))) > 0


def eye_hits(pixels: Pixels, eyes: tuple[Point, Point], unit: float, angle: float, enough: int) -> int:
    """How often two cascades that were trained on open eyes find one where the eyes are; no more are counted than are
    `enough`.

    `unit` and `angle` are the head's. In 215 faces of real photos, half of them masked, those with eyes shut or behind
    dark glasses had ten hits or fewer, most of them none; of the bare faces with open eyes 3 in 100 had fewer than six,
    all of them squinting.
    """
    hits = 0
    for name in ("eye", "eye_tree_eyeglasses"):
        for eye in eyes:
            if hits < enough:
                hits += _hits_at(pixels, eye, unit, angle, name)
    return hits


def _hits_at(pixels: Pixels, eye: Point, unit: float, angle: float, name: str) -> int:
    side = OPEN_ROOM * unit
    part = framed(Picture(pixels), Cut(*eye, side, side, angle), OPEN_PX, OPEN_PX)
    grey = np.asarray(cv2.cvtColor(part.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    least = OPEN_LEAST_PX, OPEN_LEAST_PX
    _, counts = _kept_cascade(name).detectMultiScale2(grey, scaleFactor=1.06, minNeighbors=1, minSize=least)
    return int(np.sum(counts)) if len(counts) else 0


_CASCADES = threading.local()


def _kept_cascade(name: str) -> cv2.CascadeClassifier:
    """A cascade that is this thread's own: one does not bear two."""
    if not hasattr(_CASCADES, name):
        setattr(_CASCADES, name, _cascade(name))
    return cast(cv2.CascadeClassifier, getattr(_CASCADES, name))


def _small(pixels: Pixels) -> tuple[Pixels, float]:
    """`pixels` at the size in which eyes are looked for, and its share of the px along a side."""
    height, width = pixels.shape[:2]
    factor = min(1.0, EYES_WORK_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return (pixels if factor == 1 else reduced(pixels, *size)), factor


def _scaled(face: FoundFace, factor: float) -> FoundFace:
    return face.mapped(lambda x, y: (x * factor, y * factor))


def _with_eyes(face: FoundFace, small: Pixels, factor: float) -> FoundFace:
    """The upright face with its eyes, where three looks agree on how they lie."""
    left, top = (max(0, int(factor * (at - AROUND * face.width))) for at in (face.x, face.y))
    right, bottom = (int(factor * (at + (1 + AROUND) * face.width)) for at in (face.x, face.y))
    region = np.ascontiguousarray(small[top:bottom, left:right])
    first = _leaning(region, 0.0)
    eyes = None if first is None else _steady(region, lean(first[1]))
    if eyes is None:
        return face
    pair = tuple(((x + left) / factor, (y + top) / factor) for x, y in eyes)
    middle = (pair[0][0] + pair[1][0]) / 2, (pair[0][1] + pair[1][1]) / 2
    inside = face.x < middle[0] < face.x + face.width and face.y < middle[1] < face.y + face.height
    if not inside:
        return face
    return FoundFace(face.x, face.y, face.width, face.height, NAME, eyes=(pair[0], pair[1]), angle=lean(eyes))


def _tilted(small: Pixels) -> FoundFace | None:
    """A face that leans or lies, with its eyes."""
    for trial in TRIALS:
        first = _leaning(small, trial)
        if first is None:
            continue
        eyes = _steady(small, lean(first[1]))
        if eyes is not None:
            face = first[0]
            return FoundFace(face.x, face.y, face.width, face.height, NAME, eyes=eyes, angle=lean(eyes))
    return None


def _steady(small: Pixels, angle: float) -> tuple[Point, Point] | None:
    """The eyes of the largest face, looked for at three angles near `angle`; None where the looks do not agree."""
    looks = [found[1] for look in LOOKS if (found := _leaning(small, angle + look)) is not None]
    if len(looks) < 2:
        return None
    leans = [(lean(eyes) - angle + 180) % 360 - 180 for eyes in looks]
    if np.ptp(leans) > STEADY:
        return None
    left, right = np.median(np.array(looks), axis=0)
    turned = math.radians(float(np.median(leans)) + angle)
    # The median of each number alone may lean otherwise than the looks do.
    middle, half = (left + right) / 2, math.dist(left, right) / 2
    across = half * math.cos(turned), half * math.sin(turned)
    return (
        (float(middle[0]) - across[0], float(middle[1]) - across[1]),
        (float(middle[0]) + across[0], float(middle[1]) + across[1]),
    )


def _leaning(pixels: Pixels, trial: float) -> tuple[FoundFace, tuple[Point, Point]] | None:
    """The largest face and its eyes, looked for in the photo turned back by `trial` degrees."""
    turned, back = turned_back(pixels, trial)
    for box in find_faces(turned)[:1]:
        pair = _pair(box, find_eyes(turned, box))
        if pair is not None:
            face = FoundFace(*box, detector=NAME).mapped(back)
            return face, (back(*pair[0]), back(*pair[1]))
    return None


def turned_back(pixels: Pixels, degrees: float) -> tuple[Pixels, "Back"]:
    """(H, W, 3) uint8 `pixels` turned counterclockwise by `degrees` about their middle, and the way back to them."""
    height, width = pixels.shape[:2]
    if degrees == 0:
        return pixels, Back(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    quarter = abs(degrees) == 90
    size = (height, width) if quarter else (width, height)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), Back(np.asarray(cv2.invertAffineTransform(matrix), np.float64))


class Back:
    """From a turned picture to the one that was turned."""

    def __init__(self, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
        self._matrix = matrix

    def __call__(self, x: float, y: float) -> Point:
        at = self._matrix @ (x, y, 1.0)
        return float(at[0]), float(at[1])


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
