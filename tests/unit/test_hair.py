"""Hair in the frame of an ID photo: the head is smaller and lower where that saves it, and what is cut is said."""

import cv2
import numpy as np
import pytest

from photo_processor.imaging.faces import FoundFace, hair_top, head_of
from photo_processor.imaging.framing import framed
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.id_photo import IdPhoto, cut_by
from photo_processor.operations.id_presets import ID_PRESETS
from tests.unit.test_remove_background import KnownMatte

WIDTH, HEIGHT = 600, 900
FACE = FoundFace(
    220, 330, 160, 220, "yunet", 0.95, ((255, 420), (345, 420), (300, 470), (265, 515), (335, 515)),
    ((255, 420), (345, 420)),
)  # fmt: skip


def matte(hair: int) -> Pixels:
    """A person whose hair reaches `hair` px above the pupils."""
    result = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(result, (300, 440), (110, 160), 0, 0, 360, (255,), -1)
    cv2.rectangle(result, (235, 420 - hair), (365, 420), (255,), -1)
    cv2.rectangle(result, (120, 600), (480, HEIGHT), (255,), -1)
    return result


def made(operation: IdPhoto | CropFace, hair: int) -> tuple[Picture, set[str]]:
    picture = Picture(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), matte=matte(hair))
    context = Context(models=KnownMatte(matte(hair)), faces=lambda _pixels: (FACE,))
    result = operation.apply(picture, context)
    return result, {item.code for item in context.findings.review}


@pytest.mark.parametrize("hair", [150, 220, 300])
def test_hair_is_measured(hair: int) -> None:
    head = head_of(FACE, matte(hair))
    assert abs(hair_top(head, matte(hair)) - max(hair, 140)) < 12


@pytest.mark.parametrize("preset", ["icao_35x45", "germany_35x45", "schengen_35x45"])
def test_a_head_gets_smaller_within_the_measures_where_that_saves_its_hair(preset: str) -> None:
    measures = ID_PRESETS[preset]  # type: ignore[index]
    head = head_of(FACE, matte(150))
    usual = cut_by(head, measures)
    px = head.height / measures.head[1]
    hair = (measures.height - measures.eyes[1] + 0.3) * px  # a little more than the frame shows
    saved = cut_by(head, measures, hair)
    assert saved.height > usual.height
    per_mm = saved.height / measures.height
    assert measures.head[0] <= head.height / per_mm <= measures.head[2]
    top = saved.y - saved.height / 2
    assert head.eyes[1] - hair >= top
    above = (saved.y + saved.height / 2 - head.eyes[1]) / per_mm
    assert measures.eyes[0] <= above <= measures.eyes[2]


def test_a_head_whose_hair_fits_is_as_before() -> None:
    measures = ID_PRESETS["icao_35x45"]
    head = head_of(FACE, matte(150))
    assert cut_by(head, measures, 100.0) == cut_by(head, measures)


@pytest.mark.parametrize("preset", ["icao_35x45", "germany_35x45", "us_2x2in"])
def test_hair_that_no_frame_holds_is_flagged(preset: str) -> None:
    _, codes = made(IdPhoto(preset=preset, background="white"), 400)  # type: ignore[arg-type]
    assert "hair_cut_off" in codes
    _, codes = made(IdPhoto(preset=preset, background="white"), 150)  # type: ignore[arg-type]
    assert "hair_cut_off" not in codes


def test_a_tight_crop_that_cuts_hair_is_flagged() -> None:
    assert "hair_cut_off" in made(CropFace(margin=0), 380)[1]
    assert "hair_cut_off" not in made(CropFace(margin=1), 150)[1]


def test_the_saved_hair_is_in_the_frame() -> None:
    measures = ID_PRESETS["icao_35x45"]
    person = matte(235)
    head = head_of(FACE, person)
    picture = Picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8), matte=person)
    before = framed(picture, cut_by(head, measures), 413, 531)
    after = framed(picture, cut_by(head, measures, hair_top(head, person)), 413, 531)
    assert before.matte is not None
    assert after.matte is not None
    assert (after.matte[0] > 127).sum() <= (before.matte[0] > 127).sum()
