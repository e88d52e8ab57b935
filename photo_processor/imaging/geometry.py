"""Pictures in another shape: every plane of them, and their place in the source, change together."""

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from photo_processor import errors
from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.imaging.reduction import Plane as Plane
from photo_processor.imaging.reduction import shrunk

RGBA = tuple[int, int, int, int]
Box = tuple[int, int, int, int]  # x, y, width, height in px
Size = tuple[int, int]  # width, height in px

CLEAR: RGBA = (0, 0, 0, 0)
MAX_WARP_PX = 32_766
FAINT = 255 * 255 // 512  # half a level of alpha, times 255: below it the colour of a px is not known


def cropped(picture: Picture, x: int, y: int, width: int, height: int) -> Picture:
    """The part of `picture` of `width` x `height` px that begins at `x`, `y`; it lies within the picture."""
    if (x, y, width, height) == (0, 0, picture.width, picture.height):
        return picture

    def part(plane: Pixels) -> Pixels:
        return np.ascontiguousarray(plane[y : y + height, x : x + width])

    return _each(picture, part, picture.placement.cropped(x, y))


def flipped(picture: Picture, code: int) -> Picture:
    """`picture` mirrored: left to right (`code` 1), upside down (0), or both (-1), as OpenCV names them."""
    across, down = code != 0, code != 1
    mirror = Placement(
        picture.width if across else 0.0,
        picture.height if down else 0.0,
        -1.0 if across else 1.0,
        -1.0 if down else 1.0,
    )
    return _each(picture, lambda plane: np.asarray(cv2.flip(plane, code), np.uint8), picture.placement.mapped(mirror))


def turned(picture: Picture, quarters: int) -> Picture:
    """`picture` turned clockwise by `quarters` of a full turn, without loss."""
    width, height = picture.width, picture.height
    inner = {
        0: Placement(),
        1: Placement(0.0, height, 0.0, 0.0, 1.0, -1.0),
        2: Placement(width, height, -1.0, -1.0),
        3: Placement(width, 0.0, 0.0, 0.0, -1.0, 1.0),
    }[quarters % 4]
    return _each(
        picture, lambda plane: np.ascontiguousarray(np.rot90(plane, -quarters)), picture.placement.mapped(inner)
    )


def _each(picture: Picture, change: Callable[[Pixels], Pixels], placement: Placement) -> Picture:
    """`picture` with every plane changed in the same way."""

    def of(plane: Pixels | None) -> Pixels | None:
        return None if plane is None else change(plane)

    alpha = of(picture.alpha)
    return replace(
        picture,
        pixels=change(picture.pixels),
        alpha=alpha,
        photo=of(picture.photo),
        matte=alpha if picture.matte is picture.alpha else of(picture.matte),
        placement=placement,
    )


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """`picture` at `width` x `height` px, by Lanczos."""
    if (width, height) == (picture.width, picture.height):
        return picture
    shrinks = width <= picture.width and height <= picture.height
    placement = picture.placement.scaled(width / picture.width, height / picture.height)

    def sample(plane: Plane) -> Plane:
        if shrinks:
            return shrunk(plane, width, height)
        return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LANCZOS4))

    return _resampled(picture, sample, placement)


def warped(picture: Picture, inner: Placement, width: int, height: int) -> Picture:
    """The `width` x `height` px that `inner` places in `picture`, by cubic interpolation; transparent beyond it.

    Raises OutputTooLarge where a side is longer than OpenCV can sample.
    """
    if max(width, height, picture.width, picture.height) > MAX_WARP_PX:
        raise errors.OutputTooLarge(f"A picture of more than {MAX_WARP_PX} pixels a side cannot be turned.")
    matrix = np.array([[inner.scale_x, inner.shear_x, inner.x], [inner.shear_y, inner.scale_y, inner.y]], np.float64)
    # The px's middle, not its corner, is what is looked up.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP

    def sample(plane: Plane, border: int = cv2.BORDER_CONSTANT) -> Plane:
        return np.asarray(cv2.warpAffine(plane, matrix, (width, height), flags=flags, borderMode=border))

    placement = picture.placement.mapped(inner)
    if picture.alpha is not None:
        return _resampled(picture, sample, placement)
    # Its colours go on beyond the edge, which is soft, so that nothing dark shows through there.
    on = _resampled(picture, lambda plane: sample(plane, cv2.BORDER_REPLICATE), placement)
    return replace(on, alpha=sample(np.full(picture.pixels.shape[:2], 255, np.uint8)))


