"""The picture that every operation takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Warn = Callable[[str, str], None]


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in its upright source: its top left corner, and source px for each of its px."""

    x: float = 0.0
    y: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0

    def cropped(self, x: int, y: int) -> "Placement":
        """The placement of the part that begins at `x`, `y` px of this picture."""
        return Placement(self.x + x * self.scale_x, self.y + y * self.scale_y, self.scale_x, self.scale_y)

    def scaled(self, factor_x: float, factor_y: float) -> "Placement":
        """The placement once this picture has `factor_x`, `factor_y` times its px."""
        return Placement(self.x, self.y, self.scale_x / factor_x, self.scale_y / factor_y)


@dataclass(frozen=True)
class Picture:
    """A decoded photo: `pixels` (H, W, 3) uint8 RGB (sRGB), `alpha` (H, W) uint8 or None, `dpi` px per inch.

    `photo` holds the photo's own pixels, of the same shape, once another background was laid behind the subject.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    dpi: tuple[float, float] | None = None
    placement: Placement = Placement()
    photo: Pixels | None = None

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.pixels.shape[0])
