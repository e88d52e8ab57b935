"""What is flagged on ID photos: a batch of good and spoiled portraits, each for the right reason, by both detectors."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace, head_of
from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.models.detection.closeup import turned_back
from photo_processor.models.detection.detector import found_by
from photo_processor.models.detection.haar import haar_faces
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.detection.yunet import YuNet
from photo_processor.operations import Context
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.id_photo import IdPhoto, cut_by
from photo_processor.operations.id_presets import ID_PRESETS
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.recipes import parse_recipe
from photo_processor.recipes.parse import models_needed
from photo_processor.schemas import Frame
from tests.operation_examples import MASK, ROOT
from tests.unit.test_remove_background import KnownMatte

Find = Callable[[Pixels], tuple[FoundFace, ...]]


@pytest.fixture(scope="module")
def yunet(testdata: Path) -> YuNet:
    return YuNet(testdata / "models" / "face_detection_yunet_2026may.onnx")


@pytest.fixture(params=["haar", "haar, measured", "yunet", "yunet, measured"])
def find(request: pytest.FixtureRequest) -> Find:
    finder = None if "haar" in request.param else request.getfixturevalue("yunet")
    measurer = request.getfixturevalue("face_mesh") if "measured" in request.param else None
    return partial(found_by, finder, measurer)


@dataclass(frozen=True)
class Portrait:
    """A photo and its matte."""

    pixels: Pixels
    matte: Pixels


def astronaut() -> Portrait:
    with Image.open(MASK) as stored:
        return Portrait(data.astronaut(), np.asarray(stored.convert("L"), np.uint8))


def lit(factor: float, more: float = 0) -> Portrait:
    clean = astronaut()
    return Portrait(np.clip(clean.pixels * factor + more, 0, 255).astype(np.uint8), clean.matte)


def half_in_shade() -> Portrait:
    clean = astronaut()
    share = np.clip((np.arange(512) - 205) / 40, 0.25, 1)[None, :, None]
    return Portrait(np.rint(clean.pixels * share).astype(np.uint8), clean.matte)


def blurred(sigma: float) -> Portrait:
    clean = astronaut()
    return Portrait(np.asarray(cv2.GaussianBlur(clean.pixels, (0, 0), sigma), np.uint8), clean.matte)


def turned(degrees: float) -> Portrait:
    clean = astronaut()
    matte = turned_back(np.dstack([clean.matte] * 3), degrees)[0][..., 0]
    return Portrait(turned_back(clean.pixels, degrees)[0], np.ascontiguousarray(matte))


def cut(top: int, left: int, bottom: int = 512) -> Portrait:
    clean = astronaut()
    return Portrait(*(np.ascontiguousarray(plane[top:bottom, left:]) for plane in (clean.pixels, clean.matte)))


def twice() -> Portrait:
    clean = astronaut()
    return Portrait(np.hstack([clean.pixels, clean.pixels[:, ::-1]]), np.hstack([clean.matte, clean.matte[:, ::-1]]))


def nobody() -> Portrait:
    return Portrait(data.coffee(), np.zeros((400, 600), np.uint8))


BATCH: dict[str, tuple[Callable[[], Portrait], set[str]]] = {
    "clean": (astronaut, set()),
    "a little darker": (partial(lit, 0.6), set()),
    "on its side, as a phone was held": (partial(turned, 90), set()),
    "no face": (nobody, {"no_face"}),
    "two faces": (twice, {"several_faces"}),
    "tilted to the left": (partial(turned, 25), {"head_tilted"}),
    "tilted to the right": (partial(turned, -25), {"head_tilted"}),
    "dark": (partial(lit, 0.3), {"too_dark"}),
    "bright": (partial(lit, 1.35), {"too_bright"}),
    "one half in shade": (half_in_shade, {"uneven_light"}),
    "blurred": (partial(blurred, 2.5), {"blurred"}),
    "cut off at the forehead": (partial(cut, 55, 0), {"face_cut_off"}),
    "cut off below the chin": (partial(cut, 0, 0, 190), {"body_cut_off"}),
}


def made(
    portrait: Portrait, find: Find, operation: IdPhoto | CropFace | None = None, frame: Frame | None = None
) -> tuple[Picture, Context]:
    context = Context(models=KnownMatte(portrait.matte), faces=find, frame=frame)
    operation = operation or IdPhoto(preset="school_card")
    return operation.apply(Picture(portrait.pixels), context), context


def codes(context: Context) -> set[str]:
    return {item.code for item in context.findings.review}


@pytest.mark.parametrize("name", BATCH)
def test_photo_is_flagged_for_the_right_reason(name: str, find: Find) -> None:
    spoil, expected = BATCH[name]
    _, context = made(spoil(), find)
    assert codes(context) == expected, context.findings.review


def test_what_is_flagged_says_what_was_measured() -> None:
    _, context = made(lit(0.3), haar_faces)
    (item,) = context.findings.review
    assert re.fullmatch(r"The face is dark: .* lightness of 2\d of 100\. Brighten it, or add light\.", item.message)
    assert item.value is not None
    assert item.value < 35 == item.low
    assert (item.high, item.unit) == (None, "L*")


def test_real_portraits_are_not_flagged_but_for_their_edges(testdata: Path, yunet: YuNet) -> None:
    """Eighteen good portraits, cut off at the shoulders as they are; two of them look aside."""
    flagged = []
    for path in sorted((testdata / "portraits" / "images").iterdir()):
        with Image.open(path) as photo, Image.open(testdata / "portraits" / "mask_ALL" / path.name) as mask:
            portrait = Portrait(np.asarray(photo.convert("RGB")), np.asarray(mask.convert("L").resize(photo.size)))
        _, context = made(portrait, yunet.faces, IdPhoto())
        flagged += sorted(codes(context) - {"body_cut_off", "face_cut_off", "cutout_unsure"})
    assert flagged.count("head_turned") == 2
    assert len(flagged) <= 3, flagged


@pytest.mark.parametrize("detector", ["haar", "yunet"])
def test_heads_of_real_portraits_are_alike(detector: str, testdata: Path, yunet: YuNet, face_mesh: FaceMesh) -> None:
    """Eighteen people, each head and eye line within 1 % of the height of what the preset asks for, measured anew.

    But for those of whose mask the server itself is unsure, and says so.
    """
    measures = ID_PRESETS["icao_35x45"]
    finder = yunet if detector == "yunet" else None
    far = []
    for path in sorted((testdata / "portraits" / "images").iterdir()):
        with Image.open(path) as photo, Image.open(testdata / "portraits" / "mask_ALL" / path.name) as mask:
            portrait = Portrait(np.asarray(photo.convert("RGB")), np.asarray(mask.convert("L").resize(photo.size)))
        result, context = made(portrait, partial(found_by, finder, face_mesh), IdPhoto(background="transparent"))
        (face, *_) = found_by(yunet, face_mesh, result.pixels)
        head = head_of(face, result.matte)
        line, tall = 1 - head.eyes[1] / result.height, head.height / result.height
        off = line - measures.eyes[1] / measures.height, tall - measures.head[1] / measures.height
        if max(map(abs, off)) > 0.01 and "cutout_unsure" not in codes(context):
            far.append((path.name, *np.round(off, 4)))
    assert far == []


def test_eyes_that_are_covered_are_flagged(find: Find) -> None:
    clean = astronaut()
    pixels = clean.pixels.copy()
    for x, y in ((202, 102), (246, 104)):  # skin from below the eyes over both
        pixels[y - 9 : y + 9, x - 17 : x + 17] = pixels[y + 9 : y + 27, x - 17 : x + 17]
    context = Context(models=KnownMatte(clean.matte), faces=lambda _pixels: find(clean.pixels))
    IdPhoto(preset="school_card").apply(Picture(pixels), context)
    assert "eyes_closed" in codes(context)


@pytest.mark.parametrize(("nose", "expected"), [(125.0, set()), (134.0, {"head_nods"}), (117.0, {"head_nods"})])
def test_head_that_looks_down_or_up_is_flagged(nose: float, expected: set[str]) -> None:
    points = ((202.9, 102.3), (245.7, 104.0), (223.0, nose), (202.9, 142.3), (242.8, 143.5))
    face = FoundFace(178, 63, 90, 113, "yunet", 0.93, points, (points[0], points[1]), 2.3)
    assert codes(made(astronaut(), lambda _pixels: (face,))[1]) == expected


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({"yaw": 13.0, "pitch": -13.0, "mouth_open": 0.29}, set()),
        ({"yaw": -15.0}, {"head_turned"}),
        ({"pitch": 17.0}, {"head_nods"}),
        ({"pitch": -15.0}, {"head_nods"}),
        ({"mouth_open": 0.4}, {"mouth_open"}),
    ],
)
def test_face_that_was_measured_is_flagged_by_its_measures(measured: dict[str, float], expected: set[str]) -> None:
    """The nose's tip lies where it says the opposite, and is not asked."""
    points = ((202.9, 102.3), (245.7, 104.0), (223.0, 134.0), (202.9, 142.3), (242.8, 143.5))
    face = FoundFace(178, 63, 90, 113, "yunet", 0.93, points, (points[0], points[1]), 2.3, chin=(221.0, 176.7))
    face = replace(face, **{"yaw": 0.0, "pitch": 0.0, "mouth_open": 0.0, **measured})
    assert codes(made(astronaut(), lambda _pixels: (face,))[1]) == expected


