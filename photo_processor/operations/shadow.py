"""A soft shadow under the subject."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.composite import before_picture, mixed
from photo_processor.imaging.geometry import Box, subject_box
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context, OperationParams
from photo_processor.operations.colour import Colour, colour_field, parse_colour
from photo_processor.operations.fields import share_field

Plane = NDArray[Any]

WORK_PX = 640  # longest side while blurring; a shadow has no more detail
GROUND_SHARE = 0.05  # of the subject's height: what is higher than that over its lowest px touches no ground
CONTACT_SHARE = 0.012  # how far a contact shadow reaches


class Shadow(OperationParams):
    """A drop shadow, and a contact shadow where the subject stands."""

    title: ClassVar[str] = "Shadow"
    summary: ClassVar[str] = "Give a subject that was cut out a soft shadow, and one where it stands."

    op: Literal["shadow"] = "shadow"
    opacity: float = share_field(0.3, 1.0, "Opacity", "How dark the drop shadow is.")
    blur: float = share_field(0.03, 0.5, "Softness", "How soft it is, of the subject's height.", least=0.001)
    offset_x: float = share_field(0.0, 1.0, "To the right", "How far it falls, of the subject's height.", least=-1.0)
    offset_y: float = share_field(0.02, 1.0, "Downwards", "How far it falls, of the subject's height.", least=-1.0)
    contact: float = share_field(0.4, 1.0, "Contact", "How dark the shadow right under the subject is.")
    colour: Colour = colour_field("#000000", "Colour", "The shadow's colour.")

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject with its shadow. Warns `no_subject_known`."""
        context.stage("drawing the shadow")
        subject = picture.subject
        box = None if subject is None else subject_box(subject)
        if subject is None or box is None:
            context.warn("no_subject_known", "The photo has no transparency and nothing was cut out of it.")
            return picture
        shade = self._shade(subject, box)
        colour = np.empty_like(picture.pixels)
        colour[:] = parse_colour(self.colour)[:3]
        if picture.alpha is not None:
            return replace(before_picture(picture, Picture(colour, shade)), matte=subject)
        outside = np.asarray(cv2.multiply(shade, cv2.bitwise_not(subject), scale=1 / 255), np.uint8)
        return replace(picture, pixels=mixed(colour, outside, picture.pixels))

    def _shade(self, subject: Pixels, box: Box) -> Pixels:
        """(H, W) uint8: how dark it is where."""
        height, width = subject.shape
        factor = min(1.0, WORK_PX / max(height, width))
        size = max(1, round(width * factor)), max(1, round(height * factor))
        small = cv2.resize(subject, size, interpolation=cv2.INTER_AREA) / np.float32(255)
        tall = box[3] * factor
        drop = _moved(small, self.offset_x * tall, self.offset_y * tall, self.blur * tall) * self.opacity
        contact = _contact(small, tall) * self.contact
        shade = 1 - (1 - drop) * (1 - contact)
        full = cv2.resize(np.asarray(255 * shade, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(np.rint(full), 0, 255), np.uint8)


def _moved(shape: Plane, x: float, y: float, sigma: float) -> Plane:
    """`shape` moved by `x`, `y` px and blurred."""
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    moved = cv2.warpAffine(shape, matrix, (shape.shape[1], shape.shape[0]))
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), max(0.5, sigma), borderType=cv2.BORDER_REPLICATE))


def _contact(shape: Plane, tall: float) -> Plane:
    """The dark line along the lowest px of each column of `shape`, where they are near the lowest of all."""
    inside = shape > 0.5
    found = inside.any(axis=0)
    lowest = shape.shape[0] - 1 - inside[::-1].argmax(axis=0)
    near = np.exp(-np.square((lowest[found].max(initial=0) - lowest) / (GROUND_SHARE * tall))) * found
    below = np.arange(shape.shape[0], dtype=np.float32)[:, None] - lowest
    reach = np.where(below > 0, 1.0, 0.5) * max(1.0, CONTACT_SHARE * tall)
    line = np.asarray(near * np.exp(-0.5 * np.square(below / reach)), np.float32)
    return np.asarray(cv2.GaussianBlur(line, (0, 0), max(0.5, CONTACT_SHARE * tall), sigmaY=0.7))
