"""Masks between a picture and its upright source, of which it may be a part, turned, mirrored, or another size."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.geometry import Size
from photo_processor.imaging.pictures import Picture, Pixels, Placement

Plane = NDArray[np.float32]

ROUNDS = 2  # of correcting what the way to the source and back changes; each halves it, about
EXACT = 1e-6
SLACK = 1e-3  # px


def from_source(mask: Pixels, picture: Picture) -> Pixels:
    """The part of the source's `mask` that `picture` shows, at its size; 0 beyond the source."""
    if mask.shape == picture.pixels.shape[:2] and picture.placement == Placement():
        return mask
    return _rounded(_taken(mask.astype(np.float32), picture.placement, (picture.width, picture.height)))


def on_source(alpha: Pixels, placement: Placement, source_size: Size | None) -> Pixels:
    """`alpha` on the upright source, where the picture may be a part or another size of it; 0 elsewhere.

    `from_source` makes `alpha` of it again, but for what the source has too few px for.
    """
    height, width = alpha.shape
    if source_size is None or (source_size == (width, height) and placement == Placement()):
        return alpha
    wanted = alpha.astype(np.float32)
    full = _laid(wanted, placement, source_size)
    if not _is_exact(placement):
        for _ in range(ROUNDS):
            missing = wanted - _taken(full, placement, (width, height))
            full = np.clip(full + _laid(missing, placement, source_size), 0, 255)
    return _rounded(full)


def _is_exact(placement: Placement) -> bool:
    """Whether every px of the picture is one of the source: it was cut, mirrored or turned by quarters at most."""
    numbers = (placement.scale_x, placement.scale_y, placement.shear_x, placement.shear_y, placement.x, placement.y)
    across = abs(abs(placement.scale_x) + abs(placement.shear_x) - 1) < EXACT
    return across and all(abs(number - round(number)) < EXACT for number in numbers)


def _laid(plane: Plane, placement: Placement, size: Size) -> Plane:
    """`plane` of the picture on a source of `size`, 0 where the picture does not reach."""
    return _sampled(plane, placement.inverse(), size)


def _taken(plane: Plane, placement: Placement, size: Size) -> Plane:
    """`plane` of the source at the px of a picture of `size`, 0 where that reaches beyond the source."""
    return _sampled(plane, placement, size)


def _sampled(plane: Plane, place: Placement, size: Size) -> Plane:
    """(height, width) of the px that `place` finds in `plane`: by area where it shrinks, else by linear interpolation.

    The px within the plane go on beyond their edge, so that none of them is mixed with the nothing behind it.
    """
    across, down = math.hypot(place.scale_x, place.shear_y), math.hypot(place.shear_x, place.scale_y)
    if abs(place.shear_x) > abs(place.scale_x):  # turned by about a quarter: the picture's rows are the plane's columns
        across, down = down, across
    if across > 1 + EXACT or down > 1 + EXACT:
        left, top, right, bottom = _reach(place, size, plane)
        plane = plane[top:bottom, left:right]
        smaller = max(1, round(plane.shape[1] / max(1.0, across))), max(1, round(plane.shape[0] / max(1.0, down)))
        factor_x, factor_y = smaller[0] / plane.shape[1], smaller[1] / plane.shape[0]
        plane = np.asarray(cv2.resize(plane, smaller, interpolation=cv2.INTER_AREA), np.float32)
        place = Placement(-left * factor_x, -top * factor_y, factor_x, factor_y).mapped(place)
    matrix = np.array([[place.scale_x, place.shear_x, place.x], [place.shear_y, place.scale_y, place.y]], np.float64)
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # from middle to middle of the px
    linear, nearest = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(plane, matrix, size, flags=linear, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(plane.shape, np.uint8), matrix, size, flags=nearest)
    found[inside == 0] = 0
    return np.asarray(found, np.float32)


def _reach(place: Placement, size: Size, plane: Plane) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the px of `plane` that are looked at; one at least."""
    corners = [place.at(x, y) for x in (0, size[0]) for y in (0, size[1])]
    x, y = [corner[0] for corner in corners], [corner[1] for corner in corners]
    left, top = (max(0, math.floor(min(ends) + SLACK)) for ends in (x, y))
    left, top = min(left, plane.shape[1] - 1), min(top, plane.shape[0] - 1)
    right, bottom = math.ceil(max(x) - SLACK), math.ceil(max(y) - SLACK)
    return left, top, min(max(right, left + 1), plane.shape[1]), min(max(bottom, top + 1), plane.shape[0])


def _rounded(plane: Plane) -> Pixels:
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)
