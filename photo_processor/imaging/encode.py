"""Pictures out: PNG, WebP, JPEG, TIFF and AVIF bytes. Resolution is kept; EXIF where asked for, without GPS."""

import io
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
from PIL import Image, ImageFile

from photo_processor import errors
from photo_processor.imaging.composite import before_colour
from photo_processor.imaging.metadata import image_tags, with_camera, with_resolution
from photo_processor.imaging.outlines import outline
from photo_processor.imaging.pictures import Picture, Pixels, Warn
from photo_processor.schemas import Format, OutputSpec

INCH_M = 0.0254
# Of 12 MP RGBA: level 2 takes 0.11 s for 10.7 MB, Pillow's level 6 2.8 s for 10.2 MB, its level 1 0.9 s for 11.1 MB.
PNG_LEVEL = 2
MAX_CHUNK_BYTES = 2**30
STRIP_BYTES = 1 << 19  # of a picture, encoded at once
WEBP_METHOD = 2  # of 12 MP RGBA: 1.4 s for 1.33 MB; method 4 takes 2.5 s for 1.29 MB
LOSSLESS_METHOD = 0
LOSSLESS_EFFORT = 20
FULL_CHROMA_QUALITY = 90
EXIF_HEAD = b"Exif\0\0"  # of JPEG's segment alone
TIFF_NAMES = {"lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate"}
TIFF_PREDICTOR = 317
HORIZONTAL = 2
MOST_JPEG_BYTES = 12  # a px: a code of 16 bits and 11 more for each of its levels, and some are written as two bytes

_WIDENING = threading.Lock()

OPAQUE: frozenset[Format] = frozenset({"jpeg", "bmp"})  # as programs read them
COLOURED: frozenset[Format] = frozenset({"webp", "avif"})  # which have no grey form
GIF_COLOURS = 255  # beside the clear one
HALF = 127
MOST_PLAYS = 65_535  # that GIF and WebP can write

LOSSY: frozenset[Format] = frozenset({"jpeg", "webp", "avif"})
MAX_SIDE_PX: dict[Format, int] = {"jpeg": 65_500, "webp": 16_383, "avif": 65_536, "gif": 65_535}


def encode(picture: Picture, spec: OutputSpec) -> bytes:
    """`picture` in the format and quality of `spec`, whatever its `max_bytes`.

    Raises OutputTooLarge where the format cannot hold so many px in a row.
    """
    check_side(picture, spec.format)
    if spec.dpi is not None:
        picture = replace(picture, dpi=(spec.dpi, spec.dpi))
    if not spec.keep_metadata:
        picture = replace(picture, exif=None)
    if spec.format == "svg":
        return outline(replace(picture, dpi=picture.dpi if spec.dpi is not None else None), spec.tolerance)
    if spec.format == "png" and spec.kind == "picture":
        pixels = _grey(picture.pixels) if spec.colour == "grey" else picture.pixels
        return png(pixels, picture.dpi, picture.exif, picture.alpha)
    if spec.format == "png":
        return png(_levels(picture, spec), picture.dpi, picture.exif)
    return _written(_image(picture, spec), spec, picture)


def encode_frames(frames: Sequence[Picture], seconds: Sequence[float], spec: OutputSpec, plays: int = 0) -> bytes:
    """`frames` of one size, each shown for so many seconds, as an animation; in a TIFF, as pages.

    `plays`: how often it is shown, 0 for ever, where the format can say so.

    Raises OutputTooLarge.
    """
    check_side(frames[0], spec.format)
    first = replace(frames[0], dpi=(spec.dpi, spec.dpi)) if spec.dpi is not None else frames[0]
    first = first if spec.keep_metadata else replace(first, exif=None)
    images = [_image(frame, spec) for frame in frames]
    plays = min(plays, MOST_PLAYS)
    options: dict[str, object] = {"save_all": True, "append_images": images[1:]}
    if spec.format != "tiff":
        options["duration"] = [round(1000 * shown) for shown in seconds]
    if spec.format in ("webp", "png"):
        options["loop"] = plays
    if spec.format == "gif":
        options["disposal"] = 2
        if plays != 1:
            options["loop"] = max(0, plays - 1)  # how often it is shown again; 0 stands for ever
    if spec.format == "png":
        options["blend"] = 0
        options["disposal"] = 1
    return _written(images[0], spec, first, **options)


def check_side(picture: Picture, format: Format) -> None:
    """Raises OutputTooLarge where `format` cannot hold so many px in a row."""
    limit = MAX_SIDE_PX.get(format)
    if limit is not None and max(picture.width, picture.height) > limit:
        raise errors.OutputTooLarge(f"{format.upper()} holds at most {limit} pixels a side.")


