"""Photos in: what a file is, how large it is, and its pixels, upright and in sRGB. Thumbnails out."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from photo_processor import errors
from photo_processor.imaging.colour import is_srgb, to_srgb
from photo_processor.imaging.colour_tags import light_of
from photo_processor.imaging.decoders import DECODERS, labelled
from photo_processor.imaging.drawings import SvgImageFile
from photo_processor.imaging.formats import SNIFF_BYTES as SNIFF_BYTES
from photo_processor.imaging.formats import sniff as sniff
from photo_processor.imaging.frames import further, has_more, to_first
from photo_processor.imaging.headers import check_parts, check_sums, has_late_metadata
from photo_processor.imaging.jpeg import plain_pixels
from photo_processor.imaging.jpeg_end import has_end_mark, with_end_mark
from photo_processor.imaging.metadata import kept_exif, shot_of
from photo_processor.imaging.pictures import Origin, Picture, Pixels, Warn
from photo_processor.imaging.png_alpha import low_bytes, rawmode_of, transparent_px
from photo_processor.imaging.reduction import preview
from photo_processor.imaging.truncation import is_cut_short

MEGA = 1_000_000
MAX_FRAMES = 500  # of one file, where all are asked for
ORIENTATION_TAG = 0x0112
YCBCR = 1  # what Adobe's segment in a JPEG calls it
END_MISSING = ("end_missing", "The file lacks its end mark; the photo itself is whole.")
FIRST_ALONE = ("first_frame_only", "The file holds several pictures; only the first was used.")
USUAL_FRAME_S = 0.1
MAX_FRAME_MS = 600_000
MAX_DPI = 65_535.0  # what a JPEG header holds

# What Pillow and its plugins raise for a file that is not what it says. pillow_heif adds RuntimeError and EOFError,
# broken TIFF directories KeyError, TypeError, AttributeError and OverflowError.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    EOFError,
    OverflowError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


def quiet_decoders() -> None:
    """Keep Pillow's warnings out of this process's log: a damaged photo has one for each of its tags."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def probe(path: Path, max_megapixels: float) -> tuple[int, int]:
    """Width and height in px of the upright photo, from its header alone.

    Raises EmptyFile, UnsupportedFormat, TruncatedImage, BrokenImage, TooManyPixels.
    """
    with path.open("rb") as file:
        image = _open(file, max_megapixels)
        width, height = image.size
        return (height, width) if _orientation(image, _header_exif) >= 5 else (width, height)


def taken_at(path: Path) -> datetime | None:
    """When the photo was taken, by the camera's clock, from its header alone; None where it does not say."""
    try:
        with path.open("rb") as file:
            shot = shot_of(_header_exif(_open(file, float("inf"))))
            return shot.taken if shot else None
    except (errors.PhotoError, OSError, *DECODER_ERRORS):
        return None


def drawn_size(path: Path, max_megapixels: float, least: tuple[int, int]) -> tuple[int, int]:
    """Width and height of what `decode` gives with `least`; of all but drawings, as `probe` before it is turned."""
    with path.open("rb") as file:
        return _open(file, max_megapixels, least).size


def decode(path: Path, max_megapixels: float, warn: Warn, least: tuple[int, int] = (0, 0)) -> Picture:
    """The photo in the file, upright, in sRGB, 8 bit; of an animation or a document, the first frame.

    A drawing has `least` px, where it can be drawn so large.
    Raises EmptyFile, UnsupportedFormat, TruncatedImage, BrokenImage, TooManyPixels.
    Warns `first_frame_only`, `bad_colour_profile`.
    """
    with path.open("rb") as file:
        image = _open(file, max_megapixels, least)
        if _has_more_frames(file, image):
            warn(*FIRST_ALONE)
        _check_sums(file, image)
        _to_first(file, image)
        pixels = _plain_pixels(file, image)
        return _load(file, image, warn) if pixels is None else _picture(pixels, None, image)


