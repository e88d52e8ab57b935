"""Crop to an aspect around what matters."""

from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from photo_processor.imaging.geometry import Box, cropped, largest_of_ratio
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.faces import faces_of
from photo_processor.operations.fields import ASPECT_PATTERN, ratio_of

WORK_PX = 160  # longest side of the map of what matters
SPECTRUM_PX = 64  # the size at which saliency is found (Hou and Zhang)
FACE_WEIGHT = 4.0
EMPTY = 0.02  # weight of everything, so that the middle wins where nothing stands out
NEARLY = 0.995  # of the best crop's weight; of such crops, the one nearest the weight's own middle


class SmartCrop(OperationParams):
    """The part of an aspect that keeps the subject, the faces, or what stands out."""

    title: ClassVar[str] = "Smart crop"
    summary: ClassVar[str] = "The largest part of an aspect that keeps the faces, the subject, or what stands out."
    short: ClassVar[tuple[str, ...]] = ("aspect",)
    looks_at_faces: ClassVar[bool] = True

    op: Literal["smart_crop"] = "smart_crop"
    aspect: str = Field(
        "1:1",
        pattern=ASPECT_PATTERN,
        title="Aspect",
        examples=["1:1", "4:5", "16:9"],
        description="Width to height of the crop, such as `1:1` or `16:9`.",
    )

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The part that matters most."""
        context.stage("cropping")
        return cropped(picture, *context.decided(lambda: self._box(picture, context)))

    def _box(self, picture: Picture, context: Context) -> Box:
        width, height = largest_of_ratio(picture.width, picture.height, ratio_of(self.aspect))
        weights = _weights(picture, context)
        step_x, step_y = picture.width / weights.shape[1], picture.height / weights.shape[0]
        x = _start(weights.sum(axis=0), width / step_x) * step_x
        y = _start(weights.sum(axis=1), height / step_y) * step_y
        return min(round(x), picture.width - width), min(round(y), picture.height - height), width, height


def _weights(picture: Picture, context: Context) -> NDArray[np.float32]:
    """How much each px of the reduced picture matters."""
    factor = min(1.0, WORK_PX / max(picture.width, picture.height))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    photo = picture.pixels if picture.photo is None else picture.photo
    if picture.subject is None:
        found = cv2.resize(_saliency(photo), size, interpolation=cv2.INTER_LINEAR)
    else:
        found = cv2.resize(picture.subject, size, interpolation=cv2.INTER_AREA) / np.float32(255)
    weights: NDArray[np.float32] = np.asarray(found, np.float32) + np.float32(EMPTY)
    for face in faces_of(picture, context):
        top, left = max(0, round(face.y * factor)), max(0, round(face.x * factor))
        rows = slice(top, max(round((face.y + face.height) * factor), top + 1))
        columns = slice(left, max(round((face.x + face.width) * factor), left + 1))
        weights[rows, columns] += FACE_WEIGHT
    return weights


def _saliency(pixels: Pixels) -> NDArray[np.float32]:
    """(64, 64) from 0 to 1: what stands out, by the spectral residual (Hou, Zhang 2007)."""
    small = cv2.resize(pixels, (SPECTRUM_PX, SPECTRUM_PX), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float64))
    strength = np.log(np.abs(spectrum) + 1e-9)
    residual = strength - cv2.blur(strength, (3, 3))
    found = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    smooth = cv2.GaussianBlur(found, (0, 0), 3)
    return np.asarray(smooth / max(float(smooth.max()), 1e-12), np.float32)


def _start(profile: NDArray[np.float32], length: float) -> float:
    """Where the window of `length` begins that holds most of `profile`; not a whole number where that is best."""
    length = min(length, len(profile))
    sums = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    starts = np.linspace(0, len(profile) - length, 4 * len(profile) + 1)
    held = np.interp(starts + length, np.arange(len(sums)), sums) - np.interp(starts, np.arange(len(sums)), sums)
    good = starts[held >= NEARLY * held.max()]
    middle = float(profile @ (np.arange(len(profile)) + 0.5)) / float(profile.sum())
    return float(good[np.abs(good + length / 2 - middle).argmin()])