def test_several_faces_are_wanted_where_all_are(find: Find) -> None:
    context = Context(models=KnownMatte(twice().matte), faces=find)
    assert len(CropFace(which="all").apply_all(Picture(twice().pixels), context)) == 2
    assert codes(context) == set()


def test_crop_face_measures_more_where_asked(find: Find) -> None:
    assert codes(made(blurred(2.5), find, CropFace())[1]) == set()
    assert codes(made(blurred(2.5), find, CropFace(checks=True, straighten=True))[1]) == {"blurred"}
    assert codes(made(turned(-6), find, CropFace(checks=True))[1]) == {"eyes_not_level"}
    assert codes(made(turned(-6), find, CropFace(checks=True, straighten=True))[1]) == set()


def test_crop_by_hand_is_measured_anew(find: Find) -> None:
    frame = Frame(centre=(225, 160), width=150, height=200, angle=15, manual=True)
    result, context = made(astronaut(), find, frame=frame)
    assert {"head_size", "eyes_not_level"} <= codes(context)
    assert context.findings.frame is not None
    assert context.findings.frame.manual
    assert (result.width, result.height) == ID_PRESETS["school_card"].size(None)


def test_photo_of_few_px_is_of_low_resolution(find: Find) -> None:
    _, context = made(astronaut(), find, IdPhoto(preset="icao_35x45"))
    assert codes(context) == {"low_resolution"}
    large = astronaut()
    large = Portrait(cv2.resize(large.pixels, (1024, 1024)), cv2.resize(large.matte, (1024, 1024)))
    assert codes(made(large, find, IdPhoto(preset="icao_35x45"))[1]) == set()


