"""Encoding: what goes out reads back as it was."""

import io
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageFile
from skimage import data

from photo_processor import errors
from photo_processor.imaging.encode import encode, encode_frames, encode_within, png, with_alpha
from photo_processor.imaging.pictures import Picture
from photo_processor.results.sheets import print_size
from photo_processor.schemas import Format, OutputSpec


def cutout() -> Picture:
    pixels = data.astronaut()
    alpha = np.clip(np.hypot(*(np.mgrid[:512, :512] - 256)) * -2 + 500, 0, 255).astype(np.uint8)
    return Picture(pixels, alpha, (300.0, 300.0))


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 4), (7, 5), (300, 451, 3), (300, 451, 4), (1, 9000, 3)])
def test_png_reads_back_exactly(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    image = opened(png(pixels))
    assert image.mode == {2: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[2] if pixels.ndim == 3 else 2]
    assert np.array_equal(np.asarray(image), pixels)


def test_png_of_a_photo_is_about_pillows_size_and_quicker() -> None:
    pixels = np.tile(data.astronaut(), (4, 4, 1))
    start = time.perf_counter()
    ours = png(pixels)
    middle = time.perf_counter()
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    assert (middle - start) * 2 < time.perf_counter() - middle
    assert len(ours) < 1.2 * len(out.getvalue())


@pytest.mark.parametrize("format", ["png", "webp", "tiff", "avif"])
def test_encode_keeps_alpha_and_colours(format: Format) -> None:
    picture = cutout()
    image = opened(encode(picture, OutputSpec(format=format)))
    assert image.format == format.upper()
    assert image.mode == "RGBA"
    back = np.asarray(image).astype(int)
    visible = picture.alpha == 255
    assert np.abs(back[..., 3] - picture.alpha).mean() < 1
    assert np.abs(back[visible, :3] - picture.pixels[visible]).mean() < (0.01 if format in ("png", "tiff") else 5)


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_encode_lossless_carries_nothing_of_what_was_removed(format: Format) -> None:
    picture = cutout()
    back = np.asarray(opened(encode(picture, OutputSpec(format=format))))
    assert np.array_equal(back, with_alpha(picture))
    assert not back[picture.alpha == 0].any()


def test_encode_jpeg_lies_on_white_and_is_progressive() -> None:
    image = opened(encode(cutout(), OutputSpec(format="jpeg", quality=95)))
    assert image.mode == "RGB"
    assert image.info.get("progressive")
    assert min(image.getpixel((2, 2))) > 250  # type: ignore[type-var,arg-type]


@pytest.mark.parametrize(("quality", "sampling"), [(95, 1), (90, 1), (80, 2)])
def test_encode_jpeg_keeps_full_chroma_at_high_quality(quality: int, sampling: int) -> None:
    image = opened(encode(cutout(), OutputSpec(format="jpeg", quality=quality)))
    assert image.layer[0][1:3] == (sampling, sampling)  # type: ignore[attr-defined]


@pytest.mark.parametrize("format", ["png", "jpeg", "tiff"])
def test_encode_keeps_resolution_and_drops_metadata(format: Format) -> None:
    image = opened(encode(cutout(), OutputSpec(format=format)))
    assert [round(float(side)) for side in image.info["dpi"]] == [300, 300]
    assert 0x8825 not in image.getexif()
    assert "icc_profile" not in image.info


def test_encode_webp_too_wide_says_what_to_do() -> None:
    with pytest.raises(errors.OutputTooLarge, match="16383"):
        encode(Picture(np.zeros((1, 16_384, 3), np.uint8)), OutputSpec(format="webp"))


@pytest.mark.parametrize("format", ["webp", "jpeg", "avif"])
def test_encode_lower_quality_is_smaller(format: Format) -> None:
    high, low = (len(encode(cutout(), OutputSpec(format=format, quality=quality))) for quality in (95, 40))
    assert low < 0.6 * high


def test_encode_lossless_webp_keeps_every_visible_px() -> None:
    picture = cutout()
    back = np.asarray(opened(encode(picture, OutputSpec(format="webp", lossless=True))))
    assert np.array_equal(back, with_alpha(picture))


def test_encode_jpeg_lies_on_the_colour_asked_for() -> None:
    image = opened(encode(cutout(), OutputSpec(format="jpeg", quality=95, background="#1E90ff")))
    assert np.abs(np.asarray(image)[2, 2].astype(int) - (0x1E, 0x90, 0xFF)).max() <= 3


@pytest.mark.parametrize("format", ["png", "jpeg", "tiff"])
def test_encode_sets_the_resolution_asked_for(format: Format) -> None:
    image = opened(encode(cutout(), OutputSpec(format=format, dpi=600)))
    assert [round(float(side)) for side in image.info["dpi"]] == [600, 600]


def within(budget: int, **spec: object) -> tuple[bytes, list[str]]:
    warnings: list[str] = []
    output = OutputSpec(max_bytes=budget, **spec)  # type: ignore[arg-type]
    return encode_within(output, lambda code, _message: warnings.append(code), partial(encode, cutout())), warnings


@pytest.mark.parametrize("format", ["webp", "jpeg", "avif"])
def test_budget_is_met_at_the_highest_quality_that_does(format: Format) -> None:
    whole = len(encode(cutout(), OutputSpec(format=format)))
    data, warnings = within(whole // 2, format=format)
    assert warnings == []
    assert 0.8 * whole // 2 < len(data) <= whole // 2
    assert within(whole, format=format)[0] == encode(cutout(), OutputSpec(format=format))


@pytest.mark.parametrize(
    "spec", [{"format": "png"}, {"format": "tiff"}, {"format": "webp", "lossless": True}, {"format": "jpeg"}]
)
def test_budget_that_cannot_be_met_warns_and_gives_the_smallest(spec: dict[str, object]) -> None:
    data, warnings = within(1000, **spec)
    assert warnings == ["budget_missed"]
    assert opened(data).size == (512, 512)
    assert len(data) <= len(encode(cutout(), OutputSpec.model_validate({**spec, "quality": 1})))


def test_mask_is_the_subject_in_grey() -> None:
    image = opened(encode(cutout(), OutputSpec(kind="mask")))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), cutout().alpha)
    white = replace(cutout(), alpha=None, matte=cutout().alpha)
    assert np.array_equal(np.asarray(opened(encode(white, OutputSpec(kind="mask", format="tiff")))), cutout().alpha)
    assert np.asarray(opened(encode(Picture(data.coffee()), OutputSpec(kind="mask")))).min() == 255