def _resampled(picture: Picture, sample: Callable[[Plane], Plane], placement: Placement) -> Picture:
    """`picture` through `sample`; what is transparent lends no colour to its neighbours."""

    def plane(pixels: Pixels | None) -> Pixels | None:
        return None if pixels is None else np.asarray(sample(pixels), np.uint8)

    photo = plane(picture.photo)
    if picture.alpha is None:
        pixels = np.asarray(sample(picture.pixels), np.uint8)
        return replace(picture, pixels=pixels, photo=photo, matte=plane(picture.matte), placement=placement)
    # 16 bits hold each colour times its alpha exactly, at half the memory of floats.
    weighted = sample(cv2.multiply(picture.pixels, cv2.cvtColor(picture.alpha, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_16U))
    weights = sample(picture.alpha.astype(np.uint16) * np.uint16(255))
    weights[weights <= FAINT] = 0
    pixels = np.asarray(cv2.divide(weighted, cv2.merge([weights] * 3), scale=255, dtype=cv2.CV_8U), np.uint8)
    alpha = plane(picture.alpha)
    matte = alpha if picture.matte is picture.alpha else plane(picture.matte)
    return replace(picture, pixels=pixels, alpha=alpha, photo=photo, matte=matte, placement=placement)


def padded(picture: Picture, left: int, top: int, right: int, bottom: int, colour: RGBA) -> Picture:
    """`picture` with so many px of `colour` around it."""
    if not (left or top or right or bottom):
        return picture

    def around(plane: Pixels | None, value: tuple[int, ...]) -> Pixels | None:
        if plane is None:
            return None
        grown = cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value)
        return np.asarray(grown, np.uint8)

    alpha = picture.alpha
    if alpha is None and colour[3] < 255:
        alpha = np.full(picture.pixels.shape[:2], 255, np.uint8)
    pixels = around(picture.pixels, colour[:3])
    assert pixels is not None
    return replace(
        picture,
        pixels=pixels,
        alpha=around(alpha, colour[3:]),
        photo=around(picture.photo, colour[:3]),
        matte=around(picture.matte, (0,)),
        placement=picture.placement.cropped(-left, -top),
    )


def sized(picture: Picture, width: int | None, height: int | None, mode: str, enlarge: bool = False) -> Picture:
    """`picture` at the size that `fitted_size` says; to `fill` both sides, cut to their ratio around the middle."""
    if mode == "fill" and width and height:
        size = largest_of_ratio(picture.width, picture.height, width / height)
        picture = cropped(picture, (picture.width - size[0]) // 2, (picture.height - size[1]) // 2, *size)
    return scaled(picture, *fitted_size((picture.width, picture.height), width, height, mode, enlarge))


def sized_to(width: int, height: int, across: int | None, down: int | None, mode: str, enlarge: bool = False) -> Size:
    """Width and height in px of what `sized` makes of a picture of `width` x `height`."""
    if not across and not down:
        return width, height
    if mode == "fill" and across and down:
        width, height = largest_of_ratio(width, height, across / down)
    return fitted_size((width, height), across, down, mode, enlarge)


def fitted_size(
    size: tuple[int, int], width: int | None, height: int | None, mode: str, enlarge: bool = False
) -> tuple[int, int]:
    """What `size` (width, height in px) becomes within (`fit`), around (`fill`) or exactly at (`stretch`) the sides."""
    factor_x = width / size[0] if width else None
    factor_y = height / size[1] if height else None
    if mode != "stretch" or factor_x is None or factor_y is None:
        factors = [factor for factor in (factor_x, factor_y) if factor is not None]
        factor_x = factor_y = max(factors) if mode == "fill" else min(factors)
    if not enlarge:
        factor_x, factor_y = min(1.0, factor_x), min(1.0, factor_y)
    return max(1, round(size[0] * factor_x)), max(1, round(size[1] * factor_y))


def largest_of_ratio(width: int, height: int, ratio: float) -> tuple[int, int]:
    """The largest size within `width` x `height` px that is `ratio` times as wide as high."""
    return min(width, max(1, round(height * ratio))), min(height, max(1, round(width / ratio)))


def subject_box(matte: Pixels, least: int = 16) -> Box | None:
    """The box around the px of (H, W) uint8 `matte` of at least that level; None where there is none."""
    x, y, width, height = cv2.boundingRect(cv2.inRange(matte, least, 255))
    return (x, y, width, height) if width else None


def bounds(placement: Placement, box: Box) -> Box:
    """The upright box in the source around `box` of the picture."""
    x, y, width, height = box
    points = [placement.at(x + across, y + down) for across in (0, width) for down in (0, height)]
    left, top = min(point[0] for point in points), min(point[1] for point in points)
    right, bottom = max(point[0] for point in points), max(point[1] for point in points)
    return round(left), round(top), round(right - left), round(bottom - top)


def rotated_size(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Width and height in px of the box around `width` x `height` px turned by `degrees`."""
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return max(1, round(width * cos + height * sin)), max(1, round(width * sin + height * cos))


def inscribed_size(width: int, height: int, degrees: float) -> tuple[int, int]:
    """The largest box of the same aspect that holds nothing but the turned picture, in px."""
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    factor = min(width / (width * cos + height * sin), height / (width * sin + height * cos))
    return max(1, int(width * factor)), max(1, int(height * factor))