def test_background_of_many_colours_is_flagged_where_it_stays(find: Find) -> None:
    assert codes(made(astronaut(), find, IdPhoto(preset="school_card", background="original"))[1]) == {
        "background_uneven"
    }


def test_bits_of_the_old_background_are_flagged(find: Find) -> None:
    clean = astronaut()
    matte = clean.matte.copy()
    matte[20:50, 120:150] = 255
    assert codes(made(Portrait(clean.pixels, matte), find)[1]) == {"background_uneven"}


@pytest.mark.parametrize("preset", ID_PRESETS)
def test_measures_are_consistent(preset: str) -> None:
    measures = ID_PRESETS[preset]  # type: ignore[index]
    low, aimed, high = measures.head
    assert low < aimed < high < measures.height
    low, eyes, high = measures.eyes
    assert low < eyes < high < measures.height
    assert measures.height - eyes > 0.55 * aimed  # the crown is within
    assert eyes > 0.5 * aimed  # and the chin
    assert measures.source


@pytest.mark.parametrize("preset", ["icao_35x45", "us_2x2in", "uk_35x45", "china_1in", "school_card"])
def test_every_head_has_the_same_size_and_eye_line(find: Find, preset: str) -> None:
    """The astronaut large, small, tilted and elsewhere: the eyes to 1 % of the height, and so the mouth below them."""
    measures = ID_PRESETS[preset]  # type: ignore[index]
    width, height = measures.size(None)
    clean = astronaut()
    wide = Portrait(
        cv2.copyMakeBorder(clean.pixels, 200, 0, 300, 100, cv2.BORDER_REPLICATE),
        cv2.copyMakeBorder(clean.matte, 200, 0, 300, 100, cv2.BORDER_CONSTANT),
    )
    large = Portrait(cv2.resize(clean.pixels, (1536, 1536)), cv2.resize(clean.matte, (1536, 1536)))
    lines = []
    for portrait, points in ((clean, (1, 0, 0)), (large, (3, 0, 0)), (wide, (1, 300, 200))):
        result, _ = made(portrait, find, IdPhoto.model_validate({"preset": preset}))
        assert (result.width, result.height) == (width, height)
        scale, x, y = points
        back = result.placement.inverse()
        eyes = [back.at(scale * at[0] + x, scale * at[1] + y) for at in ((202.5, 102), (246, 103.8))]
        mouth = back.at(scale * 222 + x, scale * 143 + y)
        line = (eyes[0][1] + eyes[1][1]) / 2
        lines.append((line / height, (mouth[1] - line) / height))
        assert abs(line / height - (1 - measures.eyes[1] / measures.height)) < 0.015
    spread = np.ptp(np.array(lines), axis=0)
    assert spread[0] < 0.01
    assert spread[1] < 0.02


