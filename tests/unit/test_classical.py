"""The engines without a network."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from photo_processor.models.inference.classical import ENGINES, FOLLOWING_STROKES, Pixels, grabcut
from photo_processor.models.inference.types import NO_HINTS, Hints


def iou(first: Pixels, second: Pixels) -> float:
    a, b = first > 127, second > 127
    return float((a & b).sum() / max(1, (a | b).sum()))


def cup_on_a_table() -> tuple[Pixels, Pixels]:
    """A red disc on a plain background with noise, and its mask."""
    mask = np.zeros((600, 800), np.uint8)
    cv2.circle(mask, (400, 300), 180, (255,), -1)
    pixels = np.where(mask[..., None] > 0, (180, 40, 30), (200, 205, 210))
    noise = np.random.default_rng(1).normal(0, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8), mask


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_plain_background_finds_the_subject(engine: str) -> None:
    pixels, mask = cup_on_a_table()
    assert iou(ENGINES[engine](pixels, NO_HINTS), mask) > 0.95


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_coffee_is_found_with_a_soft_edge(engine: str) -> None:
    alpha = ENGINES[engine](data.coffee(), NO_HINTS)
    assert alpha.shape == (400, 600)
    assert alpha.dtype == np.uint8
    assert alpha[100:300, 250:400].mean() > 230
    assert alpha[:40, :40].mean() < 15
    assert ((alpha > 20) & (alpha < 235)).mean() > 0.002


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_same_photo_gives_same_mask(engine: str) -> None:
    first = ENGINES[engine](data.astronaut(), NO_HINTS)
    cv2.setRNGSeed(99)
    assert np.array_equal(first, ENGINES[engine](data.astronaut(), NO_HINTS))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (5, 7, 3), (9, 9, 3), (300, 10, 3)])
def test_engine_odd_shapes_give_a_mask_of_that_shape(engine: str, shape: tuple[int, int, int]) -> None:
    alpha = ENGINES[engine](np.full(shape, 127, np.uint8), NO_HINTS)
    assert alpha.shape == shape[:2]
    assert alpha.max() == 255


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_engine_uniform_photo_gives_neither_nothing_nor_all(engine: str, shade: int) -> None:
    alpha = ENGINES[engine](np.full((120, 90, 3), shade, np.uint8), NO_HINTS)
    assert 0.2 < (alpha > 127).mean() < 0.9


@pytest.mark.parametrize(("engine", "least"), [("grabcut", 0.7), ("watershed", 0.55)])
def test_engine_fashion_photos_mean_iou(engine: str, least: float, testdata: Path) -> None:
    scores = []
    for path in sorted((testdata / "masks_fashion" / "masks").iterdir())[::12]:
        photo = next((testdata / "masks_fashion" / "images").glob(f"{path.stem}.*"))
        pixels = np.ascontiguousarray(cv2.imread(str(photo))[..., ::-1])
        mask = cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), pixels.shape[1::-1])
        scores.append(iou(ENGINES[engine](pixels, NO_HINTS), mask))
    assert np.mean(scores) > least


def two_discs() -> tuple[Pixels, Pixels, Pixels]:
    """A red disc on the left and a blue one on the right, before grey with noise; and the mask of each."""
    red, blue = np.zeros((400, 800), np.uint8), np.zeros((400, 800), np.uint8)
    cv2.circle(red, (220, 200), 120, (255,), -1)
    cv2.circle(blue, (590, 200), 120, (255,), -1)
    pixels = np.where(red[..., None] > 0, (190, 40, 30), (200, 205, 210))
    pixels = np.where(blue[..., None] > 0, (30, 60, 190), pixels)
    noise = np.random.default_rng(1).normal(0, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8), red, blue


@pytest.mark.parametrize("engine", ENGINES)
def test_rectangle_says_which_subject_is_meant(engine: str) -> None:
    pixels, red, blue = two_discs()
    assert iou(ENGINES[engine](pixels, Hints((440, 40, 320, 320))), blue) > 0.9
    assert iou(ENGINES[engine](pixels, Hints((60, 40, 330, 320))), red) > 0.9


@pytest.mark.parametrize("engine", sorted(FOLLOWING_STROKES))
def test_strokes_say_what_belongs_to_the_subject(engine: str) -> None:
    pixels, red, _ = two_discs()
    strokes = np.zeros(pixels.shape[:2], np.uint8)
    cv2.line(strokes, (160, 200), (280, 200), (Hints.SUBJECT,), 9)
    cv2.line(strokes, (520, 200), (660, 200), (Hints.BACKGROUND,), 9)
    cv2.line(strokes, (400, 20), (400, 380), (Hints.BACKGROUND,), 9)
    assert iou(ENGINES[engine](pixels, Hints(strokes=strokes)), red) > 0.93


def test_certain_px_are_the_subjects_whatever_their_colour() -> None:
    pixels = np.full((300, 400, 3), 120, np.uint8)
    strokes = np.zeros((300, 400), np.uint8)
    strokes[50:80, 60:120] = Hints.SUBJECT
    strokes[200:230, 300:360] = Hints.BACKGROUND
    alpha = grabcut(pixels, Hints((20, 20, 360, 260), strokes))
    assert alpha[60:70, 70:110].min() > 240
    assert alpha[210:220, 310:350].max() < 15
    assert alpha[:10].max() == 0, "outside of the box"


def test_person_is_found_about_the_face() -> None:
    stored = cv2.imread(str(Path(__file__).parent / "golden" / "astronaut_mask.png"), cv2.IMREAD_GRAYSCALE)
    assert iou(grabcut(data.astronaut()), np.asarray(stored, np.uint8)) > 0.6


def test_empty_rectangle_and_full_one_give_a_mask() -> None:
    photo = data.coffee()
    for box in ((0, 0, 1, 1), (599, 399, 1, 1), (0, 0, 600, 400)):
        for engine in ENGINES.values():
            assert engine(photo, Hints(box)).shape == photo.shape[:2]
