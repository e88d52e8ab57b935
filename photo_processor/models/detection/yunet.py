"""Faces by YuNet (Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", 2023), as OpenCV runs it."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace, Point, lean
from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import at_most
from photo_processor.models.detection.closeup import CloseUp, turned_back

NAME = "yunet"
NEAR_PX = 320  # longest sides at which is looked: for faces that fill the photo,
WORK_PX = 640  # for most,
FAR_PX = 1280  # and for those in the distance
LEAST_SIDE = 32  # of the network's input
SCORE = 0.6
TURNED_SCORE = 0.75  # of a face in a photo that was turned: five more looks would bring five times the false alarms
SURE_SCORE = 0.87  # above which nobody looks further
LARGE_SHARE = 0.45  # of the photo's longest side: what is larger is looked at from farther away
SMALL_PX = 56  # at WORK_PX: where a face is smaller, there may be others that are smaller still
CLOSE_PX = 416  # side of the close look at one face,
CLOSE_ROOM = 1.4  # which shows so many of its longest sides
CLOSE_LOOKS = 4
MORE_ROOM = (1.2,)  # times that, of one more look at the largest face: the mean has a quarter less error than one
LEVEL = 1.6  # degrees that two close looks may differ: of that a sixth is left
CLOSE_FACES = 12  # that are looked at closely, of a group
OVERLAP = 0.3  # of two boxes of one face
LEANING = 50.0  # degrees up to which its landmarks are good
TURNS = (90.0, -90.0, 180.0)  # degrees: phones on their side
TILTS = (45.0, -45.0)  # degrees


class YuNet:
    """The network of the ONNX file at `path`. Thread-safe; photos take turns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (NEAR_PX, NEAR_PX), SCORE, OVERLAP)
            self._run(np.zeros((NEAR_PX, NEAR_PX, 3), np.uint8))
        except cv2.error as problem:
            raise errors.ModelBroken("The file of the face detector cannot be used.") from problem

    def faces(self, pixels: Pixels) -> tuple[FoundFace, ...]:
        """The faces in (H, W, 3) uint8 RGB `pixels`, largest first, twelve of them looked at closely.

        Close looks take 6 ms, three or four for each face.
        """
        faces = self.boxes(pixels)
        first = (self.closely(pixels, face, MORE_ROOM) for face in faces[:1])
        return (*first, *(self.closely(pixels, face) for face in faces[1:CLOSE_FACES]), *faces[CLOSE_FACES:])

    def boxes(self, pixels: Pixels) -> tuple[FoundFace, ...]:
        """The faces, largest first, with landmarks as they are seen from afar: at several scales, turned where need be.

        A face that is found at once takes one look of 12 ms. Where nothing is found, there are eight, 200 ms.
        """
        work, factor = at_most(pixels, WORK_PX)
        found = self._look(work)
        largest = max((face.height for face in found if (face.score or 0) >= SURE_SCORE), default=WORK_PX)
        if largest > LARGE_SHARE * WORK_PX and max(work.shape[:2]) > NEAR_PX:
            found = _merged([*found, *self._nearer(work)])
        if not any((face.score or 0) >= SURE_SCORE for face in found):
            found = _merged([*found, *self._turned(work, max((face.height for face in found), default=0.0))])
        faces = [_scaled(face, 1 / factor) for face in found]
        if factor * FAR_PX / WORK_PX <= 1 and (not faces or min(face.height for face in found) < SMALL_PX):
            far, closer = at_most(pixels, FAR_PX)
            faces = _merged([*faces, *(_scaled(face, 1 / closer) for face in self._look(far))])
        return tuple(sorted(faces, key=lambda face: -face.area))

    def closely(self, pixels: Pixels, face: FoundFace, more: Sequence[float] = ()) -> FoundFace:
        """The face with landmarks that are good to a px or two; their mean, where there is `more` room to look at.

        Of a face of less than some 200 px the network tells the landmarks as if it stood upright: of 10 degrees that
        the eyes lean, 2 are seen. So the face is looked at enlarged, and turned level until it is found level.
        """
        side = CLOSE_ROOM * max(face.width, face.height)
        close = CloseUp(pixels, face.middle, side, CLOSE_PX, max(more, default=1))
        least = face.area * (CLOSE_PX / side) ** 2 / 4
        for _ in range(CLOSE_LOOKS):
            points = self._landmarks(close, face.angle, least)
            if points is None:
                return face
            before, face = face.angle, _with_landmarks(face, points)
            if abs((face.angle - before + 180) % 360 - 180) < LEVEL:
                break
        looks = [face.landmarks, *(self._landmarks(close, face.angle, least, sides) for sides in more)]
        return _with_landmarks(face, [*np.array([look for look in looks if look is not None]).mean(axis=0)])

    def _landmarks(self, close: CloseUp, angle: float, least: float, sides: float = 1.0) -> tuple[Point, ...] | None:
        """The landmarks of the face in one close look, in px of the photo; None where it has not the `least` area."""
        part, back = close.level(angle, sides)
        seen = max(self._look(part), key=lambda one: one.area * (one.score or 0), default=None)
        if seen is None or seen.landmarks is None or seen.area * sides**2 < least:
            return None
        return tuple(back(*point) for point in seen.landmarks)

    def _nearer(self, work: Pixels) -> list[FoundFace]:
        small, factor = at_most(work, NEAR_PX)
        return [_scaled(face, 1 / factor) for face in self._look(small)]

    def _turned(self, work: Pixels, size: float) -> list[FoundFace]:
        """Faces in the photo turned by quarters, and by eighths where these show none. `size` px are expected."""
        if size > LARGE_SHARE * NEAR_PX:
            small, factor = at_most(work, NEAR_PX)
            return [_scaled(face, 1 / factor) for face in self._turned(small, 0.0)]
        for turns in (TURNS, TILTS):
            found: list[FoundFace] = []
            for degrees in turns:
                turned, back = turned_back(work, degrees)
                seen = (face for face in self._look(turned) if (face.score or 0) >= TURNED_SCORE)
                found += [face.mapped(back) for face in seen if abs(face.angle) <= LEANING]
            if found:
                return found
        return []

    def _look(self, pixels: Pixels) -> list[FoundFace]:
        return [_face(row) for row in self._run(pixels)]

    def _run(self, pixels: Pixels) -> Iterable[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        height, width = pixels.shape[:2]
        if min(height, width) < LEAST_SIDE:
            return ()
        with self._lock:
            self._network.setInputSize((width, height))
            rows = self._network.detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
        return () if rows is None else np.asarray(rows, np.float32)


def _scaled(face: FoundFace, factor: float) -> FoundFace:
    return face.mapped(lambda x, y: (x * factor, y * factor))


def _face(row: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> FoundFace:
    """A row of OpenCV's: box, five landmarks, score. Those on the left of the photo come first."""
    numbers = [float(number) for number in row]
    points: tuple[Point, ...] = tuple(zip(numbers[4:14:2], numbers[5:14:2], strict=True))
    eyes = points[0], points[1]
    x, y, width, height = numbers[:4]
    return FoundFace(x, y, width, height, NAME, numbers[14], points, eyes, lean(eyes))


def _with_landmarks(face: FoundFace, points: Sequence[Sequence[float]]) -> FoundFace:
    landmarks = tuple((float(x), float(y)) for x, y in points)
    eyes = landmarks[0], landmarks[1]
    return replace(face, landmarks=landmarks, eyes=eyes, angle=lean(eyes))


def _merged(faces: list[FoundFace]) -> list[FoundFace]:
    """Each face once: of several looks at one the surest."""
    kept: list[FoundFace] = []
    for face in sorted(faces, key=lambda face: -(face.score or 0)):
        if not any(_overlap(face, other) > OVERLAP for other in kept):
            kept.append(face)
    return kept


def _overlap(one: FoundFace, other: FoundFace) -> float:
    """The share that two boxes have in common, or that the smaller one lies in the larger."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(0.0, across) * max(0.0, down)
    union = one.area + other.area - common
    return max(common / union, 0.5 * common / min(one.area, other.area)) if union > 0 else 0.0
