"""The transparent colour of PNGs whose samples do not have 8 bits; see the tRNS chunk."""

import numpy as np
from PIL import Image, PngImagePlugin

from photo_processor.imaging.pictures import Pixels

LEVELS = {"L;2": 85, "L;4": 17}  # that one step of a sample is stretched by
LOW_BYTES = {"RGB;16B": "RGB;16L"}


def rawmode_of(image: Image.Image) -> str:
    """How the px lie in the file of an image that was not loaded yet."""
    args = image.tile[0][3] if isinstance(image, PngImagePlugin.PngImageFile) and image.tile else ""
    return args if isinstance(args, str) else str(args[0]) if args else ""


def low_bytes(image: PngImagePlugin.PngImageFile, rawmode: str) -> Pixels | None:
    """(H, W, 3) uint8: of a PNG of 16 bits a sample with a transparent colour, what Pillow leaves out of each sample.

    `image` is at its first frame, not loaded yet; it is to be thrown away.
    """
    if rawmode not in LOW_BYTES or "transparency" not in image.info:
        return None
    image.tile = [tile._replace(args=LOW_BYTES[rawmode]) for tile in image.tile]
    return np.asarray(image)


def transparent_px(image: Image.Image, rawmode: str, low: Pixels | None) -> Pixels | None:
    """(H, W) uint8: 0 where a px has the transparent colour, 255 elsewhere; None where Pillow's own answer is right.

    The colour is compared with all its bits, so `image` is rid of it.
    """
    colour = image.info.get("transparency")
    if isinstance(colour, int) and rawmode in LEVELS:
        same = np.asarray(image) == (colour & (255 // LEVELS[rawmode])) * LEVELS[rawmode]
    elif isinstance(colour, int) and rawmode == "I;16B":
        same = np.asarray(image) == colour
    elif isinstance(colour, tuple) and low is not None:
        whole = np.asarray(image).astype(np.uint16) << 8 | low
        same = (whole == np.array(colour, np.uint16)).all(axis=-1)
    else:
        return None
    image.info.pop("transparency")
    return np.where(same, 0, 255).astype(np.uint8)