def _levels(picture: Picture, spec: OutputSpec) -> Pixels:
    """What is encoded: (H, W) uint8 of a mask, else (H, W, 3) or (H, W, 4)."""
    if spec.kind == "picture":
        return with_alpha(picture)
    return np.full(picture.pixels.shape[:2], 255, np.uint8) if picture.subject is None else picture.subject


def _image(picture: Picture, spec: OutputSpec) -> Image.Image:
    if spec.format in OPAQUE and spec.kind == "picture" and picture.alpha is not None:
        red, green, blue = bytes.fromhex(spec.background[1:])
        picture = before_colour(picture, (red, green, blue, 255))
    levels = _levels(picture, spec)
    if spec.colour == "grey" and levels.ndim == 3:
        grey = _grey(levels)
        image = Image.fromarray(grey if levels.shape[2] == 3 else np.dstack([grey, levels[..., 3]]))
        return image.convert("RGBA" if image.mode == "LA" else "RGB") if spec.format in COLOURED else image
    return Image.fromarray(levels)


def _grey(pixels: Pixels) -> Pixels:
    """(H, W) uint8: the luma (Rec. 601) of (H, W, 3) or (H, W, 4)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY), np.uint8)


def _of_palette(image: Image.Image) -> Image.Image:
    """`image` in at most 255 colours of its own, and one that is clear where less than half of a px is there."""
    if image.mode == "L":
        return image
    bands = image.split()
    alpha = bands[-1] if image.mode in ("LA", "RGBA") else None
    plain = image.convert("RGB").quantize(GIF_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    if alpha is None:
        return plain
    indices = np.array(plain)
    indices[np.asarray(alpha) <= HALF] = GIF_COLOURS
    result = Image.fromarray(indices).convert("P")
    palette = plain.getpalette() or []
    result.putpalette(palette + [0] * (3 * (GIF_COLOURS + 1) - len(palette)))
    result.info["transparency"] = GIF_COLOURS
    return result


def encode_within(spec: OutputSpec, warn: Warn, make: Callable[[OutputSpec], bytes]) -> bytes:
    """What `make` encodes, at the highest quality up to that of `spec` which keeps to its `max_bytes`, if there is one.

    Raises OutputTooLarge. Warns `budget_missed`: the file is then as small as it can be.
    """
    data = make(spec)
    if spec.max_bytes is None or len(data) <= spec.max_bytes:
        return data
    if spec.format in LOSSY and not spec.lossless:
        fitting = _fitting(spec, spec.max_bytes, make)
        if fitting is not None:
            return fitting
        data = make(spec.model_copy(update={"quality": 1}))
    warn("budget_missed", f"The output '{spec.name}' has {len(data):,} bytes, more than {spec.max_bytes:,}.")
    return data


def _fitting(spec: OutputSpec, budget: int, make: Callable[[OutputSpec], bytes]) -> bytes | None:
    """The best encoding of at most `budget` bytes below the quality of `spec`, by halving; None where there is none."""
    low, high, best = 0, spec.quality, None
    while high - low > 1:
        middle = (low + high) // 2
        data = make(spec.model_copy(update={"quality": middle}))
        if len(data) <= budget:
            low, best = middle, data
        else:
            high = middle
    return best


def with_alpha(picture: Picture) -> Pixels:
    """(H, W, 3) or (H, W, 4) uint8. What is wholly transparent is black: a cutout shall not carry its background."""
    if picture.alpha is None:
        return picture.pixels
    return _rgba(picture.pixels, picture.alpha)


def png(
    pixels: Pixels, dpi: tuple[float, float] | None = None, exif: bytes | None = None, alpha: Pixels | None = None
) -> bytes:
    """A PNG of (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8: every row as its difference to the one above.

    `alpha` (H, W) uint8 beside RGB or grey makes RGBA or grey with alpha; what is wholly transparent is black then.
    """
    height, width = pixels.shape[:2]
    channels = (pixels.shape[2] if pixels.ndim == 3 else 1) + (alpha is not None)
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    parts = [
        b"\x89PNG\r\n\x1a\n",
        *_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
    ]
    if channels > 2:
        parts += _chunk(b"sRGB", b"\1")
    if dpi is not None:
        parts += _chunk(b"pHYs", struct.pack(">IIB", round(dpi[0] / INCH_M), round(dpi[1] / INCH_M), 1))
    if exif is not None:
        parts += _chunk(b"eXIf", exif.removeprefix(EXIF_HEAD))
    data = _deflated(_strips(pixels, alpha, max(1, STRIP_BYTES // (width * channels))))
    for at in range(0, len(data), MAX_CHUNK_BYTES):
        parts += _chunk(b"IDAT", data[at : at + MAX_CHUNK_BYTES])
    parts += _chunk(b"IEND", b"")
    return b"".join(parts)


def _strips(pixels: Pixels, alpha: Pixels | None, rows: int) -> Iterator[Pixels]:
    """The picture from top to bottom in strips of so many rows, which stay in the processor's cache."""
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows]
        yield strip if alpha is None else _rgba(strip, alpha[top : top + rows])


