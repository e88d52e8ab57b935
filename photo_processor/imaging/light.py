"""Colours that a file describes by numbers, not by a profile, to sRGB: nclx, cICP, gAMA with cHRM; also PQ and HLG.

Code points are those of ITU-T H.273. What browsers show is the measure: every conversion here was compared with
Chromium 156 on 729 colours and a ramp of greys.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.pictures import Pixels

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

D65 = (0.3127, 0.3290)
STRIP_PX = 1 << 20  # converted at once: 12 MP take 0.4 s, and no more memory than a strip of floats
LEVELS = 65_535

# Chromaticities of red, green, blue and white.
Chromaticities = tuple[float, float, float, float, float, float, float, float]
BT709: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *D65)
BT2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65)
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: (0.670, 0.330, 0.210, 0.710, 0.140, 0.080, 0.310, 0.316),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
    9: BT2020,
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *D65),
}
SRGB, LINEAR, GAMMA_22, GAMMA_28, SMPTE240, SMPTE428, PQ, HLG = 13, 8, 4, 5, 7, 17, 16, 18
VIDEO = frozenset({1, 6, 14, 15})  # transfers of camera signals, which a still picture was seldom made by
HDR = {PQ: "PQ", HLG: "HLG"}
BT1886 = 2.4  # what a screen makes of a camera's signal

# The tone curve of browsers for a screen without headroom: light up to paper white is scaled, what is brighter rolls
# off up to the brightest px that the file names. Measured on ramps of 16 bits with brightest px of 203 to 10,000 nits.
PAPER_NITS = 203.0  # of white paper in HDR (BT.2408)
USUAL_PEAK_NITS = 1000.0  # where the file names none; HLG's own
MOST_NITS = 10_000.0
_PEAKS = (203, 250, 300, 400, 500, 600, 800, 1000)
_PAPER = (1.0, 0.936, 0.877, 0.784, 0.718, 0.661, 0.571, 0.5)  # that paper white becomes of the screen's, by peak
_ROLL = (0.0, 0.31, 0.487, 0.618, 0.723, 0.81, 0.882, 0.945, 1.0)  # from paper white to the peak, by eighths
_LONG_ROLL = (0.0, 0.411, 0.569, 0.683, 0.768, 0.839, 0.902, 0.956, 1.0)  # the same up to 10,000 nits


@dataclass(frozen=True)
class Light:
    """How levels become light: the chromaticities of full red, green and blue, and a transfer.

    `transfer` is a code point of H.273, or else `gamma` the power that a level is raised to. `peak` is the brightest px
    of an HDR photo, in nits.
    """

    primaries: Chromaticities = BT709
    transfer: int = SRGB
    gamma: float | None = None
    peak: float = USUAL_PEAK_NITS

    @property
    def is_srgb(self) -> bool:
        """Whether nothing has to be done."""
        return self.primaries == BT709 and self.transfer == SRGB and self.gamma is None

    @property
    def hdr(self) -> str | None:
        """The name of a transfer that is brighter than a screen's white; None of all others."""
        return HDR.get(self.transfer) if self.gamma is None else None


def of_code_points(primaries: int, transfer: int, *, still: bool, peak: float | None = None) -> Light | None:
    """What the code points say; None where they say nothing. `still`: of AVIF and HEIC, whose encoders write that of
    video for sRGB; in a PNG it is meant. `peak`: the nits of the brightest px, where the file names them."""
    known = transfer in (SRGB, LINEAR, GAMMA_22, GAMMA_28, SMPTE240, SMPTE428, PQ, HLG)
    if still:
        return Light(PRIMARIES.get(primaries, BT709), transfer if known else SRGB, peak=_peak(transfer, peak))
    if transfer in VIDEO or transfer == 11:
        return Light(PRIMARIES.get(primaries, BT709), gamma=BT1886)
    return Light(PRIMARIES.get(primaries, BT709), transfer, peak=_peak(transfer, peak)) if known else None


def _peak(transfer: int, peak: float | None) -> float:
    return peak if peak and transfer == PQ else USUAL_PEAK_NITS


