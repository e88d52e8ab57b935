"""The engines without a network."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from engines.classical import ENGINES, Pixels


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
    assert iou(ENGINES[engine](pixels), mask) > 0.95


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_coffee_is_found_with_a_soft_edge(engine: str) -> None:
    alpha = ENGINES[engine](data.coffee())
    assert alpha.shape == (400, 600)
    assert alpha.dtype == np.uint8
    assert alpha[100:300, 250:400].mean() > 240
    assert alpha[:40, :40].mean() < 15
    assert ((alpha > 20) & (alpha < 235)).mean() > 0.002


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_same_photo_gives_same_mask(engine: str) -> None:
    first = ENGINES[engine](data.astronaut())
    cv2.setRNGSeed(99)
    assert np.array_equal(first, ENGINES[engine](data.astronaut()))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (5, 7, 3), (9, 9, 3), (300, 10, 3)])
def test_engine_odd_shapes_give_a_mask_of_that_shape(engine: str, shape: tuple[int, int, int]) -> None:
    alpha = ENGINES[engine](np.full(shape, 127, np.uint8))
    assert alpha.shape == shape[:2]
    assert alpha.max() == 255


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_engine_uniform_photo_gives_neither_nothing_nor_all(engine: str, shade: int) -> None:
    alpha = ENGINES[engine](np.full((120, 90, 3), shade, np.uint8))
    assert 0.2 < (alpha > 127).mean() < 0.9


@pytest.mark.parametrize(("engine", "least"), [("grabcut", 0.7), ("watershed", 0.55)])
def test_engine_fashion_photos_mean_iou(engine: str, least: float, testdata: Path) -> None:
    scores = []
    for path in sorted((testdata / "masks_fashion" / "masks").iterdir())[::12]:
        photo = next((testdata / "masks_fashion" / "images").glob(f"{path.stem}.*"))
        pixels = np.ascontiguousarray(cv2.imread(str(photo))[..., ::-1])
        mask = cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), pixels.shape[1::-1])
        scores.append(iou(ENGINES[engine](pixels), mask))
    assert np.mean(scores) > least
