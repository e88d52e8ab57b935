"""The operation `straighten`, on a face that leans by a known angle."""

from functools import cache

import cv2
import numpy as np
import pytest
from skimage import data

import photo_processor.operations.straighten
from photo_processor import errors
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.straighten import Straighten
from tests.unit.test_remove_background import KnownMatte


def leaning(degrees: float) -> Pixels:
    """The astronaut, turned clockwise."""
    matrix = cv2.getRotationMatrix2D((256, 256), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(data.astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def eye_line(pixels: Pixels) -> float | None:
    return photo_processor.operations.straighten.eye_line(Picture(pixels), Context(models=KnownMatte(pixels[..., 0])))


@cache
def her_own() -> float:
    angle = eye_line(data.astronaut())
    assert angle is not None
    return angle


def applied(pixels: Pixels, **parameters: object) -> tuple[Picture, list[str]]:
    context = Context(models=KnownMatte(pixels[..., 0]))
    result = Straighten.model_validate(parameters).apply(Picture(pixels), context)
    return result, [warning.code for warning in context.findings.warnings]


def test_her_eyes_lean_as_they_are_marked() -> None:
    left, right = (203.2, 101.4), (246.2, 103.8)  # her pupils, by hand
    assert her_own() == pytest.approx(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])), abs=1)


@pytest.mark.parametrize("degrees", [-30, -12, 6, 20])
def test_angle_is_found_to_a_degree(degrees: float) -> None:
    angle = eye_line(leaning(degrees))
    assert angle is not None
    assert angle - her_own() == pytest.approx(degrees, abs=1.5)


def test_straightened_eyes_are_level() -> None:
    result, warnings = applied(leaning(15))
    assert warnings == []
    assert result.alpha is not None
    angle = eye_line(result.pixels)
    assert angle is not None
    assert abs(angle) < 1.5


def test_photo_that_is_level_is_not_touched() -> None:
    pixels = leaning(-her_own())
    result, warnings = applied(pixels)
    assert warnings == []
    assert result.pixels is pixels


@pytest.mark.parametrize("pixels", [data.coffee(), np.full((300, 300, 3), 90, np.uint8)])
def test_photo_without_a_face_is_left_or_failed(pixels: Pixels) -> None:
    result, warnings = applied(pixels)
    assert result.pixels is pixels
    assert warnings == ["no_eyes"]
    with pytest.raises(errors.NoFaceFound):
        applied(pixels, no_face="fail")


def test_photo_that_leans_too_far_is_left() -> None:
    result, warnings = applied(leaning(20), most=10)
    assert (result.width, result.height) == (512, 512)
    assert warnings == ["no_eyes"]
