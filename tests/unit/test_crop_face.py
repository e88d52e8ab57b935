"""The operation `crop_face`, on real faces and photos without any."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cv2.data import haarcascades
from skimage import data

import errors
from image_io import decode
from imaging.pictures import Picture, Pixels, Placement
from operations import Context
from operations.crop_face import CropFace, find_faces
from tests.unit.test_remove_background import KnownMatte

EYES = ((203, 117), (244, 111))  # of the astronaut, (x, y) in px
GOLDEN = (177, 66, 96)  # x, y and side of her face, as found when this was written


def cropped(operation: CropFace, pixels: Pixels, photo: Pixels | None = None) -> tuple[Picture, Context]:
    context = Context(models=KnownMatte(pixels[..., 0]))
    return operation.apply(Picture(pixels, photo=photo), context), context


def contains(picture: Picture, point: tuple[int, int]) -> bool:
    x, y = point[0] - picture.placement.x, point[1] - picture.placement.y
    return 0 <= x < picture.width and 0 <= y < picture.height


def test_the_cascades_come_with_opencv() -> None:
    assert (Path(haarcascades) / "haarcascade_frontalface_alt2.xml").is_file()
    assert (Path(haarcascades) / "haarcascade_eye_tree_eyeglasses.xml").is_file()


@pytest.mark.parametrize("margin", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("aspect", [None, "1:1", "35:45", "16:9"])
def test_astronaut_crop_holds_both_eyes(margin: float, aspect: str | None) -> None:
    picture, context = cropped(CropFace(margin=margin, aspect=aspect), data.astronaut())
    assert all(contains(picture, eye) for eye in EYES)
    assert context.findings.faces is not None
    face = context.findings.faces[0]
    assert np.abs(np.array([face.x, face.y, face.width]) - GOLDEN).max() <= 6
    assert (face.detector, face.score) == ("haar", None)
    x, y = round(picture.placement.x), round(picture.placement.y)
    part = data.astronaut()[y : y + picture.height, x : x + picture.width]
    assert np.array_equal(picture.pixels, part)


@pytest.mark.parametrize(("aspect", "ratio"), [("1:1", 1.0), ("35:45", 35 / 45), ("16:9", 16 / 9)])
def test_aspect_is_kept(aspect: str, ratio: float) -> None:
    picture, _ = cropped(CropFace(aspect=aspect), data.astronaut())
    assert abs(picture.width / picture.height - ratio) < 0.02


def test_margin_is_in_face_widths() -> None:
    tight, context = cropped(CropFace(margin=0.0), data.astronaut())
    wide, _ = cropped(CropFace(margin=0.5), data.astronaut())
    assert context.findings.faces is not None
    assert tight.width == context.findings.faces[0].width
    assert wide.width == 2 * tight.width


def test_face_at_the_edge_stays_inside_the_frame() -> None:
    pixels = np.ascontiguousarray(data.astronaut()[60:, 165:])
    picture, context = cropped(CropFace(margin=1.0, aspect="1:1"), pixels)
    assert context.findings.faces
    assert picture.placement.x >= 0
    assert picture.placement.y >= 0
    assert picture.width == picture.height


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "brick"])
def test_without_a_face_is_kept_with_a_warning(name: str) -> None:
    pixels = getattr(data, name)()
    pixels = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
    picture, context = cropped(CropFace(), pixels)
    assert np.array_equal(picture.pixels, pixels)
    assert context.findings.faces == ()
    assert [warning.code for warning in context.findings.warnings] == ["no_face"]


def test_without_a_face_fails_where_asked_to() -> None:
    with pytest.raises(errors.NoFaceFound):
        cropped(CropFace(no_face="fail"), data.coffee())


def test_faces_are_looked_for_in_the_photo_itself() -> None:
    astronaut = data.astronaut()
    picture, context = cropped(CropFace(), np.zeros_like(astronaut), photo=astronaut)
    assert context.findings.faces
    assert not picture.pixels.any()


def test_faces_are_told_in_px_of_the_source() -> None:
    context = Context(models=KnownMatte(data.astronaut()[..., 0]))
    placed = replace(Picture(data.astronaut()), placement=Placement(100, 200, 2, 2))
    CropFace().apply(placed, context)
    assert context.findings.faces is not None
    face = context.findings.faces[0]
    assert np.abs(np.array([face.x - 100, face.y - 200, face.width]) / 2 - GOLDEN).max() <= 6


def test_which_chooses_among_two() -> None:
    small = cv2.resize(data.astronaut(), (300, 300), interpolation=cv2.INTER_AREA)
    scene = np.full((512, 1100, 3), 127, np.uint8)
    scene[:, :512] = data.astronaut()
    scene[100:400, 512:812] = small
    largest, context = cropped(CropFace(margin=0.0), scene)
    middle, _ = cropped(CropFace(margin=0.0, which="center"), scene)
    assert context.findings.faces is not None
    assert len(context.findings.faces) == 2
    assert largest.placement.x < 300
    assert middle.placement.x > 512


@pytest.mark.parametrize("shape", [(1, 1, 3), (10, 3000, 3), (30, 30, 3)])
def test_find_faces_odd_shapes_have_none(shape: tuple[int, int, int]) -> None:
    assert find_faces(np.zeros(shape, np.uint8)) == []


def test_find_faces_portraits_all_have_one(testdata: Path) -> None:
    for path in sorted((testdata / "portraits" / "images").iterdir()):
        assert find_faces(decode(path, 100, lambda *_: None).pixels), path.name


def test_find_faces_recall_and_false_alarms(testdata: Path) -> None:
    listing = json.loads((testdata / "faces_boxes" / "faces.json").read_text())
    found = wanted = false = 0
    for name, entry in list(listing.items())[::5]:
        boxes = find_faces(decode(testdata / "faces_boxes" / "images" / name, 100, lambda *_: None).pixels)
        centres = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
        known = [face["bbox_xywh"] for face in entry["faces"]]
        false += sum(not any(x <= a <= x + w and y <= b <= y + h for x, y, w, h in known) for a, b in centres)
        for face in entry["faces"]:
            x, y, w, h = face["bbox_xywh"]
            if face["label"] == "without_mask" and min(w, h) >= 24:
                wanted += 1
                found += any(x <= a <= x + w and y <= b <= y + h for a, b in centres)
    assert found >= 0.4 * wanted
    assert false <= 0.05 * len(list(listing)[::5])