def test_head_is_as_high_as_the_measures_say() -> None:
    face = FoundFace(70, 70, 60, 85, "yunet", 0.9, ((80, 100), (120, 100), (100, 125), (85, 142), (115, 142)))
    head = head_of(face)
    measures = ID_PRESETS["icao_35x45"]
    frame = cut_by(head, measures)
    assert head.height / frame.height == pytest.approx(34 / 45)
    assert (frame.y + frame.height / 2 - 100) / frame.height == pytest.approx(25 / 45)


@pytest.mark.parametrize(
    ("background", "colour"),
    [
        (None, (255, 255, 255)),
        ("blue", (67, 142, 219)),
        ("red", (227, 33, 28)),
        ("grey", (217, 217, 217)),
        ("#123456", (0x12, 0x34, 0x56)),
    ],
)
def test_background_is_the_one_asked_for(background: str | None, colour: tuple[int, int, int]) -> None:
    result, _ = made(astronaut(), haar_faces, IdPhoto(background=background))
    assert result.alpha is None
    assert tuple(result.pixels[5, 5]) == colour
    assert result.dpi == (300, 300)
    assert np.abs(result.pixels[300, 200].astype(int) - colour).max() > 20  # her face


def test_preset_has_its_own_background() -> None:
    result, _ = made(astronaut(), haar_faces, IdPhoto(preset="germany_35x45"))
    assert tuple(result.pixels[5, 5]) == (217, 217, 217)


def test_removal_before_is_taken_and_gives_the_same() -> None:
    clean = astronaut()
    context = Context(models=KnownMatte(clean.matte))
    cutout = RemoveBackground(background="#00ff00").apply(Picture(clean.pixels), context)
    after = IdPhoto().apply(cutout, context)
    _, other = made(clean, haar_faces, IdPhoto())
    assert context.models.asked == ["auto"]  # type: ignore[attr-defined]
    one, two = context.findings.frame, other.findings.frame
    assert one is not None
    assert two is not None
    assert one.height == pytest.approx(two.height, rel=0.015)  # its edge is refined before and after the crown is found
    assert np.abs(np.array(one.centre) - two.centre).max() < 0.01 * two.height
    assert tuple(after.pixels[5, 5]) == (255, 255, 255)