def decode_frames(path: Path, max_megapixels: float, warn: Warn) -> Iterator[tuple[Picture, float]]:
    """Every frame of an animation, or page of a document, with the seconds it is shown; of a photo, the one.

    Raises as `decode`, TooManyPixels where the frames together have more than `max_megapixels`, and TooManyFrames.
    """
    with path.open("rb") as file:
        image = _open(file, max_megapixels)
        several = _has_more_frames(file, image)
        _check_sums(file, image)
        _to_first(file, image)
        yield _load(file, image, warn), _shown(image)
        pixels, frames = image.width * image.height, further(file, image)
        for number in count(1):
            frame = _next(file, frames) if several else None
            if frame is None:
                return
            if number >= MAX_FRAMES:
                raise errors.TooManyFrames(f"At most {MAX_FRAMES} frames or pages of a file are processed.")
            _check_size(frame.size, max_megapixels)
            pixels += frame.width * frame.height
            _check_sum(pixels, max_megapixels)
            yield _load(file, frame, warn), _shown(frame)


def _to_first(file: IO[bytes], image: Image.Image) -> None:
    try:
        to_first(image)
    except DECODER_ERRORS as problem:
        raise _broken(file, problem) from problem


def _next(file: IO[bytes], frames: Iterator[Image.Image]) -> Image.Image | None:
    """The next of `frames`; None where there is none."""
    try:
        return next(frames, None)
    except DECODER_ERRORS as problem:
        raise _broken(file, problem) from problem


def _shown(image: Image.Image) -> float:
    """Seconds that the frame is shown; the tenth that browsers give those which say nothing, or next to nothing."""
    milliseconds = image.info.get("duration")
    if not isinstance(milliseconds, int | float) or not 10 < milliseconds < MAX_FRAME_MS:
        return USUAL_FRAME_S
    return milliseconds / 1000


def mask_of(path: Path, max_megapixels: float) -> Pixels:
    """(H, W) uint8 of the mask in the file: its brightness, 0 where it is transparent; errors as `decode`."""
    picture = decode(path, max_megapixels, lambda _code, _message: None)
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey if picture.alpha is None else cv2.multiply(grey, picture.alpha, scale=1 / 255), np.uint8)


def thumbnail_of(path: Path, px: int, max_megapixels: float) -> bytes:
    """The photo in the file as WebP, upright, its longest side at most `px`; errors as `decode`."""
    with path.open("rb") as file:
        image = _open(file, max_megapixels)
        # Twice the size keeps the shrinking smooth; a 12 MP JPEG then decodes an eighth of its blocks' detail.
        image.draft("RGB", (2 * px, 2 * px))
        _check_sums(file, image)
        _to_first(file, image)
        return thumbnail(_load(file, image, lambda _code, _message: None), px)


def thumbnail(picture: Picture, px: int) -> bytes:
    """`picture` as WebP with its alpha, its longest side at most `px`."""
    factor = min(1.0, px / max(picture.width, picture.height))
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    rgb = Image.fromarray(preview(picture.pixels, *size))
    if picture.alpha is not None:
        rgb.putalpha(Image.fromarray(preview(picture.alpha, *size)))
    out = io.BytesIO()
    rgb.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


def _open(file: IO[bytes], max_megapixels: float, least: tuple[int, int] = (0, 0)) -> Image.Image:
    """The photo with only its header read, its size within the limit; a drawing, of `least` px where it can be.

    The decoder is chosen by the magic bytes and constructed directly: `Image.open` would compare the size with a
    process-wide limit and warn or raise by that.
    """
    head = file.read(SNIFF_BYTES)
    if not head:
        raise errors.EmptyFile
    media_type = sniff(head, svg=True) or ""  # whether drawings are taken was asked on arrival
    opener = DECODERS.get(media_type)
    if opener is None:
        raise errors.UnsupportedFormat
    check_parts(file, media_type)
    file.seek(0)
    try:
        image = opener(file)
    except Image.DecompressionBombError as problem:
        raise errors.TooManyPixels from problem
    except DECODER_ERRORS as problem:
        raise _broken(file, problem) from problem
    _check_size(image.size, max_megapixels)
    if isinstance(image, SvgImageFile):
        image.grow(*least, max_megapixels * MEGA)
    return image


