"""Colours of other spaces come out as a reference conversion has them, and 16 bits as 8."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

from photo_processor import errors
from photo_processor.imaging.decode import decode
from photo_processor.imaging.pictures import Picture
from tests import icc_profiles as icc

MOST_DELTA_E = 2.0  # CIEDE2000
SIDE = 8  # px of each patch, so that JPEG's blocks hold one colour each
STEPS = np.linspace(0, 255, 6).round() / 255


def adobe_to_linear(values: icc.Colours) -> icc.Colours:
    return values**icc.ADOBE_GAMMA


def patches(colours: icc.Colours, mode: str) -> Image.Image:
    levels = np.rint(colours * 255).astype(np.uint8)[None]
    return Image.fromarray(np.kron(levels, np.ones((SIDE, SIDE, 1), np.uint8)), mode)


def encoded(image: Image.Image, container: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, container, **options)
    return out.getvalue()


def seen(content: bytes, folder: Path) -> icc.Colours:
    """The decoded patches' colours, sRGB from 0 to 1."""
    path = folder / "photo"
    path.write_bytes(content)
    codes: list[str] = []
    pixels = decode(path, 100.0, lambda code, _message: codes.append(code)).pixels
    assert codes == []
    return pixels[SIDE // 2, SIDE // 2 :: SIDE] / 255


def distance(one: icc.Colours, other: icc.Colours) -> np.ndarray:
    return np.asarray(deltaE_ciede2000(rgb2lab(one[None]), rgb2lab(other[None])))


@pytest.mark.parametrize(
    ("container", "options"),
    [
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
    ],
)
@pytest.mark.parametrize(
    ("title", "primaries", "to_linear"),
    [("Adobe RGB", icc.ADOBE_XY, adobe_to_linear), ("Display P3", icc.P3_XY, icc.srgb_to_linear)],
)
def test_wide_gamut_is_near_the_reference(
    title: str,
    primaries: tuple[tuple[float, float], ...],
    to_linear: Callable[..., icc.Colours],
    container: str,
    options: dict[str, object],
    tmp_path: Path,
) -> None:
    colours = np.array(list(itertools.product(STEPS, repeat=3)))
    profile = icc.matrix_profile(title, primaries, to_linear)
    result = seen(encoded(patches(colours, "RGB"), container, icc_profile=profile, **options), tmp_path)
    expected = icc.reference(colours, primaries, to_linear)
    assert distance(result, expected).max() < MOST_DELTA_E
    assert distance(colours, expected).max() > 4, "a profile that is not looked at would pass"


@pytest.mark.parametrize(("container", "options"), [("TIFF", {}), ("JPEG", {"quality": 100, "subsampling": 0})])
def test_cmyk_is_near_the_reference(container: str, options: dict[str, object], tmp_path: Path) -> None:
    colours = np.array(list(itertools.product(STEPS[::2], repeat=4)))
    content = encoded(patches(colours, "CMYK"), container, icc_profile=icc.ink_profile(), **options)
    expected = icc.linear_to_srgb(icc.ink_rgb(colours))
    # What the inks cannot reach is spread to sRGB's black, which the reference has to do as well.
    assert distance(seen(content, tmp_path), with_black_point(expected)).max() < MOST_DELTA_E


def with_black_point(colours: icc.Colours) -> icc.Colours:
    """Black point compensation as ISO 18619 has it: a scaling of XYZ that takes the inks' black to zero."""
    linear = icc.srgb_to_linear(colours)
    black = icc.ink_rgb(np.ones((1, 4)))[0].mean()
    return icc.linear_to_srgb((linear - black) / (1 - black))


def test_real_profiles_are_near_littlecms_in_float(testdata: Path) -> None:
    """Photos with profiles of the trade: our 8-bit way against LittleCMS's most exact one."""
    fixtures = testdata / "decoders" / "sharp" / "test" / "fixtures"
    for name in ("Channel_digital_image_CMYK_color.jpg", "p3.png", "tifftag-photoshop.tiff"):
        image = Image.open(fixtures / name)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        source = image.convert("RGB") if image.mode == "RGBA" else image
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE | ImageCms.Flags.HIGHRESPRECALC
        transform = ImageCms.buildTransform(
            profile, ImageCms.createProfile("sRGB"), source.mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, flags
        )
        expected = np.asarray(transform.apply(source))[::7, ::7] / 255
        result = decode(fixtures / name, 100.0, lambda *_: None).pixels[::7, ::7] / 255
        apart = np.asarray(deltaE_ciede2000(rgb2lab(result), rgb2lab(expected)))
        assert np.percentile(apart, 99) < MOST_DELTA_E, name


def ramps() -> np.ndarray:
    """(16, 256, 3) uint16: no level of it is one of 8 bits, save the ends."""
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (16, 1))
    return np.dstack([ramp, ramp[:, ::-1], ramp // 2])


def decoded(path: Path) -> Picture:
    return decode(path, 100.0, lambda code, _message: pytest.fail(code))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bit_colour_is_scaled_and_keeps_its_alpha(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"deep{suffix}"
    share = np.roll(ramps()[..., :1], 40, axis=1)
    for planes in (ramps(), np.dstack([ramps(), share])):
        assert cv2.imwrite(str(path), planes[..., [2, 1, 0, 3][: planes.shape[2]]])
        picture = decoded(path)
        assert np.abs(picture.pixels - ramps() / 257).max() <= 1
        assert (picture.alpha is None) == (planes.shape[2] == 3)
    assert picture.alpha is not None
    assert np.abs(picture.alpha - share[..., 0] / 257).max() <= 1


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_lab_tiff_has_its_colours(order: str, compression: str | None, tmp_path: Path) -> None:
    colours = np.array(list(itertools.product(STEPS, repeat=3)))
    xyz = icc.srgb_to_linear(colours) @ icc.to_d50(icc.SRGB_XY).T
    lab = icc.lab_of(xyz)
    coded = np.column_stack([lab[:, 0] * 655.35, lab[:, 1:] * 256]).round().astype(np.int32).astype(np.uint16)
    path = tmp_path / "lab.tiff"
    tifffile.imwrite(
        path, np.kron(coded[None], np.ones((SIDE, SIDE, 1), np.uint16)), photometric="cielab", byteorder=order,
        compression=compression,
    )  # fmt: skip
    result = decoded(path).pixels[SIDE // 2, SIDE // 2 :: SIDE] / 255
    assert np.percentile(distance(result, colours), 95) < MOST_DELTA_E


def test_16_bit_grey_with_alpha_keeps_both(testdata: Path) -> None:
    path = testdata / "decoders" / "sharp" / "test" / "fixtures" / "16-bit-grey-alpha.png"
    picture, expected = decoded(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert expected is not None
    assert picture.alpha is not None
    assert np.ptp(expected[..., 3]) > 4_000
    assert np.abs(picture.alpha - expected[..., 3] / 257).max() <= 1


def test_deep_planes_without_compression_are_refused_not_garbled(tmp_path: Path) -> None:
    path = tmp_path / "planes.tiff"
    tifffile.imwrite(path, np.moveaxis(ramps(), 2, 0), photometric="rgb", planarconfig="separate")
    with pytest.raises(errors.UnsupportedFormat):
        decode(path, 100.0, lambda *_: None)
    tifffile.imwrite(path, np.moveaxis(ramps(), 2, 0), photometric="rgb", planarconfig="separate", compression="zlib")
    assert np.abs(decoded(path).pixels - ramps() / 257).max() <= 1