def test_cutout_that_was_uploaded_needs_no_model() -> None:
    clean = astronaut()
    context = Context(models=KnownMatte(clean.matte))
    result = IdPhoto(background="#0000ff").apply(Picture(clean.pixels, alpha=clean.matte), context)
    assert context.models.asked == []  # type: ignore[attr-defined]
    assert tuple(result.pixels[5, 5]) == (0, 0, 255)


def test_models_needed_are_those_that_run() -> None:
    def needed(*operations: dict[str, object]) -> frozenset[str]:
        return models_needed(parse_recipe({"operations": list(operations)}))

    assert needed({"op": "id_photo"}) == {"auto"}
    assert needed({"op": "id_photo", "model": "u2netp"}) == {"u2netp"}
    assert needed({"op": "id_photo", "background": "original"}) == frozenset()
    assert needed({"op": "remove_background", "model": "grabcut"}, {"op": "id_photo"}) == {"grabcut"}


@pytest.mark.parametrize("parameters", [{"preset": "mars"}, {"background": "nonsense"}, {"dpi": 5}, {"which": "all"}])
def test_what_is_no_id_photo_is_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidRecipe):
        parse_recipe({"operations": [{"op": "id_photo", **parameters}]})


def test_schema_lists_the_presets_with_titles() -> None:
    schema = IdPhoto.model_json_schema()["properties"]["preset"]
    assert set(schema["enum"]) == set(ID_PRESETS) == set(schema["x-labels"]) == set(schema["x-measures"])
    us = schema["x-measures"]["us_2x2in"]
    assert (us["width"], us["height"], us["head"], us["head_with_hair"]) == (50.8, 50.8, [25.4, 30.5, 34.9], True)
    assert us["source"].startswith("US Department of State")


def test_without_a_face_the_photo_is_kept_or_failed() -> None:
    result, context = made(nobody(), haar_faces, IdPhoto())
    assert np.array_equal(result.pixels, data.coffee())
    assert [warning.code for warning in context.findings.warnings] == ["no_face"]
    with pytest.raises(errors.NoFaceFound):
        made(nobody(), haar_faces, IdPhoto(no_face="fail"))


def test_frame_is_told_in_px_of_the_source() -> None:
    clean = astronaut()
    context = Context(models=KnownMatte(clean.matte))
    IdPhoto().apply(Picture(clean.pixels, placement=Placement(100, 50, 2, 2)), context)
    _, plain = made(clean, haar_faces, IdPhoto())
    one, other = context.findings.frame, plain.findings.frame
    assert one is not None
    assert other is not None
    assert one.centre == pytest.approx((100 + 2 * other.centre[0], 50 + 2 * other.centre[1]), abs=0.3)
    assert one.width == pytest.approx(2 * other.width, abs=0.3)


def preset_rows() -> list[str]:
    """The rows of the presets' table in docs/faces.md."""
    rows = []
    for name, measures in ID_PRESETS.items():
        (low, head, high), (least, eyes, most) = measures.head, measures.eyes
        width, height = measures.size(None)
        rows.append(
            f"| `{name}` | {measures.width:.3g} x {measures.height:.3g} mm, {width} x {height} px "
            f"| {low:.3g} **{head:.3g}** {high:.3g}{' with hair' if measures.hair else ''} "
            f"| {least:.3g} **{eyes:.3g}** {most:.3g} | {measures.background} | {measures.source} |"
        )
    return rows


def test_documents_have_the_presets_and_the_codes() -> None:
    text = (ROOT / "docs" / "faces.md").read_text(encoding="utf-8")
    assert [row for row in preset_rows() if row not in text] == []
    made_of = (ROOT / "photo_processor" / "operations" / "review.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'code="(\w+)"', made_of)) | set(re.findall(r'_add\(context, "(\w+)"', made_of))
    assert len(codes) >= 16
    assert {code for code in codes if f"`{code}`" not in text} == set()