def _check_size(size: tuple[int, int], max_megapixels: float) -> None:
    megapixels = size[0] * size[1] / MEGA
    if megapixels > max_megapixels:
        raise errors.TooManyPixels(
            f"The photo has {size[0]} x {size[1]} pixels ({megapixels:.0f} megapixels); "
            f"this server takes up to {max_megapixels:g} megapixels."
        )


def _check_sum(pixels: int, max_megapixels: float) -> None:
    if pixels / MEGA > max_megapixels:
        raise errors.TooManyPixels(
            f"The frames have more than {max_megapixels:g} megapixels together; take the first one alone."
        )


def _has_more_frames(file: IO[bytes], image: Image.Image) -> bool:
    """Whether there is a second frame. Frames are never counted: that walks the whole file."""
    try:
        return has_more(file, image)
    except DECODER_ERRORS as problem:  # GIF reads the head of the second frame
        raise _broken(file, problem) from problem


def _load(file: IO[bytes], image: Image.Image, warn: Warn) -> Picture:
    """The frame that `image` stands at."""
    rawmode, light = rawmode_of(image), light_of(file, image)  # before a PNG is asked for its EXIF, which loads it
    orientation, mode = _orientation(image), image.mode
    try:
        low = _low_bytes(file, image, rawmode)
        image = _loaded(file, image, warn)
        opaque_px = transparent_px(image, rawmode, low)
        srgb, alpha = to_srgb(labelled(image), warn, light)
    except Image.DecompressionBombError as problem:
        raise errors.TooManyPixels from problem
    except DECODER_ERRORS as problem:
        raise _broken(file, problem) from problem
    share = opaque_px if alpha is None else np.asarray(alpha)
    return _picture(np.asarray(srgb), share, image, orientation, mode)


def _loaded(file: IO[bytes], image: Image.Image, warn: Warn) -> Image.Image:
    """`image` with its px; of a JPEG that lacks its end mark alone, one that has it."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or has_end_mark(file):
        image.load()
        return image
    file.seek(0)
    whole = with_end_mark(file.read())
    if whole is None:
        raise errors.TruncatedImage
    warn(*END_MISSING)
    mended = JpegImagePlugin.JpegImageFile(io.BytesIO(whole))
    mended.load()
    return mended


def _low_bytes(file: IO[bytes], image: Image.Image, rawmode: str) -> Pixels | None:
    """What a transparent colour of 16 bits is compared with beside Pillow's px; see `low_bytes`."""
    if image.info.get("transparency") is None or image.tell() > 0 or not rawmode.endswith(";16B"):
        return None
    position = file.tell()
    file.seek(0)
    found = low_bytes(PngImagePlugin.PngImageFile(file), rawmode)
    file.seek(position)
    return found


