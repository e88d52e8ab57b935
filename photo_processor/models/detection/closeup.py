"""Parts of a photo that are looked at closely, or turned, and the way back from there."""

import cv2
import numpy as np

from photo_processor.imaging.faces import Point
from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import by_whole_steps

SPARE = 1.5  # sides of a square that is turned: half as much again, since corners are turned in


class Back:
    """From a turned picture to the one that was turned."""

    def __init__(self, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
        self._matrix = matrix

    def __call__(self, x: float, y: float) -> Point:
        at = self._matrix @ (x, y, 1.0)
        return float(at[0]), float(at[1])


def turned_back(pixels: Pixels, degrees: float) -> tuple[Pixels, Back]:
    """(H, W) or (H, W, 3) uint8 turned counterclockwise by `degrees` about the middle, and the way back to `pixels`."""
    height, width = pixels.shape[:2]
    if degrees == 0:
        return pixels, Back(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    quarter = abs(degrees) == 90
    size = (height, width) if quarter else (width, height)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), Back(np.asarray(cv2.invertAffineTransform(matrix), np.float64))


class CloseUp:
    """The square of `side` px about `middle` of (H, W, 3) uint8 `pixels`, to be looked at `px` wide at any angle.

    `most` says how many times that side may be shown.
    """

    def __init__(self, pixels: Pixels, middle: Point, side: float, px: int, most: float = 1.0) -> None:
        self._side, self._px = side, px
        reach = side * SPARE * most / 2
        x, y = middle
        height, width = pixels.shape[:2]  # of which one px at least is shown, wherever the middle lies
        self._left, self._top = min(max(0, int(x - reach)), width - 1), min(max(0, int(y - reach)), height - 1)
        right, bottom = max(self._left, int(x + reach)), max(self._top, int(y + reach))
        part = pixels[self._top : bottom + 1, self._left : right + 1]
        source = round(SPARE * px * most)
        self._small = by_whole_steps(part, source, source)
        self._factor = 1 / max(1, min(part.shape[:2]) // source)
        self._centre = (x - self._left) * self._factor, (y - self._top) * self._factor

    def level(self, angle: float, sides: float = 1.0) -> tuple[Pixels, Back]:
        """(px, px, 3) uint8: the square turned back by `angle` degrees clockwise, and the way back to the photo.

        It shows `sides` times the side.
        """
        matrix = cv2.getRotationMatrix2D(self._centre, angle, self._px / (self._side * sides * self._factor))
        matrix[:, 2] += np.array([self._px / 2 - self._centre[0], self._px / 2 - self._centre[1]])
        level = cv2.warpAffine(self._small, matrix, (self._px, self._px), borderMode=cv2.BORDER_REPLICATE)
        inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float64) / self._factor
        inverse[:, 2] += np.array([self._left, self._top])
        return np.asarray(level, np.uint8), Back(inverse)
