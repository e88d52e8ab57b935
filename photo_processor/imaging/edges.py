"""The edge of a cutout: the matte made to follow the photo, and the old background's colour taken out of the subject.

Both learn at a reduced size, where a network's matte has no less detail, and are applied at full size, tile by tile,
where the edge is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import averaged

WORK_PX = 512  # longest side while learning, about; the errors at 500 to 1000 px lie within 3 % of each other
RADIUS_PX = 8  # of the learning windows, at the working size, where the photo has FULL_PX or more
FULL_PX = 1024  # longest side; a network sees smaller photos enlarged, and its matte is the finer for it
ROUNDS = 2
REGULARISATION = 1e-4  # of colours from 0 to 1: variances below it are noise
DOUBT = 0.05  # weight of a px that is half subject; of a px that is all or nothing it is 1
BAND_PX = 2  # at the working size, beyond the soft px on both sides
SOFT = (8, 247)
FLOOR = 8  # levels of the matte that are noise
KNEE = 24
FAINT = 48  # levels: what is fainter and touches nothing that is more is haze
DEEP = 72  # levels: deep inside, what lacks no more is whole
DEPTH_SHARE = 0.012  # of the subject's longest side, from its edge on: what is deep inside, and far outside
DEPTH_PX = 3  # at the working size, at least
HALF = 127
CONTRAST = 16  # of neighbouring px of the reduced matte: an edge that is hard
COLOUR_RADII_PX = (24, 6)
AROUND_SHARE = 0.08  # of the subject's longest side: what is looked at beyond it
AROUND_PX = 8
TILE_PX = 128  # larger ones hold more that is no edge, smaller ones cost more calls: 64 and 256 take 1.3 times as long

Plane = NDArray[np.float32]

_SETTLING = np.rint(
    np.interp(np.arange(256), (0, FLOOR, KNEE, 255 - KNEE, 255 - FLOOR, 255), (0, 0, KNEE, 255 - KNEE, 255, 255))
).astype(np.uint8)


def refined(pixels: Pixels, matte: Pixels) -> Pixels:
    """(H, W) uint8: `matte` with edges that follow (H, W, 3) uint8 RGB `pixels`; away from them as it was.

    A guided filter (He, Sun, Tang 2010; learnt small and applied large as in He, Sun 2015): in each window the matte is
    a linear function of the colour. The px that the network is sure of count most, and a second round learns from the
    first one's answer. On mattes that are known, `docs/models.md` has the errors.
    """
    result = matte.copy()
    room = subject_room(matte)
    _refine(pixels[room], matte[room], result[room])
    return result


def _refine(pixels: Pixels, matte: Pixels, result: Pixels) -> None:
    """Write the refined edges of `matte` into `result`, a copy of it."""
    small = _Reduced.of(pixels, matte)
    band = _band(small.matte)
    if not band.any():
        return
    answer = small.matte
    radius = max(1, round(RADIUS_PX * min(1.0, max(matte.shape) / FULL_PX)))
    for _ in range(ROUNDS):
        slope, offset, trust = _learnt(small.photo, answer, radius)
        answer = np.where(band, np.clip(_dot(slope, small.photo) + offset, 0, 1), small.matte)
    offset *= 255
    share = _blurred(np.asarray(band * np.square(trust), np.float32), 1)
    for tile in small.tiles(share > 0):
        old = matte[tile.room].astype(np.float32)
        change = _dot(tile.of(slope), pixels[tile.room].astype(np.float32))
        change += tile.of(offset)
        change = _opened(change)
        change -= old
        change *= tile.of(share)
        result[tile.room] = _sum(old, change)


def settled(alpha: Pixels) -> Pixels:
    """(H, W) uint8: `alpha` that is 255 inside of the subject and 0 where nothing is.

    Levels within `FLOOR` of either end are that end, from `KNEE` levels on nothing changes near an edge. Deep inside
    of the subject what is nearly whole is whole; far from it, and on islands that are nowhere more, what is faint is
    nothing.
    """
    result = np.asarray(cv2.LUT(alpha, _SETTLING), np.uint8)
    step = max(1, round(max(alpha.shape) / WORK_PX))
    rows, columns = alpha.shape[0] // step, alpha.shape[1] // step
    if not rows or not columns:
        return result
    block = np.ones((step, step), np.uint8)
    greatest, least = (
        np.asarray(of(result, block, anchor=(0, 0)), np.uint8)[::step, ::step][:rows, :columns]
        for of in (cv2.dilate, cv2.erode)
    )
    solid = (averaged(result, step) > HALF).astype(np.uint8)
    reach = max(DEPTH_PX, round(DEPTH_SHARE * max(cv2.boundingRect(solid)[2:])))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = (cv2.erode(solid, disc, borderType=cv2.BORDER_REPLICATE) > 0) & (least < 255)
    outside = (cv2.dilate(solid, disc) == 0) | _islands(greatest)
    nearly, faintly = (inside, 255 - DEEP, 254, 255), (outside & (greatest > 0), 1, FAINT, 0)
    for where, low, high, level in (nearly, faintly):
        if where.any():
            wide = cv2.resize(where.astype(np.uint8), (columns * step, rows * step), interpolation=cv2.INTER_NEAREST)
            down, right = alpha.shape[0] - rows * step, alpha.shape[1] - columns * step
            wide = cv2.copyMakeBorder(wide, 0, down, 0, right, cv2.BORDER_REPLICATE)
            result[(wide > 0) & (cv2.inRange(result, low, high) > 0)] = level
    return result


def _islands(greatest: Pixels) -> NDArray[np.bool_]:
    """Where (h, w) uint8 is a part of its own that is faint throughout."""
    count, labels = cv2.connectedComponents((greatest > 0).astype(np.uint8), connectivity=8)
    seen = np.zeros(count, np.bool_)
    seen[labels[greatest > FAINT]] = True
    return np.asarray(~seen[labels], np.bool_)


def decontaminated(pixels: Pixels, alpha: Pixels) -> Pixels:
    """(H, W, 3) uint8 RGB: the subject's own colours, where `alpha` says that `pixels` mix them with a background.

    Blur fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation") in two rounds at the reduced size, its
    last step at full size: the colours of subject and background around a px, corrected by what they leave unexplained.
    """
    result = pixels.copy()
    room = subject_room(alpha)
    _decontaminate(pixels[room], alpha[room], result[room])
    return result


def soft_room(alpha: Pixels) -> tuple[slice, slice]:
    """The smallest part of (H, W) uint8 `alpha` with all the px whose colours `decontaminated` may change."""
    left, top, width, height = cv2.boundingRect(cv2.inRange(alpha, *SOFT))
    return slice(top, top + height), slice(left, left + width)


def _decontaminate(pixels: Pixels, alpha: Pixels, result: Pixels) -> None:
    """Write the subject's colours at the soft px of `alpha` into `result`, a copy of `pixels`."""
    small = _Reduced.of(pixels, alpha)
    soft = cv2.dilate(np.asarray((small.matte > 0) & (small.matte < 1), np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not soft.any():
        return
    subject = behind = small.photo
    for radius in COLOUR_RADII_PX:
        subject, behind = _parted(small.photo, subject, behind, small.matte, radius)
    subject, behind = subject * 255, behind * 255
    for tile in small.tiles(soft):
        share = alpha[tile.room]
        wanted = cv2.inRange(share, *SOFT)
        if not wanted.any():
            continue
        part = cv2.cvtColor(_shares(share), cv2.COLOR_GRAY2RGB)
        front, back = tile.of(subject), tile.of(behind)
        mixed = np.subtract(front, back)
        mixed *= part
        mixed += back
        left = np.subtract(pixels[tile.room], mixed, out=mixed)
        left *= part
        cv2.copyTo(_sum(front, left), wanted, result[tile.room])


def subject_room(matte: Pixels) -> tuple[slice, slice]:
    """The part of the photo that holds the subject and what is around it: small subjects are looked at more closely."""
    left, top, width, height = cv2.boundingRect(cv2.inRange(matte, SOFT[0], 255))
    if width == 0:
        return slice(0, matte.shape[0]), slice(0, matte.shape[1])
    margin = max(AROUND_PX, round(AROUND_SHARE * max(width, height)))
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )


@dataclass(frozen=True)
class _Tile:
    """A part of the photo. In the reduced planes it is the middle of `patch`, which has px more, behind `margin`."""

    room: tuple[slice, slice]
    patch: tuple[slice, slice]
    margin: tuple[int, int]
    step: int

    def of(self, plane: Plane) -> Plane:
        """The tile's part of a reduced plane, at full size."""
        part = plane[self.patch]
        large = cv2.resize(part, (part.shape[1] * self.step, part.shape[0] * self.step), interpolation=cv2.INTER_LINEAR)
        height, width = (room.stop - room.start for room in self.room)
        large = large[self.margin[0] :, self.margin[1] :][:height, :width]
        down, right = height - large.shape[0], width - large.shape[1]
        if down or right:
            large = cv2.copyMakeBorder(large, 0, down, 0, right, cv2.BORDER_REPLICATE)
        return np.asarray(large, np.float32)


@dataclass(frozen=True)
class _Reduced:
    """Photo (h, w, 3) and matte (h, w), from 0 to 1, with one px for `step` x `step` px of the (H, W) `shape`.

    A whole step lets OpenCV average three times as fast. The last px of a side that fill no step are left out.
    """

    photo: Plane
    matte: Plane
    step: int
    shape: tuple[int, int]

    @classmethod
    def of(cls, pixels: Pixels, matte: Pixels) -> "_Reduced":
        height, width = matte.shape
        step = max(1, min(round(max(height, width) / WORK_PX), height, width))
        return cls(_shares(averaged(pixels, step)), _shares(averaged(matte, step)), step, (height, width))

    def tiles(self, wanted: NDArray[np.bool_]) -> Iterator[_Tile]:
        """The tiles of the photo that hold a px which is `wanted` at the reduced size."""
        side = max(1, TILE_PX // self.step)
        for top in range(0, wanted.shape[0], side):
            for left in range(0, wanted.shape[1], side):
                patch = _around(top, side), _around(left, side)
                if wanted[patch].any():
                    yield _Tile(
                        room=(self._room(0, top, side), self._room(1, left, side)),
                        patch=patch,
                        margin=((top - patch[0].start) * self.step, (left - patch[1].start) * self.step),
                        step=self.step,
                    )

    def _room(self, axis: int, start: int, side: int) -> slice:
        """The px of the photo behind `side` reduced ones; the last ones have what fills no step besides."""
        last = start + side >= self.matte.shape[axis]
        return slice(start * self.step, self.shape[axis] if last else (start + side) * self.step)


def _around(start: int, side: int) -> slice:
    """`side` px and one more at both ends, for the interpolation."""
    return slice(max(0, start - 1), start + side + 1)


def _band(matte: Plane) -> NDArray[np.bool_]:
    """The px around the edge of a reduced matte."""
    levels = _bytes(matte * 255)
    block = np.ones((3, 3), np.uint8)
    hard = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, block) > CONTRAST
    edge = ((levels > SOFT[0]) & (levels < SOFT[1])) | hard
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND_PX + 1, 2 * BAND_PX + 1))
    return np.asarray(cv2.dilate(edge.astype(np.uint8), disc) > 0)


