"""Pictures that are transparent in parts: what a person sees of them, and whether they were cut out already."""

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import at_most

SAMPLE_PX = 256  # longest side at which the ground is chosen and shapes are compared
CLEAR_SHARE = 0.02  # of the px: less than that transparent is no cutout
CLEAR, SOLID = 16, 127  # levels of alpha
VANISHES = 30.0  # of CIELAB: what differs by less from its ground is hard to see
FRAME = 0.97  # of its convex hull that a frame fills: a rounded or tilted photo, a medallion
ALIKE = 0.9  # IoU from which on a network's answer and the picture's own alpha are the same subject
# White first: photos are cut out before it most, and it wins where nothing tells the grounds apart.
GROUNDS = ((255, 255, 255), (128, 128, 128), (0, 0, 0), (70, 160, 90), (190, 90, 160))


def on_ground(pixels: Pixels, alpha: Pixels) -> Pixels:
    """(H, W, 3) uint8: `pixels` with (H, W) uint8 `alpha` on the ground that least of them vanish in.

    What lies under an alpha of 0 is not seen, whatever colour it has.
    """
    ground = np.array(_ground(pixels, alpha), np.uint8)
    share = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(np.broadcast_to(ground, pixels.shape).copy(), 255 - share, scale=1 / 255)
    return np.asarray(cv2.add(cv2.multiply(pixels, share, scale=1 / 255), behind), np.uint8)


def _ground(pixels: Pixels, alpha: Pixels) -> tuple[int, int, int]:
    small, _ = at_most(pixels, SAMPLE_PX)
    seen = cv2.resize(alpha, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST) > SOLID
    rows = pixels.shape[0] * np.arange(small.shape[0]) // small.shape[0]
    columns = pixels.shape[1] * np.arange(small.shape[1]) // small.shape[1]
    colours = pixels[rows[:, None], columns[None]][seen]  # not averaged with what is hidden beside them
    if not len(colours):
        return GROUNDS[0]
    lab = _lab(colours)
    vanishing = [
        float((np.linalg.norm(lab - _lab(np.array([one], np.uint8)), axis=1) < VANISHES).mean()) for one in GROUNDS
    ]
    return GROUNDS[int(np.argmin(vanishing))]


def _lab(colours: Pixels) -> NDArray[np.float32]:
    """(n, 3) float32 CIELAB of (n, 3) uint8 RGB."""
    return np.asarray(cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0], np.float32)


def is_cut_out(alpha: Pixels) -> bool:
    """Whether (H, W) uint8 `alpha` has the shape of a subject: part of it is clear, and the rest is no mere frame."""
    if np.count_nonzero(alpha < CLEAR) < CLEAR_SHARE * alpha.size:
        return False
    small = _solid(alpha)
    area = int(np.count_nonzero(small))
    if area == 0:
        return True
    outlines, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros_like(small)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outlines)), (1,))
    return area < FRAME * int(np.count_nonzero(hull))


def are_alike(matte: Pixels, alpha: Pixels) -> bool:
    """Whether both (H, W) uint8 show the same subject."""
    one, other = _solid(matte) > 0, _solid(alpha) > 0
    return bool((one & other).sum() >= ALIKE * (one | other).sum())


def _solid(alpha: Pixels) -> Pixels:
    small, _ = at_most(alpha, SAMPLE_PX)
    return (small > SOLID).astype(np.uint8)
