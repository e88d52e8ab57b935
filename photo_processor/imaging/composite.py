"""Subjects before something else: a colour, a gradient, another picture."""

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.geometry import CLEAR, RGBA, cropped, fitted_size, largest_of_ratio, padded, scaled
from photo_processor.imaging.pictures import Picture, Pixels

BLUR_SHARE = 0.03  # the blur's sigma, of the longest side
BLUR_WORK_PX = 512  # a blurred background has no detail that more px would show
STRIP_ROWS = 32  # px; what is in work at once stays in the processor's cache


def before_colour(picture: Picture, colour: RGBA) -> Picture:
    """`picture` with `colour` behind what is transparent; it stays as it is where either leaves nothing to do."""
    if colour[3] == 0 or picture.alpha is None:
        return picture
    row = np.tile(np.array(colour[:3], np.uint8), (picture.width, 1))  # whose copies are ten times as fast as a px's
    plane = np.broadcast_to(row, picture.pixels.shape)
    if colour[3] == 255:
        return _opaque(picture, picture.alpha, plane)
    return _over(picture, picture.alpha, plane, np.broadcast_to(np.uint8(colour[3]), picture.alpha.shape))


def before_picture(picture: Picture, behind: Picture) -> Picture:
    """`picture` before another of the same size; `picture` as it is where it has no transparency."""
    if picture.alpha is None:
        return picture
    if behind.alpha is None:
        return _opaque(picture, picture.alpha, behind.pixels)
    return _over(picture, picture.alpha, behind.pixels, behind.alpha)


def _opaque(picture: Picture, alpha: Pixels, behind: Pixels) -> Picture:
    """`picture` before opaque (H, W, 3) uint8: 0.03 s for 12 MP, where Pillow takes 0.36."""
    return replace(picture, pixels=mixed(picture.pixels, alpha, behind), alpha=None, matte=picture.subject)


def mixed(front: Pixels, alpha: Pixels, behind: Pixels) -> Pixels:
    """(H, W, 3) uint8: `front` where (H, W) uint8 `alpha` is 255, `behind` where it is 0."""
    result = np.empty_like(front)
    left, top, width, height = cv2.boundingRect(alpha)
    columns = slice(left, left + width)
    result[:top], result[top + height :] = behind[:top], behind[top + height :]
    for start in range(top, top + height, STRIP_ROWS):
        rows = slice(start, min(start + STRIP_ROWS, top + height))
        result[rows, :left], result[rows, left + width :] = behind[rows, :left], behind[rows, left + width :]
        share = cv2.cvtColor(alpha[rows, columns], cv2.COLOR_GRAY2RGB)
        mine = cv2.multiply(front[rows, columns], share, scale=1 / 255)
        low = np.ascontiguousarray(behind[rows, columns])
        result[rows, columns] = cv2.add(mine, cv2.multiply(low, 255 - share, scale=1 / 255))
    return result


def _over(picture: Picture, alpha: Pixels, behind: Pixels, behind_alpha: Pixels) -> Picture:
    """`picture` over what is itself half transparent, by Porter and Duff's `over`."""
    pixels, result = np.empty_like(picture.pixels), np.empty_like(alpha)
    for top in range(0, picture.height, STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        front = alpha[rows].astype(np.float32) / 255
        back = (1 - front) * (behind_alpha[rows].astype(np.float32) / 255)
        whole = front + back
        share = np.divide(front, whole, out=np.ones_like(front), where=whole > 0)[..., None]
        low = behind[rows].astype(np.float32)
        pixels[rows] = np.rint(low + share * (picture.pixels[rows].astype(np.float32) - low))
        result[rows] = np.rint(whole * 255)
    return replace(picture, pixels=pixels, alpha=result, matte=picture.subject)


def with_room(picture: Picture, left: int, top: int, right: int, bottom: int, colour: RGBA) -> Picture:
    """`picture` with so many px of `colour` around it, and behind what is transparent."""
    if picture.alpha is None:
        return padded(picture, left, top, right, bottom, colour)
    return before_colour(padded(picture, left, top, right, bottom, CLEAR), colour)


def gradient(width: int, height: int, start: RGBA, end: RGBA, degrees: float) -> Picture:
    """A linear gradient as CSS draws it: 0 degrees goes up, 90 to the right, and the corners have the pure colours."""
    turn = math.radians(degrees)
    across, down = math.sin(turn), -math.cos(turn)
    length = abs(width * across) + abs(height * down)
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) * np.float32(across / length)
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) * np.float32(down / length)
    rgba = np.empty((height, width, 4), np.uint8)
    shares = (np.clip(0.5 + y[top : top + STRIP_ROWS, None] + x[None], 0, 1) for top in range(0, height, STRIP_ROWS))
    for number, (share, noise) in enumerate(zip(shares, _noise(width), strict=False)):
        rows = slice(number * STRIP_ROWS, number * STRIP_ROWS + len(share))
        rgba[rows] = _dithered(share, noise[: len(share)], start, end)
    alpha = None if start[3] == end[3] == 255 else np.ascontiguousarray(rgba[..., 3])
    return Picture(np.ascontiguousarray(rgba[..., :3]), alpha)


def _noise(width: int) -> Iterator[NDArray[np.float32]]:
    """(STRIP_ROWS, width) of -0.5 to 0.5 for ever, each strip another part of one wider one: new noise for every px
    takes four times as long and looks no better."""
    random = np.random.default_rng(0)
    wide = random.random((STRIP_ROWS, 2 * width), np.float32) - np.float32(0.5)
    while True:
        left = int(random.integers(width))
        yield wide[:, left : left + width]


def _dithered(share: NDArray[np.float32], noise: NDArray[np.float32], start: RGBA, end: RGBA) -> Pixels:
    """(H, W, 4) uint8 between two colours; noise of half a level hides the bands that 8 bits would show."""
    within = noise * ((share > 0) & (share < 1))
    planes = []
    for low, high in zip(start, end, strict=True):
        levels = share * np.float32(high - low) + np.float32(low)
        planes.append(cv2.add(levels, within if low != high else np.zeros_like(within), dtype=cv2.CV_8U))
    return np.asarray(cv2.merge(planes), np.uint8)


def behind_of(picture: Picture, width: int, height: int, fit: str, colour: RGBA) -> Picture:
    """`picture` at exactly `width` x `height` px: `cover` cuts off what is too much, `contain` adds `colour`."""
    plain = replace(picture, photo=None)
    if (picture.width, picture.height) == (width, height):
        return plain
    if fit == "cover":
        size = largest_of_ratio(picture.width, picture.height, width / height)
        part = cropped(plain, (picture.width - size[0]) // 2, (picture.height - size[1]) // 2, *size)
        return scaled(part, width, height)
    whole = scaled(plain, *fitted_size((picture.width, picture.height), width, height, "fit", enlarge=True))
    left, top = (width - whole.width) // 2, (height - whole.height) // 2
    return padded(whole, left, top, width - whole.width - left, height - whole.height - top, colour)


def blurred_background(pixels: Pixels, matte: Pixels) -> Pixels:
    """`pixels` blurred by background px alone, so that the subject's colours make no halo around it."""
    height, width = pixels.shape[:2]
    factor = min(1.0, BLUR_WORK_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = 1 - cv2.resize(matte, size, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255 + 1e-4
    sigma = max(1.0, BLUR_SHARE * max(size))
    colours = cv2.GaussianBlur(small * weight, (0, 0), sigma)
    weights = cv2.GaussianBlur(weight, (0, 0), sigma)
    blurred = np.clip(np.rint(colours / weights[..., None]), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
