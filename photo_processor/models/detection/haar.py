"""Faces by Haar's cascades, which come with OpenCV: frontal ones, where no network is.

Coarse to fine: the photo is searched small, since most faces that are wanted fill a good part of it; what is found is
looked at closely in the photo's own px. Only where nothing is found it is searched larger, and turned.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from cv2.data import haarcascades

from photo_processor.imaging.faces import FoundFace, Point, lean
from photo_processor.imaging.framing import Cut, framed
from photo_processor.imaging.geometry import Box
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.imaging.reduction import at_most
from photo_processor.models.detection.closeup import CloseUp, turned_back

NAME = "haar"
NEAR_PX = 256  # longest sides while looking: for faces that fill the photo,
WORK_PX = 640  # and for others
WINDOW_PX = 24  # of the cascade: a face has as many px at least
SMALL_PX = 32  # at NEAR_PX: where a face is smaller, there may be others that are smaller still
SCALE_STEP = 1.1
MIN_NEIGHBOURS = 4
SURE_NEIGHBOURS = 12  # as many overlapping hits need no eyes: sunglasses, closed eyes
SAME = 0.3  # intersection over union of two boxes of one face
EYES_FROM_PX = 48  # of the photo: eyes of smaller faces cannot be found
CLOSE_PX = 252  # side of the close look at one face,
CLOSE_ROOM = 1.8  # which shows so many of its widths
CLOSE_STEP = 1.05
CLOSE_SHARE = 0.33  # of a close look's px: where the face is looked for in it
CLOSE_SIZES = (0.75, 1.33)  # times the width that is expected
CLOSE_FACES = 6  # that are looked at closely, of a group
EYE_ROWS = (0.17, 0.6)  # of a face's height: where its eyes are
EYE_SIZES = (0.17, 0.36)  # of a face's width
EYE_STEP = 1.1
EYE_NEIGHBOURS = 2
EYE_CASCADES = ("eye", "eye_tree_eyeglasses")  # the second knows glasses, and takes three times as long
TRIALS = (-18.0, 18.0, -36.0, 36.0, 90.0, -90.0, 180.0)  # degrees: the cascades find faces that lean by about 12
LOOKS = (-4.0, 4.0)  # degrees beside the one found: the mean of three looks has half the error of one
NEARLY = 5.0  # degrees that the first look may lean and still be one of the three
STEADY = 6.0  # degrees by which looks may differ and still be believed
APART = (0.28, 0.75)  # distance of the eyes, in face widths
STEEPEST = 0.5  # slope of a line through two eyes of one face that leans by 12 degrees, and twice that
OPEN_ROOM = 1.1  # side of the square about a pupil, in units of the head,
OPEN_PX = 110  # and in px, in which an open eye is looked for
OPEN_LEAST_PX = 36


@dataclass(frozen=True)
class _Hit:
    """A box that a cascade saw, in px, and how many overlapping hits it has."""

    x: float
    y: float
    width: float
    height: float
    count: int

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    def scaled(self, factor: float) -> "_Hit":
        return _Hit(self.x * factor, self.y * factor, self.width * factor, self.height * factor, self.count)


@dataclass(frozen=True)
class _Look:
    """What one close look saw of a face: its box, and the two eyes if there are two, in px of the photo."""

    face: FoundFace
    eyes: tuple[Point, Point] | None
    is_face: bool
    has_eye: bool


def haar_faces(pixels: Pixels) -> tuple[FoundFace, ...]:
    """The faces in (H, W, 3) uint8 RGB `pixels`, largest first; of a group the largest six with their eyes.

    Upright ones first; where there are none, one that leans by up to 45 degrees or lies on its side is looked for, and
    believed if it has two eyes. A 12 MP portrait takes some 80 ms of processor time, one without a face 1.2 s.
    """
    found = haar_boxes(pixels)
    return (*(haar_closely(pixels, face) for face in found[:CLOSE_FACES]), *found[CLOSE_FACES:])


def haar_boxes(pixels: Pixels) -> tuple[FoundFace, ...]:
    """As `haar_faces`, before anybody looked closely at the upright ones."""
    found = _upright(pixels)
    if found:
        return tuple(found)
    tilted = _tilted(pixels)
    return () if tilted is None else (tilted,)


def haar_closely(pixels: Pixels, face: FoundFace) -> FoundFace:
    """A face of `haar_boxes` at its size and with its eyes, where these are seen."""
    return face if face.eyes is not None else _closely(pixels, face) or face


def find_faces(pixels: Pixels) -> list[Box]:
    """Boxes (x, y, width, height in px) of the upright faces in (H, W, 3) uint8 RGB `pixels`, largest first."""
    height, width = pixels.shape[:2]
    boxes = [(max(0, round(face.x)), max(0, round(face.y)), face) for face in _upright(pixels)]
    return [(x, y, min(round(face.width), width - x), min(round(face.height), height - y)) for x, y, face in boxes]


def _upright(pixels: Pixels) -> list[FoundFace]:
    """The upright faces, largest first."""
    work, factor = at_most(pixels, WORK_PX)
    near, closer = at_most(work, NEAR_PX)
    hits = [hit.scaled(1 / closer) for hit in _search(near)]
    found = _believed(pixels, hits, factor)
    if closer < 1 and (not found or min(face.width for face in found) * factor < SMALL_PX / closer):
        found = _believed(pixels, _once([*_search(work), *hits]), factor)
    return sorted(found, key=lambda face: -face.area)


def _believed(pixels: Pixels, hits: Sequence[_Hit], factor: float) -> list[FoundFace]:
    """What is a face of the hits in a copy of the photo, which has `factor` times its px."""
    faces = [(hit.count, _face(hit.scaled(1 / factor))) for hit in hits]
    return [face for count, face in faces if _is_likely(pixels, face, count)]


def _search(pixels: Pixels) -> list[_Hit]:
    """The boxes of the upright faces in a small photo, in its px."""
    if min(pixels.shape[:2]) < WINDOW_PX:
        return []
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    boxes, counts = _kept_cascade("frontalface_alt2").detectMultiScale2(
        grey, scaleFactor=SCALE_STEP, minNeighbors=MIN_NEIGHBOURS, minSize=(WINDOW_PX, WINDOW_PX)
    )
    return [_hit(box, count) for box, count in zip(boxes, counts, strict=True)]


def _hit(box: Sequence[int], count: int) -> _Hit:
    x, y, width, height = map(float, box)
    return _Hit(x, y, width, height, int(count))


def _once(hits: Sequence[_Hit]) -> list[_Hit]:
    """Each face once: of several looks at one the first."""
    kept: list[_Hit] = []
    for hit in hits:
        if all(_overlap(hit, other) < SAME for other in kept):
            kept.append(hit)
    return kept


def _overlap(one: _Hit, other: _Hit) -> float:
    """Intersection over union."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(0.0, across) * max(0.0, down)
    return common / (one.width * one.height + other.width * other.height - common)