def test_chroma_and_progression_are_as_asked() -> None:
    full, half = (opened(encode(cutout(), OutputSpec(format="jpeg", chroma=name))) for name in ("full", "half"))
    assert (full.layer[0][1], half.layer[0][1]) == (1, 2)  # type: ignore[attr-defined]
    plain = opened(encode(cutout(), OutputSpec(format="jpeg", progressive=False)))
    assert "progressive" not in plain.info
    sizes = [len(encode(cutout(), OutputSpec(format="avif", chroma=name))) for name in ("full", "half")]
    assert sizes[0] > sizes[1]


def test_slower_avif_is_smaller() -> None:
    slow, fast = (len(encode(cutout(), OutputSpec(format="avif", speed=speed))) for speed in (4, 10))
    assert slow < fast


@pytest.mark.parametrize(("compression", "tag"), [("lzw", 5), ("deflate", 8), ("none", 1)])
def test_tiff_is_compressed_as_asked(compression: str, tag: int) -> None:
    spec = OutputSpec.model_validate({"format": "tiff", "compression": compression})
    image = opened(encode(cutout(), spec))
    assert image.tag_v2[259] == tag  # type: ignore[attr-defined]
    assert np.array_equal(np.asarray(image), with_alpha(cutout()))


@pytest.mark.parametrize("quality", [60, 90, 94, 95, 100])
@pytest.mark.parametrize("chroma", ["full", "half"])
def test_noise_becomes_a_progressive_jpeg_at_any_quality(quality: int, chroma: Literal["full", "half"]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (301, 402, 3), np.uint8)
    spec = OutputSpec(format="jpeg", quality=quality, chroma=chroma)
    progressive = encode(Picture(noise), spec)
    plain = encode(Picture(noise), spec.model_copy(update={"progressive": False}))
    assert np.array_equal(np.asarray(opened(progressive)), np.asarray(opened(plain)))
    assert len(progressive) < 1.1 * len(plain)
    assert ImageFile.MAXBLOCK == 65536