def _plain_pixels(file: IO[bytes], image: Image.Image) -> Pixels | None:
    """The pixels of an sRGB JPEG whose header alone was read; None where they take more than a plain decoder."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode != "RGB":
        return None
    profile = image.info.get("icc_profile")
    if image.info.get("adobe_transform", YCBCR) != YCBCR or (profile and not is_srgb(profile)):
        return None
    position = file.tell()
    file.seek(0)
    pixels = plain_pixels(file.read())
    file.seek(position)
    return pixels if pixels is not None and pixels.shape[:2] == (image.height, image.width) else None


def _picture(
    pixels: Pixels, alpha: Pixels | None, image: Image.Image, orientation: int | None = None, mode: str | None = None
) -> Picture:
    """The picture of sRGB `pixels` (H, W, 3) and `alpha` (H, W), which lie as the file of `image` has them.

    `orientation` and `mode` are those that `image` had before it was loaded, where it was.
    """
    orientation = orientation or _orientation(image)
    dpi = _dpi(image)
    return Picture(
        pixels=upright(pixels, orientation),
        alpha=None if alpha is None else upright(alpha, orientation),
        dpi=dpi[::-1] if dpi and orientation >= 5 else dpi,
        exif=_exif(image),
        origin=_origin(image, mode or image.mode),
    )


def _check_sums(file: IO[bytes], image: Image.Image) -> None:
    """Compare a PNG's checksums, which Pillow leaves out for pixels: damage would pass as noise."""
    if not isinstance(image, PngImagePlugin.PngImageFile):
        return
    position = file.tell()
    try:
        check_sums(file)
    except SyntaxError as problem:
        raise _broken(file, problem) from problem
    file.seek(position)


def _broken(file: IO[bytes], problem: BaseException) -> errors.PhotoError:
    """The error for what a decoder raised: the file ends too early, is of a kind the decoder lacks, or is damaged."""
    if isinstance(problem, MemoryError):
        return errors.OutOfMemory()
    reason = str(problem).lower()
    if "truncated" in reason or is_cut_short(file):
        return errors.TruncatedImage()
    if any(word in reason for word in _LACKING):
        return errors.UnsupportedFormat("The photo is of a rare variant of its format that cannot be read here.")
    return errors.BrokenImage()


_LACKING = ("unsupported", "unknown pixel mode", "unknown compression", "not been built in")


def _header_exif(image: Image.Image) -> Image.Exif:
    """The EXIF of a photo whose px were not read; Pillow reads those of a PNG, since some have it behind them."""
    if isinstance(image, PngImagePlugin.PngImageFile) and image.fp and not has_late_metadata(image.fp):
        return Image.Image.getexif(image)
    return image.getexif()


def _orientation(image: Image.Image, exif_of: Callable[[Image.Image], Image.Exif] | None = None) -> int:
    """The EXIF orientation still to be applied, 1 to 8. Of TIFF and HEIC, the decoder sees to it."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1
    try:
        exif = exif_of(image) if exif_of else image.getexif()
        value = exif.get(ORIENTATION_TAG, 1)
    except DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif(image: Image.Image) -> bytes | None:
    try:
        return kept_exif(image.getexif())
    except DECODER_ERRORS:
        return None


def _origin(image: Image.Image, mode: str) -> Origin:
    """What the file says of itself; `mode` is Pillow's, before anything was converted."""
    try:
        shot = shot_of(image.getexif())
    except DECODER_ERRORS:
        shot = None
    format = (image.format or "").lower().replace("mpo", "jpeg").replace("heif", "heic")
    return Origin(format, mode, shot, _plays(image))


def _plays(image: Image.Image) -> int:
    """How many times an animation is shown, 0 for ever. GIF counts the repeats, WebP and PNG count them all."""
    loop = image.info.get("loop")
    if isinstance(image, GifImagePlugin.GifImageFile):
        return 1 if loop is None else loop + 1 if loop else 0
    return loop if isinstance(loop, int) else 0


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 <= x <= MAX_DPI and 1 <= y <= MAX_DPI else None


def upright(array: Pixels, orientation: int) -> Pixels:
    """`array` ((H, W) or (H, W, 3)) turned as EXIF `orientation` (1 to 8) asks; contiguous."""
    if orientation in (5, 7):
        array = np.asarray(cv2.transpose(array), np.uint8)
    if orientation in _FLIPS:
        return np.asarray(cv2.flip(array, _FLIPS[orientation]), np.uint8)
    if orientation in _TURNS:
        return np.asarray(cv2.rotate(array, _TURNS[orientation]), np.uint8)
    return np.ascontiguousarray(array)


_FLIPS = {2: 1, 3: -1, 4: 0, 7: -1}
_TURNS = {6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