def _face(hit: _Hit, angle: float = 0.0) -> FoundFace:
    return FoundFace(hit.x, hit.y, hit.width, hit.height, NAME, angle=angle)


def _scaled(face: FoundFace, factor: float) -> FoundFace:
    return face.mapped(lambda x, y: (x * factor, y * factor))


def _is_likely(pixels: Pixels, face: FoundFace, count: int) -> bool:
    """Whether the hits are many, or there is an eye; of faces too small for that all are believed."""
    if count >= SURE_NEIGHBOURS or face.width < EYES_FROM_PX:
        return True
    return _looked(_close_up(pixels, face), face, 0.0).has_eye


def _tilted(pixels: Pixels) -> FoundFace | None:
    """A face that leans or lies, with its eyes."""
    work, factor = at_most(pixels, WORK_PX)
    near, closer = at_most(work, NEAR_PX)
    for small, share in ((near, factor * closer), (work, factor))[: 2 if closer < 1 else 1]:
        for trial in TRIALS:
            turned, back = turned_back(small, trial)
            for hit in sorted(_search(turned), key=lambda hit: -hit.width)[:1]:
                face = _closely(pixels, _scaled(_face(hit).mapped(back), 1 / share))
                if face is not None and face.eyes is not None:
                    return face
    return None


def _close_up(pixels: Pixels, face: FoundFace) -> CloseUp:
    return CloseUp(pixels, face.middle, CLOSE_ROOM * face.width, CLOSE_PX)


def _closely(pixels: Pixels, face: FoundFace) -> FoundFace | None:
    """The face with its eyes, where the looks agree on how they lie; else as it was found. None where no look sees it.

    A cascade's box comes in steps of a tenth; several looks at one size make one of a few hundredths.
    """
    close = _close_up(pixels, face)
    first, start = _looked(close, face, face.angle), face.angle
    if first.eyes is not None and abs((lean(first.eyes) - start + 180) % 360 - 180) > NEARLY:
        start = lean(first.eyes)
        first = _looked(close, face, start)
    looks = [first, *(_looked(close, face, start + beside) for beside in LOOKS)]
    seen = [look.face for look in looks if look.is_face]
    if not seen:
        return None
    x, y = np.mean([one.middle for one in seen], axis=0)
    width = float(np.mean([one.width for one in seen]))
    found = FoundFace(float(x) - width / 2, float(y) - width / 2, width, width, NAME, angle=face.angle)
    eyes = _agreed([look.eyes for look in looks if look.eyes is not None], start)
    return found if eyes is None else replace(found, eyes=eyes, angle=lean(eyes))