def to_srgb(pixels: Pixels, light: Light) -> Pixels:
    """(H, W, 3) uint8 of `light`, in sRGB; what its range or gamut cannot hold is tone-mapped or cut off."""
    linear = _linear(light)
    if light.primaries == BT709 and light.hdr is None:
        return np.asarray(
            cv2.LUT(pixels, _coded()[np.rint(np.clip(linear, 0, 1) * LEVELS).astype(np.uint16)]), np.uint8
        )
    out = np.empty_like(pixels)
    rows = max(1, STRIP_PX // max(1, pixels.shape[1]))
    for top in range(0, len(pixels), rows):
        out[top : top + rows] = _strip(pixels[top : top + rows], light, linear.astype(np.float32))
    return out


def _strip(pixels: Pixels, light: Light, linear: Singles) -> Pixels:
    values = linear[pixels]
    if light.hdr is None:
        return _levels(_converted(values, light.primaries, BT709))
    return _levels(_converted(_on_screen(_converted(values, light.primaries, BT2020), light), BT2020, BT709))


def _converted(values: Singles, source: Chromaticities, target: Chromaticities) -> Singles:
    return np.asarray(cv2.transform(values, _between(source, target)), np.float32)


def _levels(linear: Singles | Floats) -> Pixels:
    """Light from 0 to 1 as levels of sRGB."""
    return np.asarray(_coded()[np.rint(np.clip(linear, 0, 1) * LEVELS).astype(np.uint16)], np.uint8)


def _on_screen(values: Singles, light: Light) -> Singles:
    """Light in BT.2020 primaries, in nits or of an HLG scene, as a screen's light from 0 to 1."""
    if light.transfer == HLG:
        luminance = np.asarray(cv2.transform(values, np.asarray(_to_xyz(BT2020)[1:2], np.float32)), np.float32)
        values = np.asarray(USUAL_PEAK_NITS * values * np.maximum(luminance, 1e-9)[..., None] ** 0.2, np.float32)
    brightest = values.max(axis=-1, keepdims=True)
    seen = np.interp(brightest, *_tone_curve(light.peak)).astype(np.float32)
    return np.asarray(values * (seen / np.maximum(brightest, 1e-9)), np.float32)


def _linear(light: Light) -> Floats:
    """The light of each of 256 levels: from 0 to 1; of PQ in nits."""
    level = np.arange(256) / 255
    if light.gamma is not None:
        return np.asarray(level**light.gamma)
    match light.transfer:
        case 8:
            return level
        case 4:
            return np.asarray(level**2.2)
        case 5:
            return np.asarray(level**2.8)
        case 7:
            return np.where(level < 4 * 0.0228, level / 4, ((level + 0.1115) / 1.1115) ** (1 / 0.45))
        case 17:
            return np.asarray(level**2.6 * (52.37 / 48))
        case 16:
            power = level ** (1 / 78.84375)
            return np.asarray(
                10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
            )
        case 18:
            return np.where(level <= 0.5, level**2 / 3, (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=32)
def _tone_curve(peak: float) -> tuple[Floats, Floats]:
    """Nits, and the screen's light that each of them becomes, from 0 to 1."""
    peak = min(max(peak, PAPER_NITS + 1), MOST_NITS)
    paper = np.interp(peak, _PEAKS, _PAPER)
    longer = 1 - min(1.0, USUAL_PEAK_NITS / peak) ** 1.5
    roll = (1 - longer) * np.array(_ROLL) + longer * np.array(_LONG_ROLL)
    nits = np.concatenate([[0.0], np.linspace(PAPER_NITS, peak, len(roll))])
    return nits, np.concatenate([[0.0], paper + (1 - paper) * roll])


@lru_cache(maxsize=1)
def _coded() -> Pixels:
    """The sRGB level of each of 65,536 steps of light."""
    light = np.arange(LEVELS + 1) / LEVELS
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(coded * 255), np.uint8)


@lru_cache(maxsize=32)
def _between(source: Chromaticities, target: Chromaticities) -> Singles:
    """Linear light of one set of primaries to another's, whites matched (Bradford)."""
    bradford = np.array([(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)])
    before, after = bradford @ _white(source), bradford @ _white(target)
    adapted = np.linalg.inv(bradford) @ np.diag(after / before) @ bradford
    return np.asarray(np.linalg.inv(_to_xyz(target)) @ adapted @ _to_xyz(source), np.float32)


def _to_xyz(primaries: Chromaticities) -> Floats:
    xy = np.array(primaries[:6]).reshape(3, 2)
    columns = np.stack([xy[:, 0], xy[:, 1], 1 - xy.sum(axis=1)])
    return np.asarray(columns * np.linalg.solve(columns, _white(primaries)))


def _white(primaries: Chromaticities) -> Floats:
    x, y = primaries[6:]
    return np.array([x / y, 1.0, (1 - x - y) / y])
