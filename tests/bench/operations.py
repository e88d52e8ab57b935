"""Megapixels a second of each operation, with the parameters of its example, at 12 MP."""

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np

from photo_processor.imaging.pictures import Picture
from photo_processor.operations import Context
from photo_processor.operations.base import OperationParams
from photo_processor.recipes import parse_recipe
from tests.bench import photos
from tests.bench.rows import Row, seconds
from tests.operation_examples import EXAMPLES, MASK, Example, photo
from tests.unit.test_remove_background import KnownMatte

ROUNDS = 3
MEGA = 1_000_000


def run() -> Iterator[Row]:
    """Every operation; `remove_background` with a matte that is there already."""
    matte = cv2.resize(cv2.imread(str(MASK), cv2.IMREAD_GRAYSCALE), photos.LARGE, interpolation=cv2.INTER_CUBIC)
    known = KnownMatte(np.asarray(matte, np.uint8))
    for example in EXAMPLES:
        picture, operation = _prepared(example, known)
        taken = [seconds(partial(_once, operation, picture, known)) for _ in range(ROUNDS)]
        rate = picture.width * picture.height / MEGA / sorted(taken)[ROUNDS // 2]
        yield Row(f"operation {example.op}", rate, "MP/s", rounds=ROUNDS)


def _prepared(example: Example, known: KnownMatte) -> tuple[Picture, OperationParams]:
    """The photo at 12 MP after what comes before the operation, and the operation."""
    large = cv2.resize(photo(example.photo), photos.LARGE, interpolation=cv2.INTER_CUBIC)
    picture = Picture(np.asarray(large, np.uint8))
    *before, last = parse_recipe({"operations": example.steps}).operations
    for step in before:
        assert isinstance(step, OperationParams)
        picture = step.apply(picture, Context(models=known))
    assert isinstance(last, OperationParams)
    return picture, last


def _once(operation: OperationParams, picture: Picture, known: KnownMatte) -> None:
    operation.apply(picture, Context(models=known))
