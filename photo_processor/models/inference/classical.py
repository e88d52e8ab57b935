"""Cutting the subject out without a network: GrabCut, watershed and Canny's edges, started from faces and from what
stands out against the photo's frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.geometry import Box
from photo_processor.imaging.pictures import Pixels as Pixels
from photo_processor.models.inference.saliency import SEED, faces, frame_of, people, saliency
from photo_processor.models.inference.types import NO_HINTS, Hints

Mask = NDArray[np.uint8]

VERSION = 2  # grows when the engines come to give other answers, so that kept mattes are not taken for theirs
FOLLOWING_STROKES = frozenset({"grabcut", "watershed"})
WORK_PX = 320  # longest side while segmenting; 450 px take twice as long for no better mean IoU
MIN_SIDE_PX = 8
FRAME_SHARE = 0.02  # of each side, taken as background
ITERATIONS = 4
SALIENT = 1.3  # times the mean: what may be the subject;
CERTAIN = 1.6  # what watershed takes for its core,
UNSALIENT = 0.18  # and what for background
CORE_SHARE = 0.8  # of the sides: the oval in which a core lies,
HEART_SHARE = 0.25  # and the one that is taken for it in any case
BOXED_SHARE = 0.35  # of the sides of a box that a person drew: the oval taken for the subject's
BODY_CORE = (1.6, 3.5)  # in heights of the face: where a body is for certain
EDGE_LEVELS = (60, 30, 30)  # Canny's upper thresholds of L*, a* and b*
LOWER = 0.4  # Canny's lower thresholds, of the upper ones
EDGE_BLUR_PX = 1.2  # sigma
GAPS_PX = (7, 13, 21, 31)  # gaps of an outline that are closed, each where the one before left it open
CLOSED_SHARE = 0.1  # of the px that an outline holds when it is believed to be closed
KEPT_SHARE = 0.1  # of the largest part's px: smaller parts are dropped
DEGENERATE = (0.01, 0.98)  # shares of px between which a result is believed
FEATHER_PX = 1.0  # sigma of the soft edge, at the working size
STROKE_COLOURS = 5
STROKE_SHARE = 0.1  # of a px of the working size that a stroke covers when it counts


@dataclass(frozen=True)
class _Known:
    """What is known at the working size: (H, W) bool."""

    outside: NDArray[np.bool_]
    background: NDArray[np.bool_]
    subject: NDArray[np.bool_]


Method = Callable[[Pixels, _Known], Mask]


def grabcut(pixels: Pixels, hints: Hints = NO_HINTS) -> Pixels:
    """(H, W) uint8 matte of (H, W, 3) uint8 RGB: people about their faces, else what stands out, by its colours.

    GrabCut is Rother, Kolmogorov and Blake's (2004).
    """
    return _segment(pixels, _grabcut, hints)


def watershed(pixels: Pixels, hints: Hints = NO_HINTS) -> Pixels:
    """(H, W) uint8 matte of (H, W, 3) uint8 RGB: what edges part from the frame of the photo. Meyer's watershed."""
    return _segment(pixels, _watershed, hints)


def edges(pixels: Pixels, hints: Hints = NO_HINTS) -> Pixels:
    """(H, W) uint8 matte of (H, W, 3) uint8 RGB: what Canny's edges enclose; for plain backgrounds."""
    return _segment(pixels, _edges, hints)


ENGINES: Mapping[str, Callable[[Pixels, Hints], Pixels]] = {"grabcut": grabcut, "watershed": watershed, "edges": edges}


def _segment(pixels: Pixels, method: Method, hints: Hints) -> Pixels:
    """`method` at the working size, its mask cleaned, softened and enlarged. Where it finds nothing, a middle oval."""
    height, width = pixels.shape[:2]
    factor = min(1.0, WORK_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if min(size) < MIN_SIDE_PX:
        return np.full((height, width), 255, np.uint8)
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    known = _known(hints, size, (width, height))
    mask = _cleaned(method(small, known))
    mask[known.outside | known.background] = 0
    room = _box(known.outside)
    if not DEGENERATE[0] < mask[room].mean() < DEGENERATE[1]:
        mask = np.zeros_like(mask)
        mask[room] = _oval((mask[room].shape[1], mask[room].shape[0]))
    mask[known.subject] = 1
    soft = cv2.GaussianBlur(mask * np.float32(255), (0, 0), FEATHER_PX)
    large = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)


