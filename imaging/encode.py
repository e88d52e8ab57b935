"""Pictures out: PNG, WebP, JPEG, TIFF and AVIF bytes. Resolution is kept; nothing else of the source is (EXIF, GPS)."""

import io
import struct
import zlib
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import errors
from imaging.pictures import Picture, Pixels, Warn
from schemas import Format, OutputSpec

INCH_M = 0.0254
# Of 12 MP RGBA: level 2 takes 0.11 s for 10.7 MB, Pillow's level 6 2.8 s for 10.2 MB, its level 1 0.9 s for 11.1 MB.
PNG_LEVEL = 2
MAX_CHUNK_BYTES = 2**30
WEBP_METHOD = 2  # of 12 MP RGBA: 1.4 s for 1.33 MB; method 4 takes 2.5 s for 1.29 MB
LOSSLESS_METHOD = 0
LOSSLESS_EFFORT = 20
AVIF_SPEED = 9  # of 12 MP RGBA: 0.8 s for 1.75 MB; speed 8 takes 1.8 s for 1.68 MB
FULL_CHROMA_QUALITY = 90
TIFF_PREDICTOR = {317: 2}

LOSSY: frozenset[Format] = frozenset({"jpeg", "webp", "avif"})
MAX_SIDE_PX: dict[Format, int] = {"jpeg": 65_500, "webp": 16_383, "avif": 65_536}


def encode(picture: Picture, spec: OutputSpec) -> bytes:
    """`picture` in the format and quality of `spec`, whatever its `max_bytes`.

    Raises OutputTooLarge where the format cannot hold so many px in a row.
    """
    limit = MAX_SIDE_PX.get(spec.format)
    if limit is not None and max(picture.width, picture.height) > limit:
        raise errors.OutputTooLarge(f"{spec.format.upper()} holds at most {limit} pixels a side.")
    if spec.dpi is not None:
        picture = replace(picture, dpi=(spec.dpi, spec.dpi))
    match spec.format:
        case "png":
            return png(with_alpha(picture), picture.dpi)
        case "jpeg":
            return _jpeg(picture, spec)
        case "webp" if spec.lossless:
            return _save(picture, "WEBP", lossless=True, quality=LOSSLESS_EFFORT, method=LOSSLESS_METHOD)
        case "webp":
            return _save(picture, "WEBP", quality=spec.quality, method=WEBP_METHOD)
        case "tiff":
            return _save(picture, "TIFF", compression="tiff_lzw", tiffinfo=TIFF_PREDICTOR)
        case "avif":
            return _save(picture, "AVIF", quality=spec.quality, speed=AVIF_SPEED)


def encode_within(picture: Picture, spec: OutputSpec, warn: Warn) -> bytes:
    """As `encode`, at the highest quality up to the one asked for that keeps to `max_bytes`, if there is one.

    Raises OutputTooLarge. Warns `budget_missed`: the file is then as small as it can be.
    """
    data = encode(picture, spec)
    if spec.max_bytes is None or len(data) <= spec.max_bytes:
        return data
    if spec.format in LOSSY and not spec.lossless:
        fitting = _fitting(picture, spec, spec.max_bytes)
        if fitting is not None:
            return fitting
        data = encode(picture, spec.model_copy(update={"quality": 1}))
    warn("budget_missed", f"The output '{spec.name}' has {len(data):,} bytes, more than {spec.max_bytes:,}.")
    return data


def _fitting(picture: Picture, spec: OutputSpec, budget: int) -> bytes | None:
    """The best encoding of at most `budget` bytes below the quality of `spec`, by halving; None where there is none."""
    low, high, best = 0, spec.quality, None
    while high - low > 1:
        middle = (low + high) // 2
        data = encode(picture, spec.model_copy(update={"quality": middle}))
        if len(data) <= budget:
            low, best = middle, data
        else:
            high = middle
    return best


def with_alpha(picture: Picture) -> Pixels:
    """(H, W, 3) or (H, W, 4) uint8. What is wholly transparent is black: a cutout shall not carry its background."""
    if picture.alpha is None:
        return picture.pixels
    rgba = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2RGBA)
    rgba[..., 3] = picture.alpha
    return np.asarray(cv2.bitwise_and(rgba, rgba, mask=picture.alpha), np.uint8)


def png(pixels: Pixels, dpi: tuple[float, float] | None = None) -> bytes:
    """A PNG of (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8: every row as its difference to the one above."""
    height, width = pixels.shape[:2]
    colour_type = {2: 0, 3: 2, 4: 6}[pixels.shape[2] if pixels.ndim == 3 else 2]
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
    ]
    if colour_type:
        parts.append(_chunk(b"sRGB", b"\1"))
    if dpi is not None:
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", round(dpi[0] / INCH_M), round(dpi[1] / INCH_M), 1)))
    data = _deflate(_differences(pixels))
    parts += [_chunk(b"IDAT", data[at : at + MAX_CHUNK_BYTES]) for at in range(0, len(data), MAX_CHUNK_BYTES)]
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def _differences(pixels: Pixels) -> NDArray[np.uint8]:
    """The rows of a PNG under its filter 2 (Up), each behind its filter byte; (H, 1 + bytes of a row) uint8."""
    rows = pixels.reshape(pixels.shape[0], -1)
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _deflate(filtered: NDArray[np.uint8]) -> bytes:
    from isal import isal_zlib

    compressed: bytes = isal_zlib.compress(filtered, PNG_LEVEL)
    return compressed


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _jpeg(picture: Picture, spec: OutputSpec) -> bytes:
    image = Image.fromarray(picture.pixels)
    if picture.alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, spec.background), Image.fromarray(picture.alpha))
    subsampling = 0 if spec.quality >= FULL_CHROMA_QUALITY else 2
    return _written(image, "JPEG", picture.dpi, quality=spec.quality, subsampling=subsampling, progressive=True)


def _save(picture: Picture, container: str, **options: object) -> bytes:
    return _written(Image.fromarray(with_alpha(picture)), container, picture.dpi, **options)


def _written(image: Image.Image, container: str, dpi: tuple[float, float] | None, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, container, **({"dpi": dpi} if dpi else {}), **options)
    return out.getvalue()
