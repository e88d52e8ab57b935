"""Cutting the subject out without a network: OpenCV's GrabCut and watershed, started from the photo's frame."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]

WORK_PX = 320  # longest side while segmenting; 450 px take twice as long for no better mean IoU
MIN_SIDE_PX = 8
FRAME_SHARE = 0.02  # of each side, taken as background
ITERATIONS = 4
KEPT_SHARE = 0.1  # of the largest part's px: smaller parts are dropped
DEGENERATE = (0.01, 0.98)  # shares of px between which a result is believed
FEATHER_PX = 1.0  # sigma of the soft edge, at the working size
SEED = 12345


def grabcut(pixels: Pixels) -> Pixels:
    """(H, W) uint8 matte of (H, W, 3) uint8 RGB: what has other colours than the frame of the photo."""
    return _segment(pixels, _grabcut)


def watershed(pixels: Pixels) -> Pixels:
    """(H, W) uint8 matte of (H, W, 3) uint8 RGB: what edges part from the frame of the photo."""
    return _segment(pixels, _watershed)


ENGINES: Mapping[str, Callable[[Pixels], Pixels]] = {"grabcut": grabcut, "watershed": watershed}


def _segment(pixels: Pixels, method: Callable[[Pixels], Mask]) -> Pixels:
    """`method` at the working size, its mask cleaned, softened and enlarged. Where it finds nothing, a middle oval."""
    height, width = pixels.shape[:2]
    factor = min(1.0, WORK_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if min(size) < MIN_SIDE_PX:
        return np.full((height, width), 255, np.uint8)
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = _cleaned(method(small))
    if not DEGENERATE[0] < mask.mean() < DEGENERATE[1]:
        mask = _oval(size)
    soft = cv2.GaussianBlur(mask * np.float32(255), (0, 0), FEATHER_PX)
    large = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)


def _grabcut(small: Pixels) -> Mask:
    labels = np.full(small.shape[:2], cv2.GC_PR_BGD, np.uint8)
    labels[_oval((small.shape[1], small.shape[0])) == 1] = cv2.GC_PR_FGD
    labels[_frame(labels.shape)] = cv2.GC_BGD
    # GrabCut draws its first clusters from this thread's generator; seeded, the same photo gives the same mask.
    cv2.setRNGSeed(SEED)
    bgr = np.ascontiguousarray(small[..., ::-1])
    whole = (0, 0, small.shape[1], small.shape[0])
    cv2.grabCut(bgr, labels, whole, np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _watershed(small: Pixels) -> Mask:
    smooth = cv2.bilateralFilter(small, 7, 40, 7)
    markers = np.zeros(small.shape[:2], np.int32)
    markers[_oval((small.shape[1], small.shape[0]), 0.35) == 1] = 2
    markers[_frame(markers.shape)] = 1
    cv2.watershed(np.ascontiguousarray(smooth[..., ::-1]), markers)
    return np.asarray(markers == 2, np.uint8)


def _frame(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outermost px on the left, at the top and on the right; subjects often stand on the lower edge."""
    height, width = shape[:2]
    margin_x, margin_y = max(1, round(width * FRAME_SHARE)), max(1, round(height * FRAME_SHARE))
    frame = np.zeros((height, width), np.bool_)
    frame[:margin_y] = True
    frame[:, :margin_x] = True
    frame[:, width - margin_x :] = True
    return frame


def _oval(size: tuple[int, int], share: float = 0.85) -> Mask:
    """1 within the middle oval of (width, height) `size` whose axes are `share` of the sides."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    axes = (max(1, int(size[0] * share / 2)), max(1, int(size[1] * share / 2)))
    cv2.ellipse(mask, (size[0] // 2, size[1] // 2), axes, 0, 0, 360, (1,), -1)
    return mask


def _cleaned(mask: Mask) -> Mask:
    """`mask` opened, without specks, its holes filled."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), np.uint8)
    return _without_specks(1 - _without_specks(1 - _without_specks(opened)))


def _without_specks(mask: Mask) -> Mask:
    """`mask` without the parts that have less than a share of the px of its largest."""
    _count, labels, stats, _centres = cv2.connectedComponentsWithStats(np.ascontiguousarray(mask), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = areas >= max(1, KEPT_SHARE * areas.max())
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)
