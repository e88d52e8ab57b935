"""Operations on light and colour: what they change, what they keep, and that nothing is the default."""

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2hsv

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context, OperationParams
from photo_processor.operations.adjust import Adjust
from photo_processor.operations.auto_enhance import AutoEnhance
from photo_processor.operations.denoise import Denoise
from photo_processor.operations.grayscale import Grayscale
from photo_processor.operations.sharpen import Sharpen
from tests.unit.test_remove_background import KnownMatte

ALPHA = np.tile(np.linspace(0, 255, 600).astype(np.uint8), (400, 1))
OPERATIONS: tuple[OperationParams, ...] = (
    Adjust(exposure=0.5, saturation=0.4, temperature=0.3),
    AutoEnhance(),
    Grayscale(),
    Sharpen(),
    Denoise(),
)


def applied(operation: OperationParams, pixels: Pixels, alpha: Pixels | None = None) -> Pixels:
    picture = Picture(pixels, alpha, (300.0, 300.0), photo=pixels)
    result = operation.apply(picture, Context(models=KnownMatte(pixels[..., 0])))
    assert result.alpha is alpha
    assert (result.photo is pixels, result.dpi, result.placement) == (True, (300.0, 300.0), picture.placement)
    return result.pixels


def mean(pixels: Pixels) -> float:
    return float(pixels.mean())


def spread(pixels: Pixels) -> float:
    return float(pixels.std())


def saturation(pixels: Pixels) -> float:
    return float(rgb2hsv(pixels)[..., 1].mean())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.op)
def test_shape_and_transparency_stay(operation: OperationParams) -> None:
    before = data.coffee().copy()
    after = applied(operation, before, ALPHA)
    assert (after.shape, after.dtype) == (before.shape, np.uint8)
    assert np.array_equal(before, data.coffee())
    assert not np.array_equal(after, before)


def test_adjust_with_nothing_set_changes_nothing() -> None:
    assert np.array_equal(applied(Adjust(), data.coffee()), data.coffee())


@pytest.mark.parametrize(
    ("more", "less", "measure"),
    [
        (Adjust(exposure=1), Adjust(exposure=-1), mean),
        (Adjust(brightness=0.5), Adjust(brightness=-0.5), mean),
        (Adjust(gamma=1.6), Adjust(gamma=0.6), mean),
        (Adjust(contrast=0.5), Adjust(contrast=-0.5), spread),
        (Adjust(saturation=0.5), Adjust(saturation=-0.5), saturation),
    ],
)
def test_adjust_goes_both_ways(more: Adjust, less: Adjust, measure: object) -> None:
    assert callable(measure)
    coffee = data.coffee()
    assert measure(applied(less, coffee)) < measure(coffee) < measure(applied(more, coffee))


def test_exposure_of_one_is_twice_the_light() -> None:
    grey = np.full((4, 4, 3), 100, np.uint8)
    light = ((100 / 255 + 0.055) / 1.055) ** 2.4
    expected = 255 * (1.055 * (2 * light) ** (1 / 2.4) - 0.055)
    assert np.abs(applied(Adjust(exposure=1), grey) - expected).max() <= 1


@pytest.mark.parametrize("operation", [Adjust(brightness=0.8), Adjust(contrast=0.9), Adjust(gamma=3)])
def test_black_and_white_stay(operation: Adjust) -> None:
    ends = np.array([[[0] * 3, [255] * 3]], np.uint8)
    assert np.array_equal(applied(operation, ends), ends)


def test_warmer_is_redder_and_no_lighter() -> None:
    grey = np.full((4, 4, 3), 128, np.uint8)
    red, green, blue = applied(Adjust(temperature=1), grey)[0, 0].astype(int)
    assert red > 128 > blue
    assert abs(green - 128) < 12
    cold = applied(Adjust(temperature=-1), grey)[0, 0].astype(int)
    assert cold[2] > 128 > cold[0]


def test_no_saturation_is_grey() -> None:
    assert np.ptp(applied(Adjust(saturation=-1), data.coffee()).astype(int), axis=2).max() <= 1
    assert np.ptp(applied(Grayscale(), data.coffee()).astype(int), axis=2).max() == 0
    half = applied(Grayscale(strength=0.5), data.coffee())
    assert 0.3 * saturation(data.coffee()) < saturation(half) < 0.75 * saturation(data.coffee())


def dull() -> Pixels:
    return np.asarray(np.rint((60 + 0.55 * data.coffee()) * (1.06, 1.0, 0.86)), np.uint8)


def test_auto_enhance_takes_out_a_cast_and_widens_the_range() -> None:
    card = np.rint(np.tile(np.linspace(70, 190, 300), (300, 1))[..., None] * (1.08, 1.0, 0.88)).astype(np.uint8)
    after = applied(AutoEnhance(strength=1, white_balance=1), card).astype(int)
    cast_before, cast_after = (np.abs(np.diff(pixels.mean(axis=(0, 1)))).max() for pixels in (card, after))
    assert cast_after < 0.35 * cast_before
    assert np.ptp(after) > np.ptp(card)


def test_auto_enhance_is_mild_and_leaves_what_is_right() -> None:
    once = applied(AutoEnhance(), data.astronaut())
    assert np.abs(once.astype(int) - data.astronaut()).mean() < 10
    assert np.array_equal(applied(AutoEnhance(strength=0, white_balance=0), data.astronaut()), data.astronaut())
    improved = applied(AutoEnhance(), dull())
    assert spread(improved) > 1.05 * spread(dull())


def test_auto_enhance_of_one_colour_is_no_trouble() -> None:
    for level in (0, 128, 255):
        flat = np.full((30, 40, 3), level, np.uint8)
        assert np.abs(applied(AutoEnhance(), flat).astype(int) - level).max() <= 60


def test_sharpened_edges_are_steeper_and_flat_parts_stay() -> None:
    after = applied(Sharpen(amount=1.5), data.coffee())
    steep_before, steep_after = (
        np.abs(np.diff(pixels.astype(int), axis=1)).mean() for pixels in (data.coffee(), after)
    )
    assert steep_after > 1.15 * steep_before
    noise = np.random.default_rng(1).integers(127, 130, (60, 60, 1)).repeat(3, axis=2).astype(np.uint8)
    assert np.array_equal(applied(Sharpen(amount=3, threshold=5), noise), noise)
    hue = rgb2hsv(after)[..., 0] - rgb2hsv(data.coffee())[..., 0]
    assert np.percentile(np.abs((hue + 0.5) % 1 - 0.5), 90) < 0.03


def test_denoised_is_nearer_the_clean_photo() -> None:
    clean = data.chelsea().astype(int)
    noisy = np.clip(np.rint(clean + np.random.default_rng(7).normal(0, 15, clean.shape)), 0, 255).astype(np.uint8)
    before, after = (np.square(pixels - clean).mean() for pixels in (noisy, applied(Denoise(strength=0.7), noisy)))
    assert after < 0.4 * before


def test_denoise_has_no_seams_between_its_strips() -> None:
    tall = np.tile(data.chelsea(), (4, 1, 1))[:1100]
    whole = applied(Denoise(colour=0), tall)
    part = applied(Denoise(colour=0), tall[400:640].copy())
    assert np.abs(whole[440:600].astype(int) - part[40:200]).max() <= 1


def test_denoise_can_be_cancelled_between_strips() -> None:
    looks: list[int] = []
    tall = np.tile(data.chelsea(), (5, 1, 1))
    context = Context(models=KnownMatte(tall[..., 0]), check=lambda: looks.append(1))
    Denoise().apply(Picture(tall), context)
    assert len(looks) >= 3
