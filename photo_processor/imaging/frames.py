"""Which frames of an animation, or pages of a document, are shown, and in which order."""

from collections.abc import Iterator
from itertools import islice
from typing import IO

from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from photo_processor.imaging.decoders import open_tiff_page
from photo_processor.imaging.raw import RawImageFile
from photo_processor.imaging.tiff_pages import photo_pages


def to_first(image: Image.Image) -> None:
    """Have `image` at the first frame that is shown. A PNG may begin with a picture for programs without animation."""
    if _has_fallback(image) and _count(image) > 1:
        image.seek(1)


def has_more(file: IO[bytes], image: Image.Image) -> bool:
    """Whether there is a second frame. Frames are not counted where that walks the whole file."""
    if isinstance(image, JpegImagePlugin.JpegImageFile | RawImageFile):
        return False  # the further pictures of a phone's JPEG are its gain map, depth map and preview
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return next(islice(photo_pages(file), 1, 2), None) is not None
    if _has_fallback(image):
        return _count(image) > 2
    return bool(getattr(image, "is_animated", False))


def further(file: IO[bytes], image: Image.Image) -> Iterator[Image.Image]:
    """The frames after the first, each at its own time; of a HEIC those beside its primary one, in their order."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        for page in islice(photo_pages(file), 1, None):
            yield open_tiff_page(file, page)
        return
    first, number = image.tell(), 0 if image.format == "HEIF" else image.tell() + 1
    while True:
        if number != first:
            try:
                image.seek(number)
            except EOFError:
                return
            yield image
        number += 1


def _has_fallback(image: Image.Image) -> bool:
    return isinstance(image, PngImagePlugin.PngImageFile) and bool(image.default_image)


def _count(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))