def _learnt(photo: Plane, matte: Plane, radius: int) -> tuple[Plane, Plane, Plane]:
    """Slope (h, w, 3) and offset (h, w) of the matte as a function of the colour, by weighted least squares.

    And how much of the matte they explain: the share (h, w) of its variance.
    """
    weight = np.asarray(np.square(2 * matte - 1) + DOUBT, np.float32)
    red, green, blue = cv2.split(photo)
    products = (red * red, red * green, red * blue, green * green, green * blue, blue * blue)
    moments = [red, green, blue, matte, *products, red * matte, green * matte, blue * matte, matte * matte]
    total = _blurred(weight, radius)
    r, g, b, mean, rr, rg, rb, gg, gb, bb, rm, gm, bm, mm = (
        _blurred(plane * weight, radius) / total for plane in moments
    )
    rr, gg, bb = rr - r * r + REGULARISATION, gg - g * g + REGULARISATION, bb - b * b + REGULARISATION
    rg, rb, gb = rg - r * g, rb - r * b, gb - g * b
    rm, gm, bm = rm - r * mean, gm - g * mean, bm - b * mean
    # The inverse of the symmetric 3 x 3 covariance, by its cofactors.
    i_rr, i_rg, i_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    i_gg, i_gb, i_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * i_rr + rg * i_rg + rb * i_rb)
    slope = np.dstack(
        [
            (i_rr * rm + i_rg * gm + i_rb * bm) * scale,
            (i_rg * rm + i_gg * gm + i_gb * bm) * scale,
            (i_rb * rm + i_gb * gm + i_bb * bm) * scale,
        ]
    )
    offset = mean - _dot(slope, np.dstack([r, g, b]))
    explained = _dot(slope, np.dstack([rm, gm, bm])) / (mm - mean * mean + REGULARISATION)
    return _blurred(slope, radius // 2), _blurred(offset, radius // 2), np.clip(explained, 0, 1)


def _parted(photo: Plane, subject: Plane, behind: Plane, alpha: Plane, radius: int) -> tuple[Plane, Plane]:
    """The subject's and the background's colours, each spread from the px that are most its own."""
    total = _blurred(alpha, radius)[..., None]
    part = alpha[..., None]
    front = _blurred(subject * part, radius) / (total + 1e-5)
    back = _blurred(behind * (1 - part), radius) / (1 - total + 1e-5)
    front = front + part * (photo - part * front - (1 - part) * back)
    return np.clip(front, 0, 1), np.clip(back, 0, 1)


def _blurred(plane: Plane, radius: int) -> Plane:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)


def _dot(one: Plane, other: Plane) -> Plane:
    """The sum over the channels of two (h, w, 3) planes' product."""
    return np.asarray(cv2.transform(one * other, np.ones((1, 3), np.float32)), np.float32)


def _shares(levels: Pixels) -> Plane:
    """`levels` of 0 to 255 as 0 to 1."""
    return np.multiply(levels, np.float32(1 / 255), dtype=np.float32)


def _opened(levels: Plane) -> Plane:
    """`levels` of 0 to 255 with what differs from either end by noise laid on it."""
    levels = (levels - FLOOR) * np.float32(255 / (255 - 2 * FLOOR))
    return np.clip(levels, 0, 255, out=levels)


def _sum(one: Plane, other: Plane) -> Pixels:
    """The sum of two planes of 0 to 255, rounded."""
    return np.asarray(cv2.add(one, other, dtype=cv2.CV_8U), np.uint8)


def _bytes(plane: Plane) -> Pixels:
    """`plane`, of 0 to 255, rounded."""
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)
