"""Edges that follow the photo, and colours free of the old background, on cutouts whose mattes are known."""

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from skimage import data

from photo_processor.imaging.edges import decontaminated, refined, settled
from photo_processor.imaging.pictures import Pixels

SIDE = 1100
BACKGROUNDS = {
    "green": np.full((SIDE, SIDE, 3), (60, 160, 70), np.uint8),
    "stones": np.dstack([cv2.resize(data.gravel(), (SIDE, SIDE))] * 3) // 3 + np.uint8(150),
    "sky": np.asarray(cv2.resize(data.rocket()[:200], (SIDE, SIDE)), np.uint8),
}


def strands() -> Pixels:
    """(SIDE, SIDE) uint8: a ball with hairs of 1 to 4 px, each px's true share."""
    matte = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
    centre = 2 * SIDE
    cv2.circle(matte, (centre, centre), 5 * SIDE // 4, (255,), -1)
    rng = np.random.default_rng(5)
    for _ in range(260):
        turn, bend, length = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.12), rng.uniform(0.55, 0.9) * centre
        radii = np.linspace(0.5 * centre, length, 30)
        turns = turn + bend * np.linspace(0, 1, 30) ** 2
        line = np.column_stack((centre + radii * np.cos(turns), centre + radii * np.sin(turns))).astype(np.int32)
        cv2.polylines(matte, [line], False, (255,), int(rng.integers(4, 16)))
    return np.asarray(cv2.resize(matte, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def coarse(matte: Pixels) -> Pixels:
    """`matte` as a network would give it that works at an eighth of the size."""
    small = cv2.resize(matte, (SIDE // 8, SIDE // 8), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def composite(background: str) -> tuple[Pixels, Pixels, Pixels]:
    """A photo of brown fur before `background`; the fur alone; its matte."""
    fur = np.asarray(cv2.resize(data.chelsea()[100:250, 150:300], (SIDE, SIDE)) // 2, np.uint8)
    matte = strands()
    share = matte[..., None] / 255
    return np.rint(share * fur + (1 - share) * BACKGROUNDS[background]).astype(np.uint8), fur, matte


def gradients(matte: Pixels) -> np.ndarray:
    smooth = cv2.GaussianBlur(matte.astype(np.float32) / 255, (0, 0), 1.4)
    return np.asarray(np.hypot(cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_refined_matte_is_nearer_the_truth(background: str) -> None:
    photo, _, truth = composite(background)
    before = coarse(truth)
    after = refined(photo, before)
    error_before, error_after = (np.abs(matte.astype(int) - truth).mean() for matte in (before, after))
    rough_before, rough_after = (np.square(gradients(matte) - gradients(truth)).mean() for matte in (before, after))
    assert error_after < 0.85 * error_before
    assert rough_after < 0.75 * rough_before


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_decontaminated_edge_has_the_subjects_colours(background: str) -> None:
    photo, fur, truth = composite(background)
    soft = (truth > 25) & (truth < 230)
    after = decontaminated(photo, truth)
    error_before, error_after = (np.abs(pixels[soft].astype(int) - fur[soft]).mean() for pixels in (photo, after))
    assert error_after < 0.5 * error_before
    assert np.array_equal(after[truth == 255], photo[truth == 255])


def test_photo_and_matte_are_left_as_they_were() -> None:
    photo, _, truth = composite("green")
    before = coarse(truth)
    copies = photo.copy(), before.copy()
    decontaminated(photo, refined(photo, before))
    assert np.array_equal(photo, copies[0])
    assert np.array_equal(before, copies[1])


@pytest.mark.parametrize("value", [0, 255])
def test_matte_without_an_edge_stays(value: int) -> None:
    matte = np.full((400, 600), value, np.uint8)
    assert np.array_equal(refined(data.coffee(), matte), matte)
    assert np.array_equal(decontaminated(data.coffee(), matte), data.coffee())


def test_what_is_far_from_the_edge_stays() -> None:
    matte = np.zeros((1200, 1800), np.uint8)
    matte[300:900, 500:1300] = 255
    photo = np.asarray(cv2.resize(data.coffee(), (1800, 1200)), np.uint8)
    changed = refined(photo, matte) != matte
    assert not changed[:240].any()
    assert not changed[360:840, 560:1240].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (2500, 2), (7, 5), (1031, 1777)])
def test_odd_shapes_keep_their_size(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    photo = rng.integers(0, 256, (*shape, 3), np.uint8)
    matte = np.asarray(cv2.resize(rng.integers(0, 256, (5, 5), np.uint8), shape[::-1]), np.uint8).reshape(shape)
    assert refined(photo, matte).shape == shape
    assert decontaminated(photo, matte).shape == photo.shape


def test_grey_photo_of_one_colour_is_no_trouble() -> None:
    matte = coarse(strands())
    photo = np.full((SIDE, SIDE, 3), 128, np.uint8)
    assert np.abs(refined(photo, matte).astype(int) - matte).mean() < 8
    assert np.array_equal(decontaminated(photo, matte), photo)


def seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def test_twelve_megapixels_take_no_longer_than_two_blurs_of_them() -> None:
    photo, _, truth = composite("stones")
    large = np.asarray(cv2.resize(photo, (4000, 3000)), np.uint8)
    matte = np.asarray(cv2.resize(coarse(truth), (4000, 3000)), np.uint8)
    yardstick = seconds(lambda: cv2.GaussianBlur(large, (0, 0), 8))
    assert seconds(lambda: refined(large, matte)) < 2 * yardstick


def hazy(matte: Pixels) -> Pixels:
    """`matte` as a network gives it: 246 to 254 inside, 0 to 7 outside, and a faint island far away."""
    noise = np.random.default_rng(4).integers(0, 9, matte.shape)
    levels = np.where(matte > 127, np.minimum(matte, 254 - noise), np.maximum(matte, noise - 1)).astype(np.uint8)
    levels[30:50, 30:60] = 40
    return np.asarray(levels, np.uint8)


def test_settled_is_opaque_inside_and_clear_outside() -> None:
    truth = strands()
    result = settled(hazy(truth))
    disc = np.ones((25, 25), np.uint8)
    core = cv2.erode(truth, disc) == 255
    far = cv2.dilate(truth, disc) == 0
    assert (result[core] == 255).mean() > 0.98
    assert (result[far] == 0).mean() > 0.98
    _, _, width, height = cv2.boundingRect((truth > 127).astype(np.uint8))
    _, _, across, down = cv2.boundingRect(result)
    assert across * down <= 1.1 * width * height


def test_settled_does_no_harm_to_hair() -> None:
    truth = strands()
    before = hazy(truth)
    rough_before, rough_after = (
        np.square(gradients(matte) - gradients(truth)).mean() for matte in (before, settled(before))
    )
    assert rough_after <= rough_before
    assert np.abs(settled(truth).astype(int) - truth).mean() < 0.2
    photo, _, _ = composite("stones")
    fine = refined(photo, coarse(truth))
    errors = [np.square(gradients(matte) - gradients(truth)).mean() for matte in (fine, settled(fine))]
    assert errors[1] <= errors[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (2500, 2), (7, 5), (1031, 1777)])
def test_settled_keeps_odd_shapes(shape: tuple[int, int]) -> None:
    matte = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    assert settled(matte).shape == shape
    for level in (0, 255):
        assert (settled(np.full(shape, level, np.uint8)) == level).all()


def test_settling_twelve_megapixels_is_quick() -> None:
    matte = np.asarray(cv2.resize(coarse(strands()), (4000, 3000)), np.uint8)
    yardstick = seconds(lambda: cv2.GaussianBlur(np.dstack([matte] * 3), (0, 0), 8))
    assert seconds(lambda: settled(matte)) < yardstick
