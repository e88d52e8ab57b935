"""Light and colour by hand."""

from dataclasses import replace
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams

WARMTH = 0.25  # share by which red rises and blue falls in linear light at full warmth
SLOPE = 2.5  # of the curve in the middle at full contrast


def _amount(title: str, description: str) -> float:
    amount: float = Field(
        0.0, ge=-1, le=1, title=title, description=description, json_schema_extra={"x-control": "percent"}
    )
    return amount


class Adjust(OperationParams):
    """Exposure, brightness, contrast, gamma, saturation and temperature."""

    title: ClassVar[str] = "Light and colour"
    summary: ClassVar[str] = "Exposure, brightness, contrast, gamma, saturation and temperature."

    op: Literal["adjust"] = "adjust"
    exposure: float = Field(
        0.0, ge=-3, le=3, title="Exposure", description="As a camera's: 1 is twice the light.",
        json_schema_extra={"x-unit": "EV"},
    )  # fmt: skip
    brightness: float = _amount("Brightness", "Lighter or darker throughout, black and white kept.")
    contrast: float = _amount("Contrast", "Light and dark further apart, or nearer.")
    gamma: float = Field(
        1.0, ge=0.2, le=5, title="Gamma", description="Above 1, the middle tones get lighter; below, darker."
    )
    saturation: float = _amount("Saturation", "Stronger colours, or paler; -100 % is grey.")
    temperature: float = _amount("Temperature", "Warmer, or with a negative value cooler; greys keep their lightness.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The adjusted picture."""
        context.stage("adjusting colours")
        pixels = picture.pixels
        table = self._table()
        if not np.array_equal(table, np.repeat(np.arange(256)[:, None], 3, axis=1)):
            pixels = np.asarray(cv2.LUT(pixels, table[None]), np.uint8)
        if self.saturation:
            pixels = _saturated(pixels, 1 + self.saturation)
        return replace(picture, pixels=pixels)

    def _table(self) -> Pixels:
        """(256, 3) uint8: what becomes of each level of red, green and blue."""
        linear = _to_linear(np.arange(256, dtype=np.float64) / 255)[:, None] * self._gains()
        levels = _to_srgb(np.clip(linear, 0, 1))
        levels = levels ** (1 / self.gamma)
        levels = levels ** (2.0**-self.brightness)  # keeps both ends
        levels = _contrasted(levels, self.contrast)
        return np.asarray(np.rint(255 * np.clip(levels, 0, 1)), np.uint8)

    def _gains(self) -> NDArray[np.float64]:
        warm = np.array([1 + WARMTH * self.temperature, 1.0, 1 - WARMTH * self.temperature])
        return np.asarray(2.0**self.exposure * warm / (warm @ np.array([0.2126, 0.7152, 0.0722])))


def _contrasted(levels: NDArray[np.float64], contrast: float) -> NDArray[np.float64]:
    """A curve through the middle grey: an S that keeps both ends, or a line towards the middle."""
    if contrast < 0:
        return np.asarray(0.5 + (1 + contrast) * (levels - 0.5))
    power = 1 + (SLOPE - 1) * contrast
    low = 0.5 * (2 * np.minimum(levels, 0.5)) ** power
    high = 1 - 0.5 * (2 * (1 - np.maximum(levels, 0.5))) ** power
    return np.where(levels < 0.5, low, high)


def _saturated(pixels: Pixels, factor: float) -> Pixels:
    """Each colour moved away from the grey of its own luma."""
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(pixels, factor, grey, 1 - factor, 0), np.uint8)


def _to_linear(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _to_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
