"""The edge of a cutout: the matte made to follow the photo, and the old background's colour taken out of the subject.

Both learn at a reduced size, where a network's matte has no less detail, and are applied at full size, tile by tile,
where the edge is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from image_io import Pixels

WORK_PX = 640  # longest side while learning; mean errors at 500 to 1000 px lie within 2 % of each other
RADIUS_PX = 8  # of the learning windows, at the working size
SMOOTHING_PX = 4
ROUNDS = 2
REGULARISATION = 1e-4  # of colours from 0 to 1: variances below it are noise
DOUBT = 0.05  # weight of a px that is half subject; of a px that is all or nothing it is 1
BAND_PX = 4  # at the working size, beyond the soft px on both sides
SOFT = (8, 247)
CONTRAST = 16  # of neighbouring px of the reduced matte: an edge that is hard
COLOUR_RADII_PX = (24, 6)
TILE_PX = 256

Plane = NDArray[np.float32]


def refined(pixels: Pixels, matte: Pixels) -> Pixels:
    """(H, W) uint8: `matte` with edges that follow the colours of (H, W, 3) uint8 RGB `pixels`; far from them, as it was.

    A guided filter (He, Sun, Tang 2010; learnt small and applied large as in He, Sun 2015): in each window the matte is
    a linear function of the colour. The px that the network is sure of count most, and a second round learns from the
    first one's answer. On mattes that are known, `docs/models.md` has the errors.
    """
    small = _Reduced.of(pixels, matte)
    band = _band(small.matte)
    if not band.any():
        return matte
    answer = small.matte
    for _ in range(ROUNDS):
        slope, offset = _learnt(small.photo, answer, np.square(2 * answer - 1) + np.float32(DOUBT))
        answer = np.where(band, np.clip(_dot(slope, small.photo) + offset, 0, 1), small.matte)
    # 0 to 255, for photo and matte alike
    rule = cv2.merge([*cv2.split(slope), offset * 255])
    share = _blurred(band.astype(np.float32), 1)
    result = matte.copy()
    for tile in small.tiles(share > 0):
        fine, weight = tile.of(rule), tile.of(share)
        follows = _dot(fine[..., :3], pixels[tile.room]) + fine[..., 3]
        old = matte[tile.room].astype(np.float32)
        result[tile.room] = _bytes(old + weight * (np.clip(follows, 0, 255) - old))
    return result


def decontaminated(pixels: Pixels, alpha: Pixels) -> Pixels:
    """(H, W, 3) uint8 RGB: the subject's own colours, where `alpha` says that `pixels` mix them with a background.

    Blur fusion (Forte 2021, "Approximate Fast Foreground Colour Estimation") in two rounds at the reduced size, its
    last step at full size: the colours of subject and background around a px, corrected by what they leave unexplained.
    """
    small = _Reduced.of(pixels, alpha)
    soft = cv2.dilate(np.asarray((small.matte > 0) & (small.matte < 1), np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not soft.any():
        return pixels
    subject = behind = small.photo
    for radius in COLOUR_RADII_PX:
        subject, behind = _parted(small.photo, subject, behind, small.matte, radius)
    result = pixels.copy()
    for tile in small.tiles(soft):
        share = alpha[tile.room]
        mixed = (share > 0) & (share < 255)
        if mixed.any():
            part = share.astype(np.float32)[..., None] / 255
            front, back = tile.of(subject) * 255, tile.of(behind) * 255
            left = pixels[tile.room] - part * front - (1 - part) * back
            np.copyto(result[tile.room], _bytes(front + part * left), where=mixed[..., None])
    return result


@dataclass(frozen=True)
class _Tile:
    """A part of the photo, and where it lies in the reduced planes."""

    room: tuple[slice, slice]
    from_full: NDArray[np.float64]

    def of(self, plane: Plane) -> Plane:
        """The tile's part of a reduced plane, at full size."""
        rows, columns = self.room
        size = (columns.stop - columns.start, rows.stop - rows.start)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(plane, self.from_full, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32
        )


