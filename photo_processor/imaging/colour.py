"""Any Pillow image, whatever its mode and profile, to 8-bit sRGB with its alpha apart."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from photo_processor.imaging.light import Light
from photo_processor.imaging.light import to_srgb as of_light

Warn = Callable[[str, str], None]

_ALPHA_MODES = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
WIDE_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_PROFILE_MODES = {"RGB": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab": ("LAB",)}


def to_srgb(image: Image.Image, warn: Warn, light: Light | None = None) -> tuple[Image.Image, Image.Image | None]:
    """`image` as mode RGB in sRGB, and its alpha as mode L or None where it has none.

    `light` is what the file says of its colours without a profile. Warns `bad_colour_profile` where the embedded
    profile cannot be used; sRGB is then taken for granted. Warns `tone_mapped` where the photo is HDR.
    """
    profile: bytes | None = image.info.get("icc_profile")
    opaque, alpha = _split_alpha(eight_bit(image))
    if profile:
        try:
            return _through_profile(opaque, profile), alpha
        except _PROFILE_ERRORS:
            warn("bad_colour_profile", "The photo's colour profile could not be used; its colours were taken as sRGB.")
    rgb = _plain_rgb(opaque)
    if light is None:
        return rgb, alpha
    if light.hdr:
        warn("tone_mapped", f"The photo is HDR ({light.hdr}); its brightness was fitted to what a screen shows.")
    return Image.fromarray(of_light(np.asarray(rgb), light)), alpha


@lru_cache(maxsize=32)
def is_srgb(profile: bytes) -> bool:
    """Whether the ICC `profile` makes of RGB what sRGB does; False where it cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return source.profile.xcolor_space.strip() == "RGB" and _changes_nothing(_to_srgb(source, "RGB"))
    except _PROFILE_ERRORS:
        return False


def eight_bit(image: Image.Image) -> Image.Image:
    """Integers and floats of more than 8 bits to mode L. Pillow's own conversion clips them, to white mostly."""
    if image.mode not in WIDE_MODES:
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
    black, white = _range(values, image.mode)
    scaled = (values - black) * (255.0 / (white - black))
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _range(values: NDArray[np.float32], mode: str) -> tuple[float, float]:
    """The values of black and white: the type's where the format fixes them, else by what the picture holds."""
    if mode.startswith("I;16"):
        return 0.0, 65535.0
    low, high = float(values.min()), float(values.max())
    for white in (1.0, 255.0, 65535.0):
        if low >= 0 and high <= white and (mode == "F" or white > 1):
            return 0.0, white
    return (low, high) if high > low else (low, low + 1)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """`image` without transparency, and that as mode L."""
    if image.mode in _ALPHA_MODES or (image.has_transparency_data and image.mode in ("1", "L", "P", "RGB")):
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        return rgba.convert("RGB"), None if alpha.getextrema() == (255, 255) else alpha
    if image.mode in ("P", "RGBX"):
        return image.convert("RGB"), None
    if image.mode == "1":
        return image.convert("L"), None
    return image, None


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    if image.mode == "RGB" and is_srgb(profile):
        return image
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if image.mode not in _PROFILE_MODES.get(space, ()):
        image = _plain_rgb(image) if space == "RGB" and image.mode != "CMYK" else image
    if space == "GRAY" and image.mode == "RGB":
        image = image.convert("L")
    converted = _to_srgb(source, image.mode).apply(image)
    converted.info = dict(image.info)
    return converted


def _to_srgb(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the transform is sRGB to sRGB, tried on 512 colours: most photos say sRGB, and 12 MP take 0.3 s."""
    steps = np.linspace(0, 255, 8).astype(np.uint8)
    swatches = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    after = np.asarray(transform.apply(Image.fromarray(swatches)))
    return bool(np.abs(after.astype(int) - swatches).max() <= 1)


def _plain_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode != "LAB":
        return image.convert("RGB")
    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    return transform.apply(image)