def _looked(close: CloseUp, face: FoundFace, angle: float) -> _Look:
    """The face and its eyes, looked for in the photo turned back by `angle` degrees."""
    part, back = close.level(angle)
    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
    expected = CLOSE_PX / CLOSE_ROOM
    hit = _seen(grey, expected)
    box = hit or _Hit((CLOSE_PX - expected) / 2, (CLOSE_PX - expected) / 2, expected, expected, 0)
    seen: list[Point] = []
    pair = None
    for name in EYE_CASCADES:
        seen += _eyes(grey, box, name)
        pair = _pair(box, seen)
        if pair is not None:
            break
    there = None if pair is None else (back(*pair[0]), back(*pair[1]))
    return _Look(_face(box).mapped(back), there, hit is not None, bool(seen))


def _seen(grey: Pixels, expected: float) -> _Hit | None:
    """The face in a close look, near the middle and about `expected` px wide."""
    small = cv2.resize(grey, None, fx=CLOSE_SHARE, fy=CLOSE_SHARE, interpolation=cv2.INTER_AREA)
    least, most = (round(CLOSE_SHARE * expected * times) for times in CLOSE_SIZES)
    boxes, counts = _kept_cascade("frontalface_alt2").detectMultiScale2(
        small, scaleFactor=CLOSE_STEP, minNeighbors=2, minSize=(least, least), maxSize=(most, most)
    )
    hits = [_hit(box, count).scaled(1 / CLOSE_SHARE) for box, count in zip(boxes, counts, strict=True)]
    return max(hits, key=lambda hit: hit.count, default=None)


def _eyes(grey: Pixels, box: _Hit, name: str) -> list[Point]:
    """The middles of what looks like an eye in the upper part of a face."""
    first, last = (round(box.y + share * box.height) for share in EYE_ROWS)
    left, top = max(0, round(box.x)), max(0, first)
    upper = grey[top:last, left : round(box.x + box.width)]
    least, most = (round(share * box.width) for share in EYE_SIZES)
    found = _kept_cascade(name).detectMultiScale(
        upper, scaleFactor=EYE_STEP, minNeighbors=EYE_NEIGHBOURS, minSize=(least, least), maxSize=(most, most)
    )
    return [(left + x + width / 2, top + y + height / 2) for x, y, width, height in found]


def _pair(box: _Hit, eyes: Sequence[Point]) -> tuple[Point, Point] | None:
    """Two eyes, the left one first, that lie as eyes of one face do; None where there are none."""
    middle = box.middle[0]
    pairs = [
        (one, other)
        for one, other in product(eyes, eyes)
        if one[0] < middle < other[0]
        and APART[0] <= (other[0] - one[0]) / box.width <= APART[1]
        and abs(other[1] - one[1]) <= STEEPEST * (other[0] - one[0])
    ]
    # Of several, the pair that is most evenly about the face's middle.
    return min(pairs, key=lambda pair: abs((pair[0][0] + pair[1][0]) / 2 - middle), default=None)


def _agreed(looks: Sequence[tuple[Point, Point]], angle: float) -> tuple[Point, Point] | None:
    """The eyes of the looks, which were made about `angle`; None where these do not agree."""
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


def eye_hits(pixels: Pixels, eyes: tuple[Point, Point], unit: float, angle: float, enough: int) -> int:
    """How often two cascades that were trained on open eyes find one where the eyes are; no more are counted than are
    `enough`.

    `unit` and `angle` are the head's. In 275 faces of real photos, half of them masked, five of six with shut eyes had
    six hits or fewer, and all 13 behind dark glasses; of 139 bare faces with open eyes six had as few.
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
    """A cascade from OpenCV's wheel, read in 15 ms; this thread's own, since one does not bear two."""
    if not hasattr(_CASCADES, name):
        setattr(_CASCADES, name, cv2.CascadeClassifier(str(Path(haarcascades) / f"haarcascade_{name}.xml")))
    return cast(cv2.CascadeClassifier, getattr(_CASCADES, name))
