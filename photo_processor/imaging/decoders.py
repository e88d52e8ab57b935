"""The decoder of each format, chosen by its media type, and what has to be known of its px beside their mode."""

from collections.abc import Callable
from typing import IO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from photo_processor.imaging.colour import WIDE_MODES, eight_bit
from photo_processor.imaging.drawings import SvgImageFile
from photo_processor.imaging.formats import RAW, SVG
from photo_processor.imaging.raw import RawImageFile
from photo_processor.imaging.tiff_pages import Page, is_raw, open_page, photo_pages
from photo_processor.imaging.variants import refuse_variants

MIN_IS_WHITE, MIN_IS_BLACK, CIELAB = 0, 1, 8  # a TIFF's photometric interpretations


def _open_heif(file: IO[bytes]) -> Image.Image:
    from pillow_heif import HeifImageFile  # 40 ms and 30 MB that only a HEIC photo needs

    image: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return image


def _open_jpeg(file: IO[bytes]) -> Image.Image:
    refuse_variants(file)
    file.seek(0)
    return JpegImagePlugin.jpeg_factory(file)


def _open_tiff(file: IO[bytes]) -> Image.Image:
    """The photo of a TIFF, wherever in it that lies; a RAW file that is a TIFF is developed."""
    if is_raw(file):
        file.seek(0)
        return RawImageFile(file)
    refuse_variants(file)
    page = next(photo_pages(file), None)
    file.seek(0)
    return open_tiff_page(file, page)


def open_tiff_page(file: IO[bytes], page: Page | None) -> Image.Image:
    """A page of a TIFF; the first as Pillow finds it where `page` is None.

    Also 16-bit L*a*b*, and grey whose least is white: their px Pillow can unpack though its table does not say so.
    """
    for order, unpacking in ((b"II", "RGB;16L"), (b"MM", "RGB;16B")):
        TiffImagePlugin.OPEN_INFO.setdefault((order, CIELAB, (1,), 1, (16, 16, 16), ()), ("RGB", unpacking))
    for key, modes in list(TiffImagePlugin.OPEN_INFO.items()):
        if key[1] == MIN_IS_BLACK and modes[0] in {*WIDE_MODES, "LA"}:
            TiffImagePlugin.OPEN_INFO.setdefault((key[0], MIN_IS_WHITE, *key[2:]), modes)
    image = TiffImagePlugin.TiffImageFile(file) if page is None else open_page(file, page)
    if image.use_load_libtiff and image.mode in ("I", "F"):
        _in_native_order(image)
    bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    plain = image.tag_v2.get(TiffImagePlugin.COMPRESSION, 1) == 1
    if plain and max(bits) > 8 and image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2:
        raise SyntaxError("unsupported: Pillow takes such planes for 8-bit ones")
    return image


def _in_native_order(image: TiffImagePlugin.TiffImageFile) -> None:
    """Numbers of 32 bits come from libtiff in this machine's order, which Pillow would turn round once more."""
    (tile,) = image.tile
    assert isinstance(tile.args, tuple)
    rawmode, *rest = tile.args
    native = {"F;32BF": "F;32NF", "I;32BS": "I;32NS", "I;16BS": "I;16NS"}.get(str(rawmode), rawmode)
    image.tile = [tile._replace(args=(native, *rest))]


DECODERS: dict[str, Callable[[IO[bytes]], Image.Image]] = {
    "image/jpeg": _open_jpeg,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/tiff": _open_tiff,
    "image/avif": AvifImagePlugin.AvifImageFile,
    "image/heic": _open_heif,
    RAW: RawImageFile,
    SVG: SvgImageFile,
}


def labelled(image: Image.Image) -> Image.Image:
    """A loaded `image` with the mode, range and direction that its px mean."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return image
    photometric = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    if image.mode == "RGB" and photometric == CIELAB:  # its three channels are the high bytes of L*a*b*
        return _with_info(Image.frombytes("LAB", image.size, image.tobytes()), image)
    bits = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    grey: Image.Image = image
    if image.mode == "I;16" and 8 < bits < 16:
        stretched = np.asarray(image).astype(np.uint32) * 65_535 // ((1 << bits) - 1)
        grey = _with_info(Image.fromarray(np.minimum(stretched, 65_535).astype(np.uint16)), image)
    if image.mode == "I" and image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, (1,)) == (1,):
        grey = _unsigned(image)
    if photometric == MIN_IS_WHITE and image.mode in WIDE_MODES:
        return _with_info(ImageOps.invert(eight_bit(grey)), image)
    if photometric == MIN_IS_WHITE and image.mode == "LA":
        level, alpha = image.split()
        return _with_info(Image.merge("LA", (ImageOps.invert(level), alpha)), image)
    return grey


def _unsigned(image: Image.Image) -> Image.Image:
    """Numbers of 32 bits without a sign, of which Pillow takes the upper half for negative."""
    levels = np.asarray(image)
    if levels.min() >= 0:
        return image
    return _with_info(Image.fromarray((levels.view(np.uint32) >> 16).astype(np.uint16)), image)


def _with_info(made: Image.Image, image: Image.Image) -> Image.Image:
    made.info = dict(image.info)
    return made