def test_a_mask_of_noise_becomes_a_progressive_jpeg() -> None:
    matte = np.random.default_rng(2).integers(0, 2, (300, 400), np.uint8) * np.uint8(255)
    picture = Picture(np.zeros((300, 400, 3), np.uint8), matte=matte)
    assert opened(encode(picture, OutputSpec(format="jpeg", kind="mask", quality=94))).mode == "L"


def test_grey_files_are_grey() -> None:
    picture = replace(cutout(), alpha=None)
    luma = np.asarray(Image.fromarray(picture.pixels).convert("L")).astype(int)
    for format in ("png", "jpeg", "tiff", "bmp", "gif"):
        image = opened(encode(picture, OutputSpec(format=format, colour="grey", quality=95)))
        assert (format, image.mode) == (format, "L")
        assert np.abs(np.asarray(image).astype(int) - luma).max() <= (30 if format == "jpeg" else 1)
    for format in ("png", "tiff"):
        assert opened(encode(cutout(), OutputSpec(format=format, colour="grey"))).mode == "LA"
    for format in ("webp", "avif"):
        pixels = np.asarray(opened(encode(picture, OutputSpec(format=format, colour="grey"))).convert("RGB")).astype(
            int
        )
        assert np.ptp(pixels, axis=2).max() < 8


def test_gif_has_a_clear_colour_where_the_cutout_has_none() -> None:
    picture = cutout()
    image = opened(encode(picture, OutputSpec(format="gif")))
    assert (image.format, image.mode) == ("GIF", "P")
    back = np.asarray(image.convert("RGBA")).astype(int)
    assert picture.alpha is not None
    assert np.array_equal(back[..., 3] > 0, picture.alpha > 127)
    solid = picture.alpha > 127
    assert np.abs(back[solid, :3] - picture.pixels[solid]).mean() < 12


@pytest.mark.parametrize("plays", [0, 1, 3])
def test_animated_gif_has_every_frame(plays: int) -> None:
    frames = [replace(cutout(), pixels=np.full((512, 512, 3), shade, np.uint8)) for shade in (20, 120, 220)]
    image = opened(encode_frames(frames, [0.1, 0.2, 0.3], OutputSpec(format="gif", frames="all"), plays))
    assert image.n_frames == 3
    assert image.info.get("loop", "once") == {0: 0, 1: "once", 3: 2}[plays]
    for number, shade in enumerate((20, 120, 220)):
        image.seek(number)
        assert image.info["duration"] == 100 * (number + 1)
        frame = np.asarray(image.convert("RGBA")).astype(int)
        assert abs(frame[256, 256, 0] - shade) < 3
        assert frame[0, 0, 3] == 0, "what the last frame showed stays"


def test_bmp_lies_before_the_background() -> None:
    image = opened(encode(cutout(), OutputSpec(format="bmp", background="#ff0000")))
    assert (image.format, image.mode, image.getpixel((0, 0))) == ("BMP", "RGB", (255, 0, 0))
    assert round(image.info["dpi"][0]) == 300


@pytest.mark.parametrize("format", ["png", "jpeg", "tiff", "webp", "avif", "bmp"])
@pytest.mark.parametrize("dpi", [300, 413, 600])
def test_every_format_keeps_its_millimetres(format: Format, dpi: float, tmp_path: Path) -> None:
    width, height = round(35 / 25.4 * dpi), round(45 / 25.4 * dpi)
    picture = Picture(np.full((height, width, 3), 200, np.uint8), dpi=(dpi, dpi))
    path = tmp_path / f"photo.{format}"
    path.write_bytes(encode(picture, OutputSpec(format=format)))
    size = print_size(path)
    assert (size.width, size.height) == (35, 45)