def _rgba(pixels: Pixels, alpha: Pixels) -> Pixels:
    if pixels.ndim == 2:
        return np.dstack([cv2.bitwise_and(pixels, pixels, mask=alpha), alpha])
    rgba = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    rgba[..., 3] = alpha
    return np.asarray(cv2.bitwise_and(rgba, rgba, mask=alpha), np.uint8)


def _deflated(strips: Iterator[Pixels]) -> bytes:
    """The rows under PNG's filter 2 (Up), each behind its filter byte, compressed."""
    from isal import isal_zlib

    deflater = isal_zlib.compressobj(PNG_LEVEL)
    above = np.zeros(1, np.uint8)
    parts: list[bytes] = []
    for strip in strips:
        rows = strip.reshape(len(strip), -1)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        np.subtract(rows[0], above, out=filtered[0, 1:])
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        above = rows[-1].copy()
        parts.append(deflater.compress(filtered))
    return b"".join([*parts, deflater.flush()])


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, ...]:
    """The pieces of a chunk: all the px together are copied once, into the file."""
    from isal import isal_zlib  # whose sum of 9 MB takes 0.2 ms, zlib's 2

    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", isal_zlib.crc32(data, isal_zlib.crc32(kind)))


def _options(spec: OutputSpec) -> dict[str, object]:
    """What Pillow's writer of the format is told."""
    match spec.format:
        case "jpeg":
            full = spec.chroma == "full" or (spec.chroma == "auto" and spec.quality >= FULL_CHROMA_QUALITY)
            return {"quality": spec.quality, "subsampling": 0 if full else 2, "progressive": spec.progressive}
        case "webp" if spec.lossless:
            return {"lossless": True, "quality": LOSSLESS_EFFORT, "method": LOSSLESS_METHOD}
        case "webp":
            return {"quality": spec.quality, "method": WEBP_METHOD}
        case "tiff":
            return {} if spec.compression == "none" else {"compression": TIFF_NAMES[spec.compression]}
        case "avif":
            chroma = "4:4:4" if spec.chroma == "full" else "4:2:0"
            return {"quality": spec.quality, "speed": spec.speed, "subsampling": chroma}
        case "png":
            return {"compress_level": 1}
        case "svg" | "gif" | "bmp":
            return {}


def _tags(picture: Picture, spec: OutputSpec) -> Image.Exif:
    """What stands in a TIFF's directory, where EXIF has its place beside the predictor."""
    tags = Image.Exif() if picture.exif is None else image_tags(picture.exif)
    if spec.compression != "none":
        tags[TIFF_PREDICTOR] = HORIZONTAL
    return tags


def _written(image: Image.Image, spec: OutputSpec, picture: Picture, **options: object) -> bytes:
    exif: Image.Exif | bytes | None = picture.exif
    if spec.format == "tiff":
        exif = _tags(picture, spec)
    elif spec.format in COLOURED and picture.dpi is not None:
        exif = with_resolution(picture.exif, picture.dpi)
    if spec.format == "gif":
        image, exif = _of_palette(image), None
        if frames := options.get("append_images"):
            options["append_images"] = [_of_palette(frame) for frame in cast(list[Image.Image], frames)]
    known = {name: value for name, value in {"dpi": picture.dpi, "exif": exif}.items() if value is not None}
    out = io.BytesIO()
    try:
        image.save(out, spec.format.upper(), **_options(spec), **known, **options)
    except OSError:
        if spec.format != "jpeg":
            raise
        out = io.BytesIO()
        with _room_for(MOST_JPEG_BYTES * image.width * image.height):
            image.save(out, spec.format.upper(), **_options(spec), **known, **options)
    if spec.format == "tiff" and picture.exif is not None:
        return with_camera(out.getvalue(), picture.exif)
    return out.getvalue()


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """Let Pillow's encoders have a buffer of `size` bytes while the block runs.

    libjpeg writes a progressive JPEG at once, and Pillow gives it a byte or two a px, which noise needs more than.
    The buffer is the whole process's, so whoever encodes meanwhile has the larger one; pages that are not written to
    take no memory.
    """
    with _WIDENING:
        usual = ImageFile.MAXBLOCK
        ImageFile.MAXBLOCK = max(usual, size)
        try:
            yield
        finally:
            ImageFile.MAXBLOCK = usual
