"""What a portrait is measured by: light, sharpness, pose, background. Numbers; what they mean is said elsewhere."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.faces import FoundFace, Head, beside
from photo_processor.imaging.framing import Cut, framed
from photo_processor.imaging.pictures import Picture, Pixels

UNIT_PX = 48  # a head's unit in the sample that is measured, at most: the detail that a print of 35 x 45 mm shows
LEAST_UNIT_PX = 14  # below which nothing can be told
FACE = (1.0, 0.55, 1.45)  # units across on each side, above the pupils, below them: brow to chin
NOSE = 0.5  # how far the nose's tip lies before the pupils, in distances of the pupils
CLIPPED = 250  # levels of luminance that no detail is left in
EDGE = (24, 232)  # levels of a matte between which a px is the subject's edge
HALF = (40, 215)  # levels that are neither subject nor background
EDGE_PX = 7  # at SMALL_PX: hair has an edge as wide
SMALL_PX = 256  # longest side of the picture in which the background is measured

Grey = NDArray[np.float32]


def sample(photo: Pixels, head: Head) -> Picture | None:
    """The face, level, as (H, W, 3) uint8 of at most UNIT_PX a unit; what lies beyond the photo is transparent.

    None where it is too small to tell anything.
    """
    unit = min(float(UNIT_PX), head.unit)
    if unit < LEAST_UNIT_PX:
        return None
    half, above, below = FACE
    size = round(2 * half * unit), round((above + below) * unit)
    x, y = head.at(0.0, (below - above) / 2 * head.unit)
    cut = Cut(x, y, 2 * half * head.unit, (above + below) * head.unit, head.angle)
    return framed(Picture(photo), cut, *size)


def _oval(face: Picture) -> NDArray[np.bool_]:
    """Which px of a sample are the face's."""
    mask = np.zeros((face.height, face.width), np.uint8)
    cv2.ellipse(mask, (face.width // 2, face.height // 2), (round(0.42 * face.width), round(0.5 * face.height)), 0, 0,
                360, 255, -1)  # fmt: skip
    if face.alpha is not None:
        mask[face.alpha < 128] = 0
    return mask > 0


def lightness(face: Picture) -> Grey:
    """(H, W) float32: L* of CIELAB, 0 to 100."""
    lab = cv2.cvtColor(face.pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[..., 0], np.float32)


def brightness(face: Picture) -> float:
    """L* that a quarter of the face's px pass: of skin in the light, whatever its colour."""
    inside = lightness(face)[_oval(face)]
    return float(np.percentile(inside, 75)) if inside.size else 0.0


def clipped(face: Picture) -> float:
    """The share of the face's px in which no detail is left, 0 to 1."""
    grey = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)
    inside = grey[_oval(face)]
    return float((inside >= CLIPPED).mean()) if inside.size else 0.0


def unevenness(face: Picture) -> float:
    """By how much L* one half of the face is lighter than the other: the median of each half's cheek."""
    light, oval = lightness(face), _oval(face)
    middle, rows = face.width // 2, slice(round(0.3 * face.height), round(0.8 * face.height))
    left = light[rows, :middle][oval[rows, :middle]]
    right = light[rows, middle:][oval[rows, middle:]]
    if not left.size or not right.size:
        return 0.0
    return float(abs(np.median(left) - np.median(right)))


def sharpness(face: Picture) -> float:
    """0 (no detail) to 1: how much of the differences between neighbouring px a blur takes away.

    Crété-Roffet, Dolmiere, Ladret, Nicolas, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", 2007. What was blurred before loses little when it is blurred again.
    """
    grey = np.asarray(cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY), np.float32)
    kept = []
    for axis, size in ((0, (1, 9)), (1, (9, 1))):
        blurred = cv2.blur(grey, size)
        own, left = np.abs(np.diff(grey, axis=axis)), np.abs(np.diff(blurred, axis=axis))
        lost = np.maximum(0.0, own - left)
        kept.append(float(lost.sum() / max(1e-6, float(own.sum()))))
    return min(kept)


def yaw(face: FoundFace) -> float | None:
    """Degrees by which the head is turned to a side; None unknown.

    As measured, or else by where the nose's tip lies between the pupils.
    """
    if face.yaw is not None:
        return face.yaw
    if face.landmarks is None:
        return None
    left, right, nose, *_ = face.landmarks
    middle = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    across, _ = beside((0.0, 0.0), -face.angle, nose[0] - middle[0], nose[1] - middle[1])
    return math.degrees(math.atan2(across, NOSE * max(1e-6, math.dist(left, right))))


def nod(face: FoundFace) -> float | None:
    """Where the nose's tip lies on the way from the pupils (0) to the mouth (1): lower where a head is bowed.

    That is for faces whose pitch nobody has measured. None where there are no landmarks.
    """
    if face.landmarks is None:
        return None
    left, right, nose, *mouth = face.landmarks
    x, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    lips = (mouth[0][0] + mouth[1][0]) / 2 - x, (mouth[0][1] + mouth[1][1]) / 2 - y
    _, tip = beside((0.0, 0.0), -face.angle, nose[0] - x, nose[1] - y)
    _, whole = beside((0.0, 0.0), -face.angle, *lips)
    return tip / whole if whole > 1 else None


def background_spread(picture: Picture, matte: Pixels) -> float | None:
    """How far the background's colours lie apart: the 95th percentile of the distance (CIELAB) from their median.

    None where nearly nothing of it is seen.
    """
    factor = min(1.0, SMALL_PX / max(picture.width, picture.height))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    small = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    behind = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    away = cv2.erode((behind < EDGE[0]).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if picture.alpha is not None:
        away &= cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA) > 250
    if away.mean() < 0.02:
        return None
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[away]
    return float(np.percentile(np.linalg.norm(lab - np.median(lab, axis=0), axis=1), 95))


def leftovers(matte: Pixels) -> float:
    """The share of the frame, 0 to 1, that a matte keeps apart from the person: bits of the old background."""
    factor = min(1.0, SMALL_PX / max(matte.shape))
    size = max(1, round(matte.shape[1] * factor)), max(1, round(matte.shape[0] * factor))
    small = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    count, _, stats, _ = cv2.connectedComponentsWithStats((small > EDGE[0]).astype(np.uint8), connectivity=8)
    if count <= 2:
        return 0.0
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])
    return float(areas[:-1].sum() / small.size)


def doubt(matte: Pixels) -> float:
    """The share of the frame, 0 to 1, in which a matte is half subject over more than an edge's width."""
    factor = min(1.0, SMALL_PX / max(matte.shape))
    size = max(1, round(matte.shape[1] * factor)), max(1, round(matte.shape[0] * factor))
    small = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    half = cv2.inRange(small, *HALF)
    wide = cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((EDGE_PX, EDGE_PX), np.uint8))
    return float((wide > 0).mean())


def straight_end(matte: Pixels, inside: Pixels) -> float:
    """How much of the frame's width the subject ends along, in a straight line, where the photo ends within the frame.

    `matte` and `inside` are (H, W) uint8 of the frame: the subject, and what of the frame the photo shows.
    """
    solid = (inside > 127).astype(np.uint8)
    if solid.size == 0 or solid.all():
        return 0.0
    rim = cv2.dilate(1 - solid, np.ones((7, 7), np.uint8)) * solid
    along = (rim > 0) & (matte > 127)
    return min(1.0, float(along.sum() / 3 / matte.shape[1]))
