"""Each operation has an example, its documents and its golden picture, and still gives that picture."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_processor.recipes import OPERATIONS
from tests.operation_examples import EXAMPLES, PICTURES, ROOT, Example, applied, shown

MOST_APART = 10.0  # levels that 1 % of the px may pass, on average over 3 x 3: what the pictures' compression takes
FAILED = ROOT / "build" / "failed"


def on_magenta(image: Image.Image) -> np.ndarray:
    behind = Image.new("RGBA", image.size, "#ff00ff")
    laid = np.asarray(Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB"), np.float32)
    return np.asarray(cv2.blur(laid, (3, 3)))


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.percentile(np.abs(on_magenta(one) - on_magenta(other)), 99))


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def test_every_operation_has_one_example() -> None:
    assert sorted(example.op for example in EXAMPLES) == sorted(
        str(operation.model_fields["op"].default) for operation in OPERATIONS
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.op)
def test_operation_gives_its_golden_picture(example: Example) -> None:
    made, golden = shown(applied(example)), opened(example.path)
    assert made.size == golden.size
    apart = distance(made, golden)
    if apart > MOST_APART:
        FAILED.mkdir(parents=True, exist_ok=True)
        made.save(FAILED / f"{example.op}.png")
    assert apart <= MOST_APART, f"see {FAILED / example.op}.png; `make operations` draws the golden pictures anew"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.op)
def test_golden_picture_shows_the_operation(example: Example) -> None:
    """A golden picture that equals its photo would let an operation pass that does nothing."""
    before = opened(PICTURES / f"before-{example.photo}.webp")
    after = opened(example.path)
    assert before.size != after.size or distance(before, after) > MOST_APART


def test_documents_are_drawn_from_the_operations() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "operations.py"))["page"]()
    assert (ROOT / "docs" / "operations.md").read_text(encoding="utf-8") == page, "run `make operations`"


def test_no_picture_is_left_over() -> None:
    used = {example.path.name for example in EXAMPLES} | {f"before-{example.photo}.webp" for example in EXAMPLES}
    assert {path.name for path in Path(PICTURES).iterdir()} == used
