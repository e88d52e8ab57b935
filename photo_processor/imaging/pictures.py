"""The picture that every operation takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photo_processor.schemas import Shot

Pixels = NDArray[np.uint8]
Warn = Callable[[str, str], None]


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in its upright source: its top left corner, and source px for each of its px.

    The point `px`, `py` of the picture is at `x + px * scale_x + py * shear_x`, `y + px * shear_y + py * scale_y` of
    the source; a turn has shears, a mirror a negative scale.
    """

    x: float = 0.0
    y: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    shear_x: float = 0.0
    shear_y: float = 0.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The source's point that the point `x`, `y` of this picture shows."""
        return self.x + x * self.scale_x + y * self.shear_x, self.y + x * self.shear_y + y * self.scale_y

    def cropped(self, x: float, y: float) -> "Placement":
        """The placement of the part that begins at `x`, `y` px of this picture; negative where room was added."""
        return self.mapped(Placement(x, y))

    def scaled(self, factor_x: float, factor_y: float) -> "Placement":
        """The placement once this picture has `factor_x`, `factor_y` times its px."""
        return self.mapped(Placement(0.0, 0.0, 1 / factor_x, 1 / factor_y))

    def mapped(self, inner: "Placement") -> "Placement":
        """The placement of a picture that `inner` places in this one."""
        x, y = self.at(inner.x, inner.y)
        return Placement(
            x,
            y,
            scale_x=inner.scale_x * self.scale_x + inner.shear_y * self.shear_x,
            scale_y=inner.shear_x * self.shear_y + inner.scale_y * self.scale_y,
            shear_x=inner.shear_x * self.scale_x + inner.scale_y * self.shear_x,
            shear_y=inner.scale_x * self.shear_y + inner.shear_y * self.scale_y,
        )

    def inverse(self) -> "Placement":
        """The way back: `placement.inverse().at(*placement.at(x, y))` is `x, y`."""
        size = self.scale_x * self.scale_y - self.shear_x * self.shear_y
        across, down = self.scale_y / size, self.scale_x / size
        lean_x, lean_y = -self.shear_x / size, -self.shear_y / size
        x, y = -(self.x * across + self.y * lean_x), -(self.x * lean_y + self.y * down)
        return Placement(x, y, across, down, lean_x, lean_y)

    @property
    def is_mirrored(self) -> bool:
        """Whether left and right have changed places."""
        return self.scale_x * self.scale_y < self.shear_x * self.shear_y

    @property
    def is_upright(self) -> bool:
        """Whether the picture is neither turned nor mirrored."""
        return self.shear_x == 0 and self.shear_y == 0 and self.scale_x > 0 and self.scale_y > 0


@dataclass(frozen=True)
class Origin:
    """What a photo's file says of itself: its format, Pillow's mode of its px, how it was taken.

    `plays`: how many times its animation is shown, 0 for ever.
    """

    format: str
    mode: str
    shot: Shot | None
    plays: int = 0


@dataclass(frozen=True)
class Picture:
    """A decoded photo: `pixels` (H, W, 3) uint8 RGB (sRGB), `alpha` (H, W) uint8 or None, `dpi` px per inch.

    `photo` holds the photo's own pixels, of the same shape, once another background was laid behind the subject.
    `matte` (H, W) uint8 says which px are the subject's, once that is known; it outlives a new background. `ahead`
    says that it was found for a step that comes later, which takes it as it is.
    `exif` is the source's EXIF without what tells where and by which device the photo was taken;
    `origin` is what the file says of itself, and goes into no result.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    dpi: tuple[float, float] | None = None
    placement: Placement = Placement()
    photo: Pixels | None = None
    matte: Pixels | None = None
    exif: bytes | None = None
    origin: Origin | None = None
    ahead: bool = False

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.pixels.shape[0])

    @property
    def subject(self) -> Pixels | None:
        """(H, W) uint8: which px are the subject's, as far as anything says so; `alpha` where there is no matte."""
        return self.alpha if self.matte is None else self.matte