def _known(hints: Hints, size: tuple[int, int], whole: tuple[int, int]) -> _Known:
    """The hints on a photo of `whole` (width, height) px at the working `size`."""
    shape = (size[1], size[0])
    outside, nothing = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    if hints.rectangle is not None:
        x, y, right, bottom = _scaled(hints.rectangle, size[0] / whole[0], size[1] / whole[1])
        outside[:] = True
        outside[y : max(bottom, y + 1), x : max(right, x + 1)] = False
    if hints.strokes is None:
        return _Known(outside, nothing, nothing)
    strokes = hints.strokes

    def where(value: int) -> NDArray[np.bool_]:
        share = cv2.resize(np.asarray(strokes == value, np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(share > STROKE_SHARE, np.bool_)

    background = where(Hints.BACKGROUND)
    return _Known(outside, background, where(Hints.SUBJECT) & ~background)


def _scaled(box: Box, across: float, down: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box at another size."""
    x, y, width, height = box
    return round(x * across), round(y * down), round((x + width) * across), round((y + height) * down)


def _box(outside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns that are not outside."""
    rows, columns = np.nonzero(~outside.all(axis=1))[0], np.nonzero(~outside.all(axis=0))[0]
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _grabcut(small: Pixels, known: _Known) -> Mask:
    likely, certain = people(small.shape, faces(small))
    labels = np.full(small.shape[:2], cv2.GC_PR_BGD, np.uint8)
    if known.subject.any() and known.background.any():
        labels[_nearer(small, known)] = cv2.GC_PR_FGD
    elif known.outside.any():
        labels[~known.outside] = cv2.GC_PR_FGD
    else:
        labels[(_filled(saliency(small) > SALIENT) == 1) | (likely == 1)] = cv2.GC_PR_FGD
    labels[frame_of(labels.shape, FRAME_SHARE) & ~_given(known)] = cv2.GC_BGD
    labels[certain == 1] = cv2.GC_FGD
    labels[known.outside | known.background] = cv2.GC_BGD
    labels[known.subject] = cv2.GC_FGD
    if not (np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).any() and np.isin(labels, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()):
        return _oval((small.shape[1], small.shape[0]))
    # GrabCut draws its first clusters from this thread's generator; seeded, the same photo gives the same mask.
    cv2.setRNGSeed(SEED)
    bgr = np.ascontiguousarray(small[..., ::-1])
    whole = (0, 0, small.shape[1], small.shape[0])
    cv2.grabCut(bgr, labels, whole, np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _filled(mask: NDArray[np.bool_]) -> Mask:
    """`mask` with its gaps closed and all its holes filled: what is inside of a cup belongs to it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    closed = cv2.morphologyEx(np.asarray(mask, np.uint8), cv2.MORPH_CLOSE, disc)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, (1,), -1)
    return filled


def _nearer(small: Pixels, known: _Known) -> NDArray[np.bool_]:
    """Where the colour is nearer to those under the subject's strokes than to those under the background's."""
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    subject, background = (_distance(lab, lab[where]) for where in (known.subject, known.background))
    return subject < background


def _distance(lab: NDArray[np.float32], stroke: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W): squared distance of each colour to the nearest of at most five that stand for those of a stroke."""
    cv2.setRNGSeed(SEED)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 1.0)
    count = min(STROKE_COLOURS, len(stroke))
    _, _, centres = cv2.kmeans(stroke, count, np.zeros((0, 1), np.int32), until, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(((lab[:, :, None] - centres) ** 2).sum(axis=3).min(axis=2), np.float32)


def _given(known: _Known) -> NDArray[np.bool_]:
    """Where the frame is no background: within a box that a person drew up to it."""
    return ~known.outside if known.outside.any() else np.zeros_like(known.outside)


def _watershed(small: Pixels, known: _Known) -> Mask:
    smooth = cv2.bilateralFilter(small, 7, 40, 7)
    markers = np.zeros(small.shape[:2], np.int32)
    if known.outside.any():
        room = markers[_box(known.outside)]
        room[_oval((room.shape[1], room.shape[0]), BOXED_SHARE) == 1] = 2
    elif not (known.subject.any() and known.background.any()):
        markers = _markers(small)
    markers[frame_of(markers.shape, FRAME_SHARE) & ~_given(known)] = 1
    markers[known.outside | known.background] = 1
    markers[known.subject] = 2
    cv2.watershed(np.ascontiguousarray(smooth[..., ::-1]), markers)
    return np.asarray(markers == 2, np.uint8)


def _markers(small: Pixels) -> NDArray[np.int32]:
    """(H, W): 2 where the subject is, by faces and by what stands out most, 1 where least does, 0 elsewhere."""
    size, standing_out = (small.shape[1], small.shape[0]), saliency(small)
    markers = np.zeros(small.shape[:2], np.int32)
    core = cv2.erode(_filled(standing_out > CERTAIN), np.ones((5, 5), np.uint8))
    markers[(core == 1) & (_oval(size, CORE_SHARE) == 1)] = 2
    markers[_oval(size, HEART_SHARE) == 1] = 2
    found = faces(small)
    markers[people(small.shape, found)[1] == 1] = 2
    for x, y, width, height in found:
        top, bottom = (round(y + share * height) for share in BODY_CORE)
        markers[top : max(0, bottom), x : x + width] = 2
    markers[(standing_out < UNSALIENT) & (markers == 0)] = 1
    return markers


def _edges(small: Pixels, known: _Known) -> Mask:
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), EDGE_BLUR_PX)
    lines = np.zeros(small.shape[:2], np.uint8)
    for plane, level in zip(cv2.split(lab), EDGE_LEVELS, strict=True):
        lines |= np.asarray(cv2.Canny(plane, LOWER * level, level), np.uint8)
    lines[known.outside] = 0
    held = np.zeros_like(lines)
    for gap in GAPS_PX:
        held = _enclosed(lines, gap)
        if held[~known.outside].mean() > CLOSED_SHARE:
            break
    return held


def _enclosed(lines: Mask, gap: int) -> Mask:
    """1 where `lines`, with gaps of so many px closed, part the px from the left, the top and the right."""
    height, width = lines.shape
    grown = cv2.copyMakeBorder(lines, gap, gap, gap, gap, cv2.BORDER_CONSTANT, value=(0,))
    grown[-gap:] = grown[-gap - 1]  # what stands on the lower edge goes on below it
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    closed = cv2.morphologyEx(grown, cv2.MORPH_CLOSE, disc)[gap:-gap, gap:-gap]
    reached = np.zeros((height + 1, width + 2), np.uint8)
    reached[1:, 1:-1] = closed
    cv2.floodFill(reached, None, (0, 0), (128,))
    return np.asarray(reached[1:, 1:-1] != 128, np.uint8)


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
