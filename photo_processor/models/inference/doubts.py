"""Where a network's cutout is likely wrong before a plain background, by the picture's colours and edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.reduction import at_most
from photo_processor.models.inference.classical import ENGINES
from photo_processor.models.inference.types import NO_HINTS, Pixels

WORK_PX = 480  # longest side
FRAME_PX = 3  # of the picture's edge, whose colour is the background's
PLAIN = 8.0  # of CIELAB: the 95th percentile of the distances of the frame's colours from their median
SAME = 4.0  # of CIELAB, from the background's colour
APART = 40.0  # of CIELAB: flat art differs so much from its ground; a white lamp before white does not
SOLID = 0.93  # of its convex hull that a thing fills: a case, a poster, a badge, a box
MISSING = 0.9  # of such a thing: a cutout with less is a part of it
WITHIN = 0.95  # of the cutout that lies on the thing
LEFT = 0.02  # of the cutout that has the background's colour
FLAT_SHARE, FLAT_COLOURS = 0.85, 6  # so much of flat art is of so few colours, in steps of 32 levels


def part_alone(pixels: Pixels, alpha: Pixels) -> bool:
    """Whether (H, W) uint8 `alpha` cuts out only what is printed on a thing that stands before a plain background."""
    small, cut = _small(pixels, alpha)
    if not _is_plain(small):
        return False
    thing = ENGINES["edges"](small, NO_HINTS) > 127
    thing = cv2.resize(thing.astype(np.uint8), (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    area, found = int(thing.sum()), int(cut.sum())
    if not found or not area or (thing & cut).sum() < WITHIN * found or found >= MISSING * area:
        return False
    outlines, _ = cv2.findContours(thing.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros(thing.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(max(outlines, key=cv2.contourArea)), (1,))
    return bool(area >= SOLID * np.count_nonzero(hull))


def background_left(pixels: Pixels, alpha: Pixels) -> bool:
    """Whether `alpha` keeps px of the background's colour in flat art: within letters, mostly."""
    small, cut = _small(pixels, alpha)
    if not _is_plain(small) or not cut.any():
        return False
    distance = _distance(small)
    like = distance < SAME
    if (like & cut).sum() <= LEFT * cut.sum() or not (cut & ~like).any():
        return False
    return bool(np.median(distance[cut & ~like]) > APART and _is_flat(small[~like]))


def _small(pixels: Pixels, alpha: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    small, _ = at_most(pixels, WORK_PX)
    return small, cv2.resize(alpha, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA) > 127


def _frame(small: Pixels) -> Pixels:
    """(n, 3) uint8: the px along the edges."""
    rows, columns = small[:FRAME_PX], small[:, :FRAME_PX]
    return np.concatenate(
        [part.reshape(-1, 3) for part in (rows, small[-FRAME_PX:], columns, small[:, -FRAME_PX:])]
    )  # fmt: skip


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _is_plain(small: Pixels) -> bool:
    lab = _lab(_frame(small)[None])[0]
    return float(np.percentile(np.linalg.norm(lab - np.median(lab, axis=0), axis=1), 95)) < PLAIN


def _distance(small: Pixels) -> NDArray[np.float32]:
    """(h, w): how far each px lies from the background's colour, in CIELAB."""
    behind = np.median(_lab(_frame(small)[None])[0], axis=0)
    return np.asarray(np.linalg.norm(_lab(small) - behind, axis=2), np.float32)


def _is_flat(colours: Pixels) -> bool:
    """Whether nearly all of (n, 3) uint8 are of a few colours."""
    if not len(colours):
        return False
    steps = (colours >> 5).astype(int)
    counts = np.bincount(steps[:, 0] * 64 + steps[:, 1] * 8 + steps[:, 2])
    return bool(np.sort(counts)[-FLAT_COLOURS:].sum() >= FLAT_SHARE * len(colours))
