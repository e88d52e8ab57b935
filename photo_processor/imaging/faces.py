"""Faces as a detector finds them, and the heads they belong to."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from photo_processor.imaging.pictures import Pixels, Placement
from photo_processor.schemas import Face

Point = tuple[float, float]

# All of a head's measures are told in its unit: from the line of the pupils to the mouth's corners, which a turn of
# the head leaves as it is, or the distance of the pupils where a smile has drawn the mouth up. In adults pupils are
# 63 mm apart (Dodgson, "Variation and extrema of human interpupillary distance", 2004), the head is 3.5 times as high
# from chin to crown, and the eyes lie halfway (Farkas, "Anthropometry of the head and face", 1994: v-gn 216 to 233 mm,
# v-en and en-gn within 5 %; the neoclassical canon of two sections). The detector's mouth lies 1.0 to 1.1 of the
# pupils' distance below them.
MOUTH_PER_PUPILS = 1.06
CHIN = 1.7  # units below the pupils, where nobody has measured it;
LEAST_CHIN = 1.3  # and the least that a measure is believed
CROWN = 1.8  # units above them: the skull, as ICAO 9303 measures it
LOW_CROWN = 1.5  # the least that a matte is believed
HIGH_CROWN = 2.1  # the most: what lies above is a hat, or hair that the standards leave out
HAIR_CROWN = 2.7  # the most where hair counts
WIDTH = 2.4  # units across, ear to ear
AXIS = 0.35  # units on each side of the middle in which the crown is looked for

# Of Haar's boxes, which begin at the brow and end below the lips.
MIRRORED = (1, 0, 2, 4, 3)  # the order of landmarks in a mirror

BOX_EYES = 0.39  # of its height
BOX_UNIT = 0.37  # of its width


@dataclass(frozen=True)
class FoundFace:
    """A face in px of the picture that was searched.

    The box is upright. `landmarks`, where there are any: the pupils, the nose's tip and the mouth's corners, those on
    the left of an upright picture first. `eyes` are the pupils, which a detector without landmarks may know as well;
    `angle` says by how many degrees clockwise the head leans. Where Face Mesh has measured it: the `chin`, and by how
    many degrees the head is turned to a side (`yaw`) and bowed (`pitch`, raised where negative); `mouth_open`, how far
    the lips are apart, in widths of the mouth.
    """

    x: float
    y: float
    width: float
    height: float
    detector: str
    score: float | None = None
    landmarks: tuple[Point, ...] | None = None
    eyes: tuple[Point, Point] | None = None
    angle: float = 0.0
    chin: Point | None = None
    yaw: float | None = None
    pitch: float | None = None
    mouth_open: float | None = None

    @property
    def area(self) -> float:
        """Px that the box covers."""
        return self.width * self.height

    @property
    def middle(self) -> Point:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2

    def mapped(self, place: Callable[[float, float], Point]) -> "FoundFace":
        """The face where `place` takes each of its points."""
        corners = [place(self.x + x, self.y + y) for x in (0.0, self.width) for y in (0.0, self.height)]
        middle = place(*self.middle)
        # A box that was turned by an eighth would grow by half around what it holds; its sides are kept.
        one, other = place(self.x + self.width, self.y), place(self.x, self.y + self.height)
        wide, high = math.dist(corners[0], one), math.dist(corners[0], other)
        along = math.atan2(one[1] - corners[0][1], one[0] - corners[0][0])
        if abs(math.sin(along)) > math.cos(math.pi / 4):
            wide, high = high, wide
        landmarks = None if self.landmarks is None else tuple(place(*point) for point in self.landmarks)
        eyes = None if self.eyes is None else (place(*self.eyes[0]), place(*self.eyes[1]))
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        there = place(self.middle[0] + cos, self.middle[1] + sin)
        angle = math.degrees(math.atan2(there[1] - middle[1], there[0] - middle[0]))
        chin = None if self.chin is None else place(*self.chin)
        yaw = self.yaw
        if _mirrors(corners[0], one, other):
            landmarks = None if landmarks is None else tuple(landmarks[index] for index in MIRRORED)
            eyes = None if eyes is None else (eyes[1], eyes[0])
            angle += 180
            yaw = None if yaw is None else -yaw
        angle = (angle + 180) % 360 - 180
        return replace(
            self, x=middle[0] - wide / 2, y=middle[1] - high / 2, width=wide, height=high, landmarks=landmarks,
            eyes=eyes, angle=angle, chin=chin, yaw=yaw,
        )  # fmt: skip


def _mirrors(corner: Point, right: Point, below: Point) -> bool:
    """Whether what lies to the right of and below `corner` has changed its sense of turn."""
    across = right[0] - corner[0], right[1] - corner[1]
    down = below[0] - corner[0], below[1] - corner[1]
    return across[0] * down[1] - across[1] * down[0] < 0


def told(face: FoundFace) -> Face:
    """The face as the wire shows it."""
    landmarks = None if face.landmarks is None else tuple((round(x, 2), round(y, 2)) for x, y in face.landmarks)
    eyes = None if face.eyes is None else tuple((round(x, 2), round(y, 2)) for x, y in face.eyes)
    return Face(
        x=round(face.x),
        y=round(face.y),
        width=round(face.width),
        height=round(face.height),
        detector=face.detector,
        score=None if face.score is None else round(face.score, 3),
        landmarks=landmarks,
        eyes=eyes,
        angle=round(face.angle, 2),
        chin=None if face.chin is None else (round(face.chin[0], 2), round(face.chin[1], 2)),
        yaw=None if face.yaw is None else round(face.yaw, 1),
        pitch=None if face.pitch is None else round(face.pitch, 1),
        mouth_open=None if face.mouth_open is None else round(face.mouth_open, 2),
    )


def heard(face: Face) -> FoundFace:
    """The face that `told` told."""
    return FoundFace(
        face.x, face.y, face.width, face.height, face.detector, face.score, face.landmarks,
        None if face.eyes is None else (face.eyes[0], face.eyes[1]), face.angle, face.chin, face.yaw, face.pitch,
        face.mouth_open,
    )  # fmt: skip


def lean(eyes: tuple[Point, Point]) -> float:
    """Degrees clockwise by which the line of two eyes leans, the left one first."""
    (left_x, left_y), (right_x, right_y) = eyes
    return math.degrees(math.atan2(right_y - left_y, right_x - left_x))


@dataclass(frozen=True)
class Head:
    """A head in px: the middle of its pupils, its unit (see above), how far it leans in degrees clockwise, and how many
    px chin and crown lie from the pupils, along the head."""

    eyes: Point
    unit: float
    angle: float
    chin: float
    crown: float

    @property
    def height(self) -> float:
        """From chin to crown."""
        return self.chin + self.crown

    @property
    def width(self) -> float:
        """From ear to ear."""
        return WIDTH * self.unit

    def at(self, across: float, down: float) -> Point:
        """The point `across` px to the right of the pupils' middle and `down` px below, as the head leans."""
        return beside(self.eyes, self.angle, across, down)

    def corners(self) -> tuple[Point, ...]:
        """The four corners of the box from crown to chin and ear to ear, clockwise from its top left."""
        half = self.width / 2
        return self.at(-half, -self.crown), self.at(half, -self.crown), self.at(half, self.chin), self.at(
            -half, self.chin
        )  # fmt: skip


