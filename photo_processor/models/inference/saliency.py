"""Where a subject may be, without a network: colours that the photo's frame has not, and the people below a face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.geometry import Box
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.detection.haar import find_faces

Mask = NDArray[np.uint8]

COLOURS = 20
COLOURS_PX = 120  # width at which they are found
SEED = 12345
FRAME = 0.04  # of the longest side, on the left, at the top and on the right
MIDDLE = (0.33, 0.4, 0.55)  # spread across and down, and height, of where subjects mostly are
OFF_MIDDLE = 0.25  # weight of what is nowhere near it
LEAST = 1.0  # of L*a*b* levels that something stands out by
FACES = 3
HEAD = (0.8, 1.0)  # half a head with its hair, in widths and heights of the face
BODY = (1.3, 1.2, 6.5)  # half its width, where it begins and ends, in widths and heights of the face
CORE = (0.35, 0.45)  # half of what of a face is skin for certain


def saliency(small: Pixels) -> NDArray[np.float32]:
    """(H, W) of a mean of 1: how little the colour of each px of (H, W, 3) uint8 RGB is one of the frame's.

    Colours are gathered into 20 by k-means in L*a*b*. Each counts by its distance to those of the frame and by how
    rarely it lies on the frame (the boundary prior of Wei et al., "Geodesic saliency", 2012), and more in the middle.
    """
    height, width = small.shape[:2]
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    across = min(width, COLOURS_PX)
    sample = cv2.resize(lab, (across, max(1, round(height * across / width))), interpolation=cv2.INTER_AREA)
    count = min(COLOURS, sample.shape[0] * sample.shape[1])
    cv2.setRNGSeed(SEED)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 1.0)
    start = np.zeros((0, 1), np.int32)
    _, _, centres = cv2.kmeans(sample.reshape(-1, 3), count, start, until, 1, cv2.KMEANS_PP_CENTERS)
    labels = ((lab.reshape(-1, 1, 3) - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    frame = frame_of(small.shape, FRAME)
    on_frame = np.bincount(labels[frame.ravel()], minlength=count)
    everywhere = np.bincount(labels, minlength=count) + 1
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2) @ (on_frame / max(1, frame.sum()))
    rarity = np.exp(-(on_frame / everywhere) / max(frame.mean(), 1e-6))
    found = cv2.GaussianBlur(np.asarray((distance * rarity)[labels].reshape(height, width), np.float32), (0, 0), 3)
    if found.max() < LEAST:
        found = np.ones_like(found)  # nothing stands out
    found = found * (OFF_MIDDLE + (1 - OFF_MIDDLE) * _middle(width, height))
    return np.asarray(found / max(float(found.mean()), 1e-6), np.float32)


def _middle(width: int, height: int) -> NDArray[np.float32]:
    """(height, width) from 0 to 1: the middle of the photo, a little below its centre."""
    spread_x, spread_y, centre = MIDDLE
    x = (np.arange(width) - width / 2) / (spread_x * width)
    y = (np.arange(height) - centre * height) / (spread_y * height)
    return np.asarray(np.exp(-(x[None] ** 2 + y[:, None] ** 2)), np.float32)


def frame_of(shape: tuple[int, ...], share: float) -> NDArray[np.bool_]:
    """The outermost px on the left, at the top and on the right; subjects often stand on the lower edge."""
    height, width = shape[:2]
    margin_x, margin_y = max(1, round(width * share)), max(1, round(height * share))
    frame = np.zeros((height, width), np.bool_)
    frame[:margin_y] = True
    frame[:, :margin_x] = True
    frame[:, width - margin_x :] = True
    return frame


def faces(small: Pixels) -> list[Box]:
    """Boxes (x, y, width, height in px) of the largest faces in (H, W, 3) uint8 RGB, at most 3."""
    return find_faces(small)[:FACES]


def people(shape: tuple[int, ...], boxes: list[Box]) -> tuple[Mask, Mask]:
    """(H, W) 0 or 1: where the heads and bodies of these faces may be, and where they are for certain."""
    likely, certain = np.zeros(shape[:2], np.uint8), np.zeros(shape[:2], np.uint8)
    for x, y, width, height in boxes:
        middle = (x + width // 2, y + height // 2)
        cv2.ellipse(likely, middle, (int(HEAD[0] * width), int(HEAD[1] * height)), 0, 0, 360, (1,), -1)
        left, top = round(middle[0] - BODY[0] * width), round(y + BODY[1] * height)
        right, bottom = round(middle[0] + BODY[0] * width), round(y + BODY[2] * height)
        likely[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
        cv2.ellipse(certain, middle, (int(CORE[0] * width), int(CORE[1] * height)), 0, 0, 360, (1,), -1)
    return likely, certain
