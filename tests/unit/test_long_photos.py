"""Long photos are looked at in parts, in which a network finds what it loses in the whole."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor.models.inference.long_photos import in_parts, is_long
from photo_processor.models.inference.types import Pixels
from photo_processor.models.store import ModelStore
from photo_processor.models.weights.rows import DEFAULT
from photo_processor.settings import Settings

WIDTH = 120
MASK = Path(__file__).parent / "golden" / "astronaut_mask.png"


class Shortsighted:
    """Finds what is white, at its own size of 64 px, but nothing in what is longer than 2.2:1; counts its looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, part: Pixels) -> Pixels:
        self.looks += 1
        assert part.flags.c_contiguous
        if max(part.shape[:2]) > 2.2 * min(part.shape[:2]):
            return np.zeros((64, 64), np.uint8)
        return np.asarray(cv2.resize(part[..., 0], (64, 64), interpolation=cv2.INTER_AREA), np.uint8)


def strip(ratio: float, *subjects: tuple[float, float]) -> Pixels:
    """(WIDTH, ratio * WIDTH) uint8: white where the subjects are, each from and to so many widths."""
    truth = np.zeros((WIDTH, round(ratio * WIDTH)), np.uint8)
    for start, end in subjects:
        truth[20:100, round(start * WIDTH) : round(end * WIDTH)] = 255
    return truth


def iou(one: Pixels, other: Pixels) -> float:
    return float(((one > 127) & (other > 127)).sum() / max(1, ((one > 127) | (other > 127)).sum()))


@pytest.mark.parametrize("tall", [False, True], ids=["wide", "tall"])
@pytest.mark.parametrize(
    ("ratio", "subjects"),
    [
        (2.5, [(1.2, 1.9)]),
        (3, [(0, 0.8)]),
        (4, [(1.6, 2.4)]),
        (8, [(7.3, 8)]),
        (8, [(0.5, 1.2), (6.2, 7.1)]),
        (5, [(1.0, 1.4), (1.5, 1.9), (4, 4.5)]),
        (15, [(3, 4.1)]),
    ],
)
def test_subjects_are_found_wherever_they_are(ratio: float, subjects: list[tuple[float, float]], tall: bool) -> None:
    truth = strip(ratio, *subjects)
    truth = np.ascontiguousarray(truth.T) if tall else truth
    photo = np.dstack([truth] * 3)
    assert is_long(photo)
    look = Shortsighted()
    assert iou(in_parts(photo, look), truth) > 0.95
    assert look.looks <= ratio + 4


def test_a_subject_as_long_as_the_photo_is_seen_at_a_glance() -> None:
    truth = strip(6, (0.2, 5.8))
    photo = np.dstack([truth] * 3)
    looks: list[tuple[int, ...]] = []

    def look(part: Pixels) -> Pixels:
        looks.append(part.shape)
        return np.ascontiguousarray(part[..., 0])

    assert np.array_equal(in_parts(photo, look), truth)
    assert looks[-1] == photo.shape


def test_little_things_beside_a_subject_are_not_taken() -> None:
    truth = strip(6, (2.0, 3.0))
    photo = np.dstack([truth] * 3)
    photo[50:58, 600:610] = 255
    found = in_parts(photo, Shortsighted())
    assert iou(found, truth) > 0.95
    assert not found[:, 550:].any()


def test_nothing_is_nothing() -> None:
    assert not in_parts(np.zeros((50, 400, 3), np.uint8), Shortsighted()).any()
    assert not is_long(data.coffee())


@pytest.mark.slow
def test_isnet_finds_a_person_in_a_wide_photo(model_folder: Path, has_network: bool, tmp_path: Path) -> None:
    if not has_network:
        pytest.skip(f"{DEFAULT} cannot be had here")
    store = ModelStore(Settings(data_dir=tmp_path, model_dir=model_folder, offline=True, optimize="off"))
    mottled = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (512, 2048, 3)).astype(np.float32), (0, 0), 12)
    photo = np.clip(130 + 22 * mottled / mottled.std(), 0, 255).astype(np.float32)
    truth = np.zeros((512, 2048), np.uint8)
    with Image.open(MASK) as stored:
        matte = np.asarray(stored.convert("L").resize((512, 512)))
    share = matte[..., None] / np.float32(255)
    photo[:, 900:1412] += share * (data.astronaut() - photo[:, 900:1412])
    truth[:, 900:1412] = matte
    found = store.predict(DEFAULT, photo.astype(np.uint8), lambda _stage: None, "balanced")
    assert iou(found.alpha, truth) > 0.98
