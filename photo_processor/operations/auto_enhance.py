"""White balance and levels by measuring the photo."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.fields import share_field

WORK_PX = 400  # longest side while measuring
ENDS = (0.5, 99.5)  # percentiles of luma that become black and white
MOST_SHIFT = 0.12  # of the range, by which either end may move
MOST_GAIN = 1.15  # of a channel
MIDDLE = 0.46  # the median luma aimed at
MOST_GAMMA = 1.25
GREYISH = 0.18  # most saturation of a px that is taken for grey
FEW = 0.02  # least share of such px; below it, nothing is known of the light


class AutoEnhance(OperationParams):
    """Mild corrections, each limited: what is right already stays."""

    title: ClassVar[str] = "Auto enhance"
    summary: ClassVar[str] = "Correct white balance, levels and middle tones, mildly, by measuring the photo."

    op: Literal["auto_enhance"] = "auto_enhance"
    strength: float = share_field(0.8, 1.0, "Strength", "How much of the correction is made.")
    white_balance: float = share_field(0.5, 1.0, "White balance", "How much of a colour cast is taken out.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The corrected picture; what is transparent is not measured."""
        context.stage("adjusting colours")
        table = context.decided(lambda: self._table(_samples(picture)))
        return replace(picture, pixels=np.asarray(cv2.LUT(picture.pixels, table[None]), np.uint8))

    def _table(self, samples: NDArray[np.float32]) -> Pixels:
        """(256, 3) uint8: what becomes of each level, learnt from (N, 3) `samples` from 0 to 1."""
        gains = _gains(samples).astype(np.float64) ** (self.strength * self.white_balance)
        luma = np.clip(samples * gains, 0, 1) @ np.array([0.299, 0.587, 0.114])
        low, high = (float(np.percentile(luma, end)) for end in ENDS)
        low, high = self.strength * min(low, MOST_SHIFT), 1 - self.strength * min(1 - high, MOST_SHIFT)
        stretched = np.clip((luma - low) / (high - low), 0, 1)
        median = float(np.clip(np.median(stretched), 0.02, 0.98))
        power = np.clip(np.log(MIDDLE) / np.log(median), 1 / MOST_GAMMA, MOST_GAMMA) ** self.strength
        levels = np.arange(256)[:, None] / 255 * gains
        levels = np.clip((levels - low) / (high - low), 0, 1) ** power
        return np.asarray(np.rint(255 * levels), np.uint8)


def _samples(picture: Picture) -> NDArray[np.float32]:
    """(N, 3) of the reduced picture, from 0 to 1; of a cutout, those of the subject."""
    factor = min(1.0, WORK_PX / max(picture.width, picture.height))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    small = np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    samples = small.reshape(-1, 3)
    if picture.subject is not None:
        seen = cv2.resize(picture.subject, size, interpolation=cv2.INTER_AREA).ravel() > 200
        samples = samples[seen] if seen.any() else samples
    return np.asarray(samples / 255, np.float32)


def _gains(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each channel is to be multiplied by, so that what is nearly grey becomes grey."""
    high, low = samples.max(axis=1), samples.min(axis=1)
    greyish = (high - low < GREYISH) & (high > 0.15) & (high < 0.97)
    if greyish.mean() < FEW:
        return np.ones(3, np.float32)
    mean = samples[greyish].mean(axis=0)
    return np.asarray(np.clip(mean.mean() / mean, 1 / MOST_GAIN, MOST_GAIN), np.float32)