def beside(point: Point, angle: float, across: float, down: float) -> Point:
    """`point` moved by `across` and `down` px in axes that lean by `angle` degrees clockwise."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return point[0] + across * cos - down * sin, point[1] + across * sin + down * cos


def head_of(face: FoundFace, matte: Pixels | None = None, hair: bool = False) -> Head:
    """The head of `face`; its crown is that of (H, W) uint8 `matte` where there is one.

    Without a matte, or where it says what cannot be, the crown is where heads have it. `hair` counts hair as well.
    """
    bare = _bare_head(face)
    top = None if matte is None else _top(bare, matte)
    if top is None:
        return bare
    most = HAIR_CROWN if hair else HIGH_CROWN
    crown = min(max(top, LOW_CROWN * bare.unit), most * bare.unit)
    return Head(bare.eyes, bare.unit, bare.angle, bare.chin, crown)


def hair_top(head: Head, matte: Pixels) -> float:
    """How many px above the pupils, along the head, (H, W) uint8 `matte` ends over it, with hair put up and hats."""
    factor = min(1.0, HAIR_PX / max(matte.shape))
    size = max(1, round(matte.shape[1] * factor)), max(1, round(matte.shape[0] * factor))
    small = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.uint8)
    rows, columns = np.nonzero(small > 127)
    x, y = (columns + 0.5) / factor - head.eyes[0], (rows + 0.5) / factor - head.eyes[1]
    cos, sin = math.cos(math.radians(head.angle)), math.sin(math.radians(head.angle))
    across, up = x * cos + y * sin, x * sin - y * cos
    over = up[(np.abs(across) < HAIR_WIDTH * head.width) & (up > 0)]
    step = max(1 / factor, 0.05 * head.unit)
    filled = np.bincount((over / step).astype(int)) * (1 / factor**2) / step  # px across, of each step
    solid = np.flatnonzero(filled > WISP * head.width)
    return float((solid[-1] + 1) * step) if len(solid) else 0.0


def _bare_head(face: FoundFace) -> Head:
    if face.landmarks is not None:
        left, right, _, *mouth = face.landmarks
        eyes = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
        lips = (mouth[0][0] + mouth[1][0]) / 2, (mouth[0][1] + mouth[1][1]) / 2
        angle = lean((left, right))
        across, down = beside((0.0, 0.0), -angle, lips[0] - eyes[0], lips[1] - eyes[1])
        pupils, mouths = math.dist(left, right), max(down, 0.5 * abs(across))
        unit = max(mouths, (mouths + MOUTH_PER_PUPILS * pupils) / 2, 1.0)
        if face.chin is not None:
            # The mouth may be open, and how far the head is turned is known.
            unit = max(1.0, MOUTH_PER_PUPILS * pupils / max(0.5, math.cos(math.radians(face.yaw or 0.0))))
            _, chin = beside((0.0, 0.0), -angle, face.chin[0] - eyes[0], face.chin[1] - eyes[1])
            return Head(eyes, unit, angle, max(chin, LEAST_CHIN * unit), CROWN * unit)
    elif face.eyes is not None:
        eyes = (face.eyes[0][0] + face.eyes[1][0]) / 2, (face.eyes[0][1] + face.eyes[1][1]) / 2
        angle = lean(face.eyes)
        unit = max(1.0, (BOX_UNIT * face.width + MOUTH_PER_PUPILS * math.dist(*face.eyes)) / 2)
    else:
        eyes = beside(face.middle, face.angle, 0.0, (BOX_EYES - 0.5) * face.height)
        angle, unit = face.angle, max(1.0, BOX_UNIT * face.width)
    return Head(eyes, unit, angle, CHIN * unit, CROWN * unit)


HALF = 127.5  # level of a matte at which a subject ends
HAIR_PX = 512  # longest side at which hair is looked for
HAIR_WIDTH = 0.75  # of the head's width, on each side of its middle
WISP = 0.06  # of the head's width: less is a wisp that may be cut
SAMPLE_PX = 24.0  # a unit's px in the upright sample in which the crown is looked for


def _top(head: Head, matte: Pixels) -> float | None:
    """How many px above the pupils the matte ends; None where it says nothing there.

    The matte is looked at upright, in a band along the head's middle, from the forehead up to the first gap.
    """
    step = head.unit / SAMPLE_PX
    wide, high = round(2 * AXIS * SAMPLE_PX), round((HAIR_CROWN + 0.3) * SAMPLE_PX)
    x, y = head.at(-wide * step / 2, -high * step)
    cos, sin = step * math.cos(math.radians(head.angle)), step * math.sin(math.radians(head.angle))
    matrix = np.array([[cos, -sin, x], [sin, cos, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    band = np.asarray(cv2.warpAffine(matte, matrix, (wide, high), flags=flags), np.float32).mean(axis=1)
    # From the forehead up; what the photo's edge cuts off ends there.
    forehead = round(0.6 * SAMPLE_PX)
    above = band[::-1][forehead:]
    if above[0] < HALF:
        return None
    gap = np.nonzero(above < HALF)[0]
    if not len(gap):
        return float(len(above) + forehead) * step
    last, first = float(above[gap[0] - 1]), float(above[gap[0]])  # of the head, and beyond it
    return (int(gap[0]) - 0.5 + (last - HALF) / (last - first) + forehead) * step


def reaches_edge(head: Head, width: int, height: int, crown: float) -> bool:
    """Whether the point `crown` px above the pupils lies outside a photo of `width` x `height` px."""
    x, y = head.at(0.0, -crown)
    return not (0 <= x <= width and 0 <= y <= height)


def in_source(face: FoundFace, placement: Placement) -> FoundFace:
    """The face in px of the upright source."""
    return face if placement == Placement() else face.mapped(placement.at)
