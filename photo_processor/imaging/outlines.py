"""SVG out: the outline of a mask as a path, for cutting machines."""

import cv2
import numpy as np

from photo_processor.imaging.pictures import Picture, Pixels

FINER = 2  # px of the traced mask for one of the mask
SPECK_PX = 4.0  # parts and holes of less area are left out
STRAIGHT_PX = 0.25  # by which a straight line may stray, of the traced mask
INCH_MM = 25.4
FULL = 255


def outline(picture: Picture, tolerance: float) -> bytes:
    """An SVG of the picture's size whose one path is the outline of its subject; all of it where nothing says so.

    The outline strays from the mask's by at most `tolerance` px, and half a px where that is in doubt. Holes are left
    by the rule `evenodd`. Sizes are px, or millimetres where the picture has a resolution; the path's unit is px.
    """
    mask = picture.subject
    if mask is None:
        mask = np.full(picture.pixels.shape[:2], FULL, np.uint8)
    width, height = picture.width, picture.height
    size = f'width="{width}" height="{height}"'
    if picture.dpi is not None:
        across, down = (INCH_MM * px / dpi for px, dpi in zip((width, height), picture.dpi, strict=True))
        size = f'width="{across:.3f}mm" height="{down:.3f}mm"'
    path = " ".join(_path(points) for points in contours(mask, tolerance))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">\n'
        f'<path fill-rule="evenodd" d="{path}"/>\n</svg>\n'
    ).encode()


def contours(mask: Pixels, tolerance: float) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Closed outlines of where (H, W) uint8 `mask` is above 127, holes among them: each (N, 2) px, along px' edges.

    Traced by Suzuki and Abe's method on the mask at twice its size, thinned by Douglas and Peucker's.
    """
    box = cv2.boundingRect(np.asarray(mask > FULL // 2, np.uint8))
    x, y, width, height = box
    if not width:
        return []
    part = mask[y : y + height, x : x + width]
    fine = cv2.resize(part, (width * FINER, height * FINER), interpolation=cv2.INTER_LINEAR)
    solid = np.pad(np.asarray(fine > FULL // 2, np.uint8), ((1, 2), (1, 2)))
    outside = solid.copy()
    cv2.floodFill(outside, None, (0, 0), (2,))  # by edges alone: a line of px that touch at corners is closed
    found = _traced(solid) + _traced(np.asarray(outside == 0, np.uint8))
    kept = []
    for traced in found:
        if cv2.contourArea(traced) < SPECK_PX * FINER**2:
            continue
        thinned = cv2.approxPolyDP(traced, tolerance * FINER, closed=True)
        if len(thinned) < 3:  # a slit narrower than the tolerance
            thinned = cv2.approxPolyDP(traced, STRAIGHT_PX, closed=True)
        kept.append((thinned[:, 0].astype(np.float64) - 1) / FINER + (x, y))
    return kept


def _traced(solid: Pixels) -> list[Pixels]:
    """The outer outlines of the parts of (H, W) uint8 `solid`, 0 or 1, along the edges of its px.

    Outlines go through the middle of the outermost px. With each px doubled to the right and down, they go along the
    outer edges of what was there before, half a px away on every side. A hole is traced as a part of what is not solid:
    OpenCV's own outlines of holes cut their corners.
    """
    doubled = cv2.dilate(solid, np.ones((2, 2), np.uint8), anchor=(1, 1))
    found, levels = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not len(found):
        return []
    return [np.asarray(line) for line, level in zip(found, levels[0], strict=True) if level[3] < 0]


def _path(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> str:
    """`M x y L ... Z`."""
    pairs = [f"{x:g} {y:g}" for x, y in points]
    return f"M{pairs[0]}L{' '.join(pairs[1:])}Z"
