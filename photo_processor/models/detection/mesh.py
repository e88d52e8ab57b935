"""A found face, measured: MediaPipe's Face Mesh, as OpenCV runs it.

468 points (Kartynnik, Ablavatski, Grishchenko, Grundmann, "Real-time facial surface geometry from monocular video on
mobile GPUs", 2019). The network wants a level face that fills two thirds of a square of 192 px, so a face is looked at
again as it was found to lie, until it lies level.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace, Point, lean
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.detection.closeup import CloseUp

PX = 192  # side of the network's input
POINTS = 468
OUTPUTS = ("conv2d_21", "conv2d_31")  # the points, in px of the input; the logit of there being a face
ROOM = 1.5  # sides of a face that the input shows
LOOKS = 6
BESIDE = (0.9, 1.1)  # times its room, of two more looks
LEVEL = 0.5  # degrees, and
SAME = 0.01  # of its side: by which two looks may differ
SURE = 0.0  # logit of there being a face from which its points are believed: even odds

# Numbers of points. Sides are those of an upright picture.
LEFT_EYE = (33, 133, 158, 159, 160, 144, 145, 153)  # its corners and lids
RIGHT_EYE = (263, 362, 385, 386, 387, 373, 374, 380)
EYE_CORNERS = (33, 263)  # the outer ones
NOSE, MOUTH_CORNERS, LIPS = 1, (61, 291), (13, 14)
FOREHEAD, CHIN = 10, 152
CHEEKS = (234, 454)
LEVEL_PITCH = 6.0  # degrees between forehead and chin of a face that looks ahead: the median of 110 portraits

Coordinates = NDArray[np.float64]


@dataclass(frozen=True)
class _Look:
    """One look: (468, 2) px of the photo, the same with their depth in px of the input, how far the face leans."""

    points: Coordinates
    seen: Coordinates
    angle: float

    def box(self) -> tuple[Point, float]:
        """The middle and the longer side of the face, level as it leans."""
        turn = math.radians(self.angle)
        axes = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        level = self.points @ axes.T
        low, high = level.min(axis=0), level.max(axis=0)
        middle = axes.T @ ((low + high) / 2)
        return (float(middle[0]), float(middle[1])), float((high - low).max())


class FaceMesh:
    """The network of the TFLite file at `path`. Thread-safe; photos take turns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._network = cv2.dnn.readNetFromTFLite(str(path))
            self._run(np.zeros((PX, PX, 3), np.uint8))
        except cv2.error as problem:
            raise errors.ModelBroken("The file of the face landmarks cannot be used.") from problem

    def measured(self, pixels: Pixels, face: FoundFace) -> FoundFace | None:
        """`face` of (H, W, 3) uint8 RGB `pixels` with the points, the chin and the turn that the network sees.

        None where the network sees no face there. A look takes 3 ms of processor time, a face four to six. The
        mean of three looks has half the error of one: between copies of a photo, turned and scaled, chins differ by
        0.1 % of their distance from the eyes (median standard deviation).
        """
        middle, side, angle = face.middle, max(face.width, face.height), face.angle
        for _ in range(LOOKS):
            look = self._look(CloseUp(pixels, middle, ROOM * side, PX), angle)
            if look is None:
                return None
            turned, before = (look.angle - angle + 180) % 360 - 180, side
            angle, (middle, side) = look.angle, look.box()
            if side < 1:
                return None
            if abs(turned) < LEVEL and abs(side / before - 1) < SAME:
                break
        close = CloseUp(pixels, middle, ROOM * side, PX, max(BESIDE))
        more = (self._look(close, angle, sides) for sides in BESIDE)
        looks = [one for one in (look, *more) if one is not None]
        return _with(face, _mean([one.points for one in looks]), _mean([one.seen for one in looks]))

    def _look(self, close: CloseUp, angle: float, sides: float = 1.0) -> _Look | None:
        part, back = close.level(angle, sides)
        seen, logit = self._run(part)
        if logit < SURE:
            return None
        points = np.array([back(x, y) for x, y, _ in seen])
        return _Look(points, seen, _lean(points))

    def _run(self, pixels: Pixels) -> tuple[Coordinates, float]:
        """(468, 3) px of the input and depth, and the logit of there being a face, in (192, 192, 3) uint8 RGB."""
        with self._lock:
            self._network.setInput(cv2.dnn.blobFromImage(pixels, 1 / 255))
            points, face = self._network.forward(OUTPUTS)
            return np.array(points, np.float64).reshape(POINTS, 3), float(face.ravel()[0])


def _with(face: FoundFace, points: Coordinates, seen: Coordinates) -> FoundFace:
    eyes = _middle(points, LEFT_EYE), _middle(points, RIGHT_EYE)
    corners = (_point(points, number) for number in MOUTH_CORNERS)
    return replace(
        face,
        landmarks=(*eyes, _point(points, NOSE), *corners),
        eyes=eyes,
        angle=_lean(points),
        chin=_point(points, CHIN),
        mouth_open=_apart(seen, LIPS) / max(1.0, _apart(seen, MOUTH_CORNERS)),
        yaw=_turn(seen, CHEEKS, 0),
        pitch=_turn(seen, (FOREHEAD, CHIN), 1) - LEVEL_PITCH,
    )


def _apart(points: Coordinates, ends: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[ends[1]] - points[ends[0]]))


def _mean(looks: Sequence[Coordinates]) -> Coordinates:
    return np.asarray(np.mean(looks, axis=0), np.float64)


def _lean(points: Coordinates) -> float:
    left, right = (_point(points, number) for number in EYE_CORNERS)
    return lean((left, right))


def _middle(points: Coordinates, numbers: Sequence[int]) -> Point:
    x, y = points[list(numbers)].mean(axis=0)
    return float(x), float(y)


def _point(points: Coordinates, number: int) -> Point:
    return float(points[number][0]), float(points[number][1])


def _turn(seen: Coordinates, ends: tuple[int, int], axis: int) -> float:
    """Degrees by which the second of two points lies farther away than the first, along one axis of the face."""
    along = seen[ends[1]] - seen[ends[0]]
    return math.degrees(math.atan2(along[2], along[axis]))
