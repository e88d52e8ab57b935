"""Closed-form matting: nearer the truth than refinement, and told where it cannot be done."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from photo_processor import errors
from photo_processor.imaging.edges import refined
from photo_processor.imaging.matting import CannotMatte, matted
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.remove_background import RemoveBackground
from tests.unit.test_edges import BACKGROUNDS, coarse, composite
from tests.unit.test_remove_background import KnownMatte

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_matte_is_nearer_the_truth_than_the_refined_one(background: str) -> None:
    photo, _, truth = composite(background)
    before = coarse(truth)
    error_refined, error_matted = (
        np.abs(matte.astype(int) - truth).mean() for matte in (refined(photo, before), matted(photo, before))
    )
    assert error_matted < 0.7 * error_refined


@pytest.mark.parametrize("level", [0, 120, 255])
def test_matte_without_an_edge_cannot_be_matted(level: int) -> None:
    with pytest.raises(CannotMatte):
        matted(data.coffee(), np.full((400, 600), level, np.uint8))


def removed(matte: Pixels, photo: Pixels) -> tuple[Picture, list[str], list[str]]:
    stages: list[str] = []
    context = Context(models=KnownMatte(matte), stage=stages.append)
    result = RemoveBackground(alpha_matting=True).apply(Picture(photo), context)
    return result, stages, [warning.code for warning in context.findings.warnings]


@pytest.mark.slow
def test_operation_mattes_and_says_so() -> None:
    photo, _, truth = composite("green")
    result, stages, warnings = removed(coarse(truth), photo)
    assert result.alpha is not None
    assert np.array_equal(result.alpha, matted(photo, coarse(truth)))
    assert stages == ["removing background", "matting the edge"]
    assert warnings == []


def test_operation_that_cannot_matte_refines_and_warns() -> None:
    photo, unsure = data.coffee(), np.full((400, 600), 140, np.uint8)
    result, _, warnings = removed(unsure, photo)
    assert warnings == ["matting_skipped"]
    assert np.array_equal(result.alpha, refined(photo, unsure))


def test_matting_can_be_cancelled() -> None:
    photo, _, truth = composite("green")

    def check() -> None:
        raise errors.Cancelled

    with pytest.raises(errors.Cancelled):
        matted(photo, coarse(truth), check)


@pytest.mark.slow
def test_pymatting_is_neither_imported_nor_its_cache_touched() -> None:
    """Importing it has numba compile for over a minute on a machine that has not done so."""
    program = (
        "import sys; from photo_processor.imaging import matting; from photo_processor import recipes;"
        "assert not {'numba', 'pymatting', 'scipy'} & sys.modules.keys();"
        "matting._solver(); assert 'pymatting' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
