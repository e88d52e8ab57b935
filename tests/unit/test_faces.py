"""Finding faces: Haar's cascades always, YuNet where its weights are; and the heads they belong to."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cv2.data import haarcascades
from skimage import data

from photo_processor import errors
from photo_processor.imaging.decode import decode
from photo_processor.imaging.faces import FoundFace, head_of, heard, told
from photo_processor.imaging.pictures import Pixels, Placement
from photo_processor.models.detection.closeup import turned_back
from photo_processor.models.detection.detector import found_by
from photo_processor.models.detection.haar import find_faces, haar_faces
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.detection.yunet import YuNet
from photo_processor.models.store import ModelStore
from photo_processor.settings import Settings

EYES = ((202, 102), (246, 104))  # of the astronaut, (x, y) in px


@pytest.fixture(scope="session")
def yunet(testdata: Path) -> YuNet:
    return YuNet(testdata / "models" / "face_detection_yunet_2026may.onnx")


def turned(degrees: float) -> tuple[Pixels, list[tuple[float, float]]]:
    """The astronaut turned to the left, and where her eyes are then."""
    pixels, back = turned_back(data.astronaut(), degrees)
    origin, across, down = (np.array(back(*point)) for point in ((0, 0), (1, 0), (0, 1)))
    forth = np.linalg.inv(np.column_stack([across - origin, down - origin]))
    return pixels, [tuple(forth @ (np.array(eye) - origin)) for eye in EYES]


def test_the_cascades_come_with_opencv() -> None:
    for name in ("frontalface_alt2", "eye_tree_eyeglasses", "eye"):
        assert (Path(haarcascades) / f"haarcascade_{name}.xml").is_file()


@pytest.mark.parametrize("shape", [(1, 1, 3), (10, 3000, 3), (30, 30, 3)])
def test_odd_shapes_have_no_faces(shape: tuple[int, int, int]) -> None:
    assert haar_faces(np.zeros(shape, np.uint8)) == ()


@pytest.mark.parametrize("degrees", [0, 15, -15, 30, -30, 45, -45, 90])
def test_haar_finds_a_leaning_head_and_its_eyes(degrees: int) -> None:
    pixels, eyes = turned(degrees)
    (face,) = haar_faces(pixels)[:1]
    assert face.eyes is not None
    assert np.abs(np.array(face.eyes) - eyes).max() < 9
    assert abs((face.angle + degrees - 2 + 180) % 360 - 180) < 5


@pytest.mark.parametrize("degrees", [0, 15, -15, 30, -30, 45, -45, 90, -90, 180])
def test_yunet_finds_a_leaning_head_and_its_landmarks(yunet: YuNet, degrees: int) -> None:
    pixels, eyes = turned(degrees)
    (face,) = yunet.faces(pixels)
    assert face.landmarks is not None
    assert np.abs(np.array(face.landmarks[:2]) - eyes).max() < 5
    assert abs((face.angle + degrees - 2 + 180) % 360 - 180) < 3.5


@pytest.mark.parametrize("factor", [0.15, 0.5, 1, 4, 8])
def test_yunet_finds_a_face_at_every_scale(yunet: YuNet, factor: float) -> None:
    pixels = cv2.resize(data.astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (face,) = yunet.faces(np.asarray(pixels, np.uint8))
    assert abs(face.width / factor - 92) < 15
    assert face.detector == "yunet"


def test_yunet_finds_a_face_in_the_distance(yunet: YuNet) -> None:
    scene = np.asarray(cv2.resize(data.coffee(), (4000, 3000)), np.uint8)
    scene[1200:1600, 700:1100] = cv2.resize(data.astronaut(), (400, 400), interpolation=cv2.INTER_AREA)
    (face,) = yunet.faces(scene)
    assert np.abs(np.array(face.middle) - (874, 1293)).max() < 15


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_yunet_sees_no_face_where_none_is(yunet: YuNet, name: str) -> None:
    assert yunet.faces(getattr(data, name)()) == ()


@pytest.mark.parametrize("degrees", [0, 15, -15, 30, -30, 45, 90])
def test_mesh_measures_a_leaning_head(face_mesh: FaceMesh, degrees: int) -> None:
    pixels, eyes = turned(degrees)
    (face,) = found_by(None, face_mesh, pixels)[:1]
    assert face.landmarks is not None
    assert face.chin is not None
    assert np.abs(np.array(face.landmarks[:2]) - eyes).max() < 5
    assert abs((face.angle + degrees - 2 + 180) % 360 - 180) < 1.5
    assert math.dist(face.chin, np.mean(eyes, axis=0)) == pytest.approx(74.5, abs=1.5)  # px of the photo
    assert abs(face.yaw or 90) < 15
    assert abs(face.pitch or 90) < 12


@pytest.mark.parametrize("factor", [0.5, 1, 4])
def test_mesh_gives_the_same_head_at_every_scale_and_from_either_detector(
    face_mesh: FaceMesh, yunet: YuNet, factor: float
) -> None:
    known = head_of(found_by(yunet, face_mesh, data.astronaut())[0])
    pixels = np.asarray(cv2.resize(data.astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    for finder in (yunet, None):
        head = head_of(found_by(finder, face_mesh, np.asarray(pixels, np.uint8))[0])
        assert head.height / factor == pytest.approx(known.height, rel=0.01)
        assert math.dist(np.array(head.eyes) / factor, known.eyes) < 0.01 * known.height


def test_mesh_of_a_mirrored_face_looks_the_other_way(face_mesh: FaceMesh) -> None:
    (face,) = found_by(None, face_mesh, data.astronaut())[:1]
    (other,) = found_by(None, face_mesh, np.ascontiguousarray(data.astronaut()[:, ::-1]))[:1]
    there = face.mapped(Placement(512, 0, -1, 1).at)
    assert there.yaw == pytest.approx(other.yaw, abs=2)
    assert face.yaw == pytest.approx(-other.yaw, abs=2)  # type: ignore[operator]
    assert there.chin == pytest.approx(other.chin, abs=5)
    assert head_of(there).height == pytest.approx(head_of(other).height, rel=0.01)


def test_mesh_bears_any_box(face_mesh: FaceMesh) -> None:
    random = np.random.default_rng(1)
    for shape in ((1, 1, 3), (3, 300, 3), (60, 60, 3)):
        pixels = random.integers(0, 256, shape, np.uint8)
        for _ in range(20):
            x, y = random.uniform(-100, 400, 2)
            width, height = 10 ** random.uniform(-1, 3, 2)
            face = face_mesh.measured(pixels, FoundFace(x, y, width, height, "haar", angle=random.uniform(-180, 180)))
            assert face is None or np.isfinite(head_of(face).height)


def test_mesh_measures_no_cup(face_mesh: FaceMesh) -> None:
    assert face_mesh.measured(data.coffee(), FoundFace(200, 100, 150, 150, "haar")) is None


def test_face_that_mesh_does_not_know_is_looked_at_as_without_it(
    face_mesh: FaceMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photo_processor.models.detection.mesh.SURE", 1e6)
    assert found_by(None, face_mesh, data.astronaut()) == haar_faces(data.astronaut())


def test_portraits_all_have_one(testdata: Path, yunet: YuNet) -> None:
    for path in sorted((testdata / "portraits" / "images").iterdir()):
        pixels = decode(path, 100, lambda *_: None).pixels
        assert find_faces(pixels), path.name
        assert len(yunet.faces(pixels)) == 1, path.name


@pytest.mark.slow
def test_recall_of_bare_faces(testdata: Path, yunet: YuNet) -> None:
    """A fifth of the photos; `python -m tests.bench.faces` measures them all."""
    listing = json.loads((testdata / "faces_boxes" / "faces.json").read_text())
    for find, recall in ((haar_faces, 0.4), (yunet.faces, 0.93)):
        found = wanted = 0
        for name, entry in list(listing.items())[::5]:
            faces = find(decode(testdata / "faces_boxes" / "images" / name, 100, lambda *_: None).pixels)
            for face in entry["faces"]:
                x, y, w, h = face["bbox_xywh"]
                if face["label"] == "without_mask" and min(w, h) >= 24:
                    wanted += 1
                    found += any(x <= at.middle[0] <= x + w and y <= at.middle[1] <= y + h for at in faces)
        assert found >= recall * wanted


@pytest.mark.slow
def test_false_alarms_in_photos_without_people(testdata: Path, yunet: YuNet) -> None:
    folders = ("jewelry", "masks_mugs_coarse", "meters", "text_slides")
    paths = [path for folder in folders for path in sorted((testdata / folder / "images").iterdir())[:10]]
    for find in (haar_faces, yunet.faces):
        seen = [path.name for path in paths if find(decode(path, 100, lambda *_: None).pixels)]
        assert len(seen) <= 0.1 * len(paths), seen


def test_file_that_is_no_network_is_broken(tmp_path: Path) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"nothing of the kind")
    for load in (YuNet, FaceMesh):
        with pytest.raises(errors.ModelBroken):
            load(tmp_path / "yunet.onnx")


def test_store_falls_back_to_haar_and_says_so(tmp_path: Path) -> None:
    store = ModelStore(Settings(data_dir=tmp_path, offline=True))
    assert store.faces(data.astronaut())[0].detector == "haar"
    (tmp_path / "models").mkdir()
    for file in ("yunet.onnx", "face-mesh.tflite"):
        (tmp_path / "models" / file).write_bytes(b"broken")
    assert store.faces(data.astronaut())[0].detector == "haar"
    assert store.looks == 2


def test_store_takes_the_network_as_soon_as_it_is_there(tmp_path: Path, testdata: Path) -> None:
    store = ModelStore(Settings(data_dir=tmp_path, offline=True))
    assert store.row("yunet").state == "missing"
    (tmp_path / "models").mkdir()
    source = testdata / "models" / "face_detection_yunet_2026may.onnx"
    (tmp_path / "models" / "yunet.onnx").write_bytes(source.read_bytes())
    assert store.faces(data.astronaut())[0].detector == "yunet"
    row = store.row("yunet")
    assert (row.state, row.kind, row.runtime) == ("installed", "face_detector", "opencv")


def test_store_measures_faces_as_soon_as_it_can(tmp_path: Path, model_folder: Path, face_mesh: FaceMesh) -> None:
    store = ModelStore(Settings(data_dir=tmp_path, offline=True))
    assert store.faces(data.astronaut())[0].chin is None
    (tmp_path / "models").mkdir()
    shutil.copyfile(model_folder / "face-mesh.tflite", tmp_path / "models" / "face-mesh.tflite")
    (face,) = store.faces(data.astronaut())[:1]
    assert face == found_by(None, face_mesh, data.astronaut())[0]
    assert face.detector == "haar"
    row = store.row("face-mesh")
    assert (row.state, row.kind, row.runtime) == ("installed", "face_landmarks", "opencv")


def test_face_detector_is_no_model_for_backgrounds(tmp_path: Path) -> None:
    store = ModelStore(Settings(data_dir=tmp_path, offline=True))
    assert store.canonical("yunet") == "yunet"
    assert store.auto_name() != "yunet"
    with pytest.raises(errors.UnknownModel):
        store.segmenter("yunet")
    with pytest.raises(errors.UnknownModel):
        store.predict("yunet", data.coffee(), lambda _stage: None)
    with pytest.raises(errors.NotOptimizable):
        store.optimise("yunet")


LANDMARKS = ((80.0, 100.0), (120.0, 100.0), (100.0, 125.0), (85.0, 142.0), (115.0, 142.0))


def known_face() -> FoundFace:
    return FoundFace(70, 70, 60, 85, "yunet", 0.9, LANDMARKS, (LANDMARKS[0], LANDMARKS[1]))


def test_head_has_the_proportions_of_heads() -> None:
    head = head_of(known_face())
    assert head.eyes == (100, 100)
    assert head.height / 40 == pytest.approx(3.6, abs=0.3)  # pupils' distances, as Farkas has it
    assert head.crown / head.height == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -120])
def test_head_turns_with_the_photo(degrees: float) -> None:
    upright = head_of(known_face())
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    place = Placement(300, 300, cos, cos, -sin, sin)
    face = known_face().mapped(place.at)
    head = head_of(face)
    assert head.height == pytest.approx(upright.height)
    assert abs((head.angle - degrees + 180) % 360 - 180) < 0.01
    assert abs((face.angle - degrees + 180) % 360 - 180) < 0.01
    assert head.at(0, head.chin) == pytest.approx(place.at(*upright.at(0, upright.chin)))


def test_mirrored_face_has_its_left_on_the_left() -> None:
    face = known_face().mapped(Placement(200, 0, -1, 1).at)
    assert face.landmarks is not None
    assert face.landmarks[0] == (80, 100)
    assert face.landmarks[3] == (85, 142)
    assert abs(face.angle) < 0.01


def test_face_is_told_and_heard() -> None:
    assert heard(told(known_face())) == known_face()
    measured = replace(known_face(), chin=(100.0, 170.5), yaw=-3.5, pitch=4.0, mouth_open=0.12)
    assert heard(told(measured)) == measured


def test_chin_that_was_measured_is_the_heads() -> None:
    head = head_of(replace(known_face(), chin=(100.0, 165.0)))
    assert head.at(0, head.chin) == pytest.approx((100, 165))
    assert head.crown / head.unit == pytest.approx(1.8)


def test_placement_and_its_inverse_cancel() -> None:
    place = Placement(7, -3, 1.5, -0.5, 0.4, 2.0)
    assert place.inverse().at(*place.at(31, 17)) == pytest.approx((31, 17))
