"""Frames: parts of a picture that may lean, reach beyond its edge, and have a size of their own in px."""

import math
from dataclasses import dataclass, replace

import numpy as np

from photo_processor.imaging.geometry import CLEAR, cropped, padded, scaled, warped
from photo_processor.imaging.pictures import Picture, Placement
from photo_processor.schemas import Frame

SLIGHT = 0.05  # degrees: turns 2,000 px by less than two
SHARP = 1.25  # times its last size at which a frame is sampled by cubic interpolation, after a shrink by area
ROOM = 3  # px around a frame that interpolation looks at


@dataclass(frozen=True)
class Cut:
    """A frame in px of a picture: its middle, its sides, and by how many degrees clockwise it leans."""

    x: float
    y: float
    width: float
    height: float
    lean: float = 0.0


def cut_of(frame: Frame, placement: Placement) -> Cut:
    """A frame of the upright source in px of the picture that lies there at `placement`."""
    across = math.cos(math.radians(-frame.angle)), math.sin(math.radians(-frame.angle))
    if placement.is_mirrored:
        across = -across[0], -across[1]
    back = placement.inverse()
    x, y = back.at(*frame.centre)
    there = back.at(frame.centre[0] + across[0], frame.centre[1] + across[1])
    scale = math.hypot(there[0] - x, there[1] - y)
    lean = math.degrees(math.atan2(there[1] - y, there[0] - x))
    return Cut(x, y, frame.width * scale, frame.height * scale, lean)


def frame_of(picture: Picture, manual: bool) -> Frame:
    """The part of the upright source that `picture` shows."""
    place = picture.placement
    across = (-place.scale_x, -place.shear_y) if place.is_mirrored else (place.scale_x, place.shear_y)
    x, y = place.at(picture.width / 2, picture.height / 2)
    angle = -math.degrees(math.atan2(across[1], across[0]))
    return Frame(
        centre=(round(x, 1), round(y, 1)),
        width=round(picture.width * math.hypot(*across), 1),
        height=round(picture.height * math.hypot(place.shear_x, place.scale_y), 1),
        angle=round(angle, 2) + 0.0,
        manual=manual,
    )


def framed(picture: Picture, cut: Cut, width: int, height: int) -> Picture:
    """The part `cut` of `picture` at `width` x `height` px; transparent where it reaches beyond the picture.

    Raises OutputTooLarge.
    """
    if abs(cut.lean) < SLIGHT:
        return _upright(picture, cut, width, height)
    return _leaning(picture, cut, width, height)


def _upright(picture: Picture, cut: Cut, width: int, height: int) -> Picture:
    """Cut out by whole px, brought to size, and room added then: what lies beyond the photo takes no memory before."""
    wide, high = max(1, round(cut.width)), max(1, round(cut.height))
    left, top = round(cut.x - wide / 2), round(cut.y - high / 2)
    inside = max(0, left), max(0, top), min(picture.width, left + wide), min(picture.height, top + high)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return _empty(picture, picture.placement.cropped(left, top).scaled(width / wide, height / high), width, height)
    part = cropped(picture, inside[0], inside[1], inside[2] - inside[0], inside[3] - inside[1])
    before_x, after_x, across = _room(inside[0] - left, inside[2] - left, wide, width)
    before_y, after_y, down = _room(inside[1] - top, inside[3] - top, high, height)
    return padded(scaled(part, across, down), before_x, before_y, after_x, after_y, CLEAR)


def _room(start: int, end: int, whole: int, size: int) -> tuple[int, int, int]:
    """Of `whole` px that become `size`: how many come before and after those from `start` to `end`, and these."""
    first = min(round(start * size / whole), size - 1)
    last = max(round(end * size / whole), first + 1)
    return first, size - last, last - first


def _empty(picture: Picture, placement: Placement, width: int, height: int) -> Picture:
    nothing = np.zeros((height, width), np.uint8)
    pixels = np.zeros((height, width, 3), np.uint8)
    return replace(
        picture,
        pixels=pixels,
        alpha=nothing,
        photo=None if picture.photo is None else pixels,
        matte=None if picture.matte is None else nothing,
        placement=placement,
    )


def _leaning(picture: Picture, cut: Cut, width: int, height: int) -> Picture:
    """Cut out around, shrunk by area nearly to its last size, and turned."""
    cos, sin = math.cos(math.radians(cut.lean)), math.sin(math.radians(cut.lean))
    reach_x = (abs(cos) * cut.width + abs(sin) * cut.height) / 2 + ROOM
    reach_y = (abs(sin) * cut.width + abs(cos) * cut.height) / 2 + ROOM
    left, top = max(0, math.floor(cut.x - reach_x)), max(0, math.floor(cut.y - reach_y))
    right, bottom = min(picture.width, math.ceil(cut.x + reach_x)), min(picture.height, math.ceil(cut.y + reach_y))
    if left >= right or top >= bottom:
        return _upright(picture, replace(cut, lean=0.0), width, height)
    part = cropped(picture, left, top, right - left, bottom - top)
    factor = min(1.0, SHARP * max(width / cut.width, height / cut.height))
    part = scaled(part, max(1, round(part.width * factor)), max(1, round(part.height * factor)))
    factor_x, factor_y = part.width / (right - left), part.height / (bottom - top)
    step_x, step_y = cut.width / width, cut.height / height
    x = cut.x - left - (cos * cut.width - sin * cut.height) / 2
    y = cut.y - top - (sin * cut.width + cos * cut.height) / 2
    inner = Placement(
        x * factor_x, y * factor_y, cos * step_x * factor_x, cos * step_y * factor_y,
        -sin * step_y * factor_x, sin * step_x * factor_y,
    )  # fmt: skip
    result = warped(part, inner, width, height)
    if picture.alpha is None and _lies_within(cut, picture, cos, sin):
        return replace(result, alpha=None)
    return result


def _lies_within(cut: Cut, picture: Picture, cos: float, sin: float) -> bool:
    corners = [
        (cut.x + cos * x - sin * y, cut.y + sin * x + cos * y)
        for x in (-cut.width / 2, cut.width / 2)
        for y in (-cut.height / 2, cut.height / 2)
    ]
    return all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in corners)