@dataclass(frozen=True)
class _Reduced:
    """Photo (h, w, 3) and matte (h, w) at the working size, from 0 to 1; `shape` is (H, W) of the originals."""

    photo: Plane
    matte: Plane
    shape: tuple[int, int]

    @classmethod
    def of(cls, pixels: Pixels, matte: Pixels) -> "_Reduced":
        height, width = matte.shape
        factor = min(1.0, WORK_PX / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        photo, reduced = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (pixels, matte))
        return cls(photo.astype(np.float32) / 255, reduced.astype(np.float32) / 255, (height, width))

    def tiles(self, wanted: NDArray[np.bool_]) -> Iterator[_Tile]:
        """The tiles of the photo that hold a px which is `wanted` at the reduced size."""
        (height, width), (low, narrow) = self.shape, wanted.shape
        scale_y, scale_x = low / height, narrow / width
        for top in range(0, height, TILE_PX):
            for left in range(0, width, TILE_PX):
                bottom, right = min(height, top + TILE_PX), min(width, left + TILE_PX)
                rows = slice(max(0, int(top * scale_y) - 1), int(np.ceil(bottom * scale_y)) + 1)
                columns = slice(max(0, int(left * scale_x) - 1), int(np.ceil(right * scale_x)) + 1)
                if wanted[rows, columns].any():
                    shift_x, shift_y = (left + 0.5) * scale_x - 0.5, (top + 0.5) * scale_y - 0.5
                    yield _Tile(
                        (slice(top, bottom), slice(left, right)),
                        np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]]),
                    )


def _band(matte: Plane) -> NDArray[np.bool_]:
    """The px around the edge of a reduced matte."""
    levels = _bytes(matte * 255)
    block = np.ones((3, 3), np.uint8)
    hard = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, block) > CONTRAST
    edge = ((levels > SOFT[0]) & (levels < SOFT[1])) | hard
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND_PX + 1, 2 * BAND_PX + 1))
    return np.asarray(cv2.dilate(edge.astype(np.uint8), disc) > 0)


def _learnt(photo: Plane, matte: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """Slope (h, w, 3) and offset (h, w) of the matte as a function of the colour, by weighted least squares."""
    red, green, blue = cv2.split(photo)
    products = (red * red, red * green, red * blue, green * green, green * blue, blue * blue)
    moments = [red, green, blue, matte, *products, red * matte, green * matte, blue * matte]
    total = _blurred(weight, RADIUS_PX)
    r, g, b, mean, rr, rg, rb, gg, gb, bb, rm, gm, bm = (
        _blurred(plane * weight, RADIUS_PX) / total for plane in moments
    )
    rr, gg, bb = rr - r * r + REGULARISATION, gg - g * g + REGULARISATION, bb - b * b + REGULARISATION
    rg, rb, gb = rg - r * g, rb - r * b, gb - g * b
    rm, gm, bm = rm - r * mean, gm - g * mean, bm - b * mean
    # The inverse of the symmetric 3 x 3 covariance, by its cofactors.
    i_rr, i_rg, i_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    i_gg, i_gb, i_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * i_rr + rg * i_rg + rb * i_rb)
    slope = cv2.merge(
        [
            (i_rr * rm + i_rg * gm + i_rb * bm) * scale,
            (i_rg * rm + i_gg * gm + i_gb * bm) * scale,
            (i_rb * rm + i_gb * gm + i_bb * bm) * scale,
        ]
    )
    offset = mean - _dot(slope, cv2.merge([r, g, b]))
    return _blurred(slope, SMOOTHING_PX), _blurred(offset, SMOOTHING_PX)


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


def _dot(one: Plane, other: NDArray[np.float32] | Pixels) -> Plane:
    """The sum over the channels of two (h, w, 3) planes' product."""
    product = cv2.multiply(one, other, dtype=cv2.CV_32F)
    return np.asarray(cv2.transform(product, np.ones((1, 3), np.float32)), np.float32)


def _bytes(plane: Plane) -> Pixels:
    """`plane`, of 0 to 255, rounded."""
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)
