"""Cutouts that are likely wrong before a plain background are noted, and right ones are not."""

import cv2
import numpy as np
import pytest
from skimage import data

from photo_processor.imaging.pictures import Picture
from photo_processor.models.inference.doubts import background_left, part_alone
from photo_processor.models.inference.types import Pixels
from photo_processor.operations import Context
from photo_processor.operations.remove_background import RemoveBackground
from tests.unit.test_remove_background import KnownMatte

SIDE = 480
INK, PAPER = (20, 20, 20), (240, 240, 240)


def printed(tilt: float, ground: tuple[int, int, int]) -> tuple[Pixels, Pixels, Pixels]:
    """A case with a person printed on it, the case's matte, and that of the person alone."""
    photo = np.full((SIDE, SIDE, 3), ground, np.uint8)
    case, person = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    corners = cv2.boxPoints(((240, 240), (220, 300), tilt)).astype(np.int32)
    cv2.fillPoly(case, [corners], (255,))
    cv2.ellipse(person, (240, 260), (60, 100), tilt, 0, 360, (255,), -1)
    photo[case > 0] = (150, 60, 50)
    face = np.asarray(cv2.resize(data.astronaut(), (SIDE, SIDE)), np.uint8)
    photo[person > 0] = face[person > 0]
    return photo, case, person


@pytest.mark.parametrize("tilt", [0, 8, 30])
@pytest.mark.parametrize("ground", [(255, 255, 255), (130, 130, 135), (25, 25, 30)])
def test_what_is_printed_on_a_thing_is_not_the_thing(tilt: float, ground: tuple[int, int, int]) -> None:
    photo, case, person = printed(tilt, ground)
    assert part_alone(photo, person)
    assert not part_alone(photo, case)
    assert not part_alone(photo, np.asarray(cv2.erode(case, np.ones((3, 3), np.uint8)), np.uint8))


def letters(ink: tuple[int, int, int], ground: tuple[int, int, int]) -> tuple[Pixels, Pixels]:
    photo, matte = np.full((160, SIDE, 3), ground, np.uint8), np.zeros((160, SIDE), np.uint8)
    cv2.putText(matte, "BOARD", (25, 120), cv2.FONT_HERSHEY_SIMPLEX, 4.0, (255,), 16, cv2.LINE_AA)
    share = matte[..., None] / 255
    return np.rint(photo + share * (np.array(ink) - photo)).astype(np.uint8), matte


@pytest.mark.parametrize(("ink", "ground"), [(PAPER, INK), (INK, PAPER), ((200, 30, 40), PAPER)])
def test_counters_that_were_kept_are_seen(ink: tuple[int, int, int], ground: tuple[int, int, int]) -> None:
    photo, matte = letters(ink, ground)
    outlines, _ = cv2.findContours((matte > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(matte)
    cv2.drawContours(filled, outlines, -1, (255,), -1)
    assert background_left(photo, filled)
    assert not background_left(photo, matte)


def test_a_badge_without_its_middle_is_a_part() -> None:
    photo, badge = np.full((SIDE, SIDE, 3), 255, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(badge, (240, 240), 170, (255,), -1)
    photo[badge > 0] = (200, 30, 40)
    ring = badge.copy()
    cv2.circle(ring, (240, 240), 130, (0,), -1)
    photo[(badge > 0) & (ring == 0)] = 255
    assert part_alone(photo, ring)
    assert not part_alone(photo, badge)


def test_ordinary_photos_raise_no_doubt() -> None:
    middle = np.zeros((400, 600), np.uint8)
    middle[80:350, 150:450] = 255
    for photo in (data.coffee(), np.asarray(cv2.resize(data.astronaut(), (600, 400)), np.uint8)):
        assert not part_alone(photo, middle)
        assert not background_left(photo, middle)
    white = np.full((400, 600, 3), 252, np.uint8)  # a white thing before white
    cv2.ellipse(white, (300, 200), (100, 150), 0, 0, 360, (246, 247, 246), -1)
    matte = np.zeros((400, 600), np.uint8)
    cv2.ellipse(matte, (300, 200), (104, 154), 0, 0, 360, (255,), -1)
    assert not background_left(white, matte)


def test_the_file_says_so_once() -> None:
    photo, _, person = printed(8, (255, 255, 255))
    context = Context(models=KnownMatte(person))
    RemoveBackground().apply(Picture(photo), context)
    assert [warning.code for warning in context.findings.warnings] == ["part_of_subject"]
    context = Context(models=KnownMatte(person), drawn=person)
    RemoveBackground().apply(Picture(photo), context)
    assert context.findings.warnings == []
