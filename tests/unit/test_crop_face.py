"""The operation `crop_face`, on real faces and photos without any."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from image_processor import ProcessedImage, process_image
from photo_processor import errors
from photo_processor.imaging.framing import cut_of
from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.operations import Context
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.recipes import parse_recipe
from photo_processor.schemas import Frame
from tests.operation_examples import MASK
from tests.unit.test_remove_background import KnownMatte

EYES = ((202, 102), (246, 104))  # of the astronaut, (x, y) in px
GOLDEN = (173, 63, 103)  # x, y and side of her face, as found when this was written


def cropped(
    operation: CropFace, pixels: Pixels, photo: Pixels | None = None, **surroundings: object
) -> tuple[Picture, Context]:
    context = Context(models=KnownMatte(pixels[..., 0]), **surroundings)  # type: ignore[arg-type]
    return operation.apply(Picture(pixels, photo=photo), context), context


def contains(picture: Picture, point: tuple[int, int]) -> bool:
    x, y = picture.placement.inverse().at(*point)
    return 0 <= x < picture.width and 0 <= y < picture.height


def matte() -> Pixels:
    with Image.open(MASK) as stored:
        return np.asarray(stored.convert("L"), np.uint8)


def codes(context: Context) -> list[str]:
    return [item.code for item in context.findings.review]


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("aspect", [None, "1:1", "35:45", "16:9"])
def test_astronaut_crop_holds_the_whole_head(margin: float, aspect: str | None) -> None:
    picture, context = cropped(CropFace(margin=margin, aspect=aspect), data.astronaut())
    for point in (*EYES, (222, 162), (225, 25)):  # eyes, chin, just below the crown of her hair
        assert contains(picture, point)
    assert context.findings.faces is not None
    face = context.findings.faces[0]
    assert np.abs(np.array([face.x, face.y, face.width]) - GOLDEN).max() <= 6
    assert (face.detector, face.score) == ("haar", None)


def test_crop_inside_the_photo_is_the_photos_own_px() -> None:
    picture, _ = cropped(CropFace(margin=0.1), data.astronaut())
    x, y = round(picture.placement.x), round(picture.placement.y)
    assert picture.alpha is None
    assert np.array_equal(picture.pixels, data.astronaut()[y : y + picture.height, x : x + picture.width])


@pytest.mark.parametrize(("aspect", "ratio"), [("1:1", 1.0), ("35:45", 35 / 45), ("16:9", 16 / 9)])
def test_aspect_is_kept(aspect: str, ratio: float) -> None:
    picture, _ = cropped(CropFace(aspect=aspect), data.astronaut())
    assert abs(picture.width / picture.height - ratio) < 0.02


def test_margin_is_in_head_heights() -> None:
    tight, _ = cropped(CropFace(margin=0.0), data.astronaut())
    wide, _ = cropped(CropFace(margin=0.5), data.astronaut())
    assert wide.height - tight.height == pytest.approx(tight.height, abs=8)  # upright around a head that leans a little
    assert wide.width - tight.width == pytest.approx(wide.height - tight.height, abs=1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"width": 200, "height": 300}, (200, 300)),
        ({"width": 35, "height": 45, "unit": "mm"}, (413, 531)),
        ({"width": 35, "height": 45, "unit": "mm", "dpi": 600}, (827, 1063)),
        ({"height": 240, "aspect": "1:1"}, (240, 240)),
        ({"width": 25.4, "unit": "mm", "aspect": "1:2"}, (300, 600)),
    ],
)
def test_result_has_the_size_asked_for(size: dict[str, object], expected: tuple[int, int]) -> None:
    picture, _ = cropped(CropFace.model_validate(size), data.astronaut())
    assert (picture.width, picture.height) == expected
    assert picture.dpi == ((size.get("dpi", 300),) * 2 if "unit" in size else None)
    assert all(contains(picture, eye) for eye in EYES)


def test_size_beyond_all_measure_is_refused() -> None:
    with pytest.raises(errors.OutputTooLarge):
        cropped(CropFace(width=2000, height=2000, unit="mm", dpi=2400), data.astronaut())


def test_face_at_the_edge_is_padded_not_squeezed() -> None:
    pixels = np.ascontiguousarray(data.astronaut()[40:, 165:])
    picture, context = cropped(CropFace(margin=0.5, aspect="1:1"), pixels)
    whole, _ = cropped(CropFace(margin=0.5, aspect="1:1"), data.astronaut())
    assert context.findings.faces
    assert picture.placement.y < 0
    assert picture.width == picture.height == pytest.approx(whole.width, abs=8)
    assert picture.alpha is not None
    assert picture.alpha[0].max() == 0
    assert picture.alpha[picture.height // 2, picture.width // 2] == 255
    coloured, _ = cropped(CropFace(margin=0.5, aspect="1:1", background="#0000ff"), pixels)
    assert coloured.alpha is None
    assert coloured.pixels[0, 0].tolist() == [0, 0, 255]
    assert "face_cut_off" in codes(context)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "brick"])
def test_without_a_face_is_kept_with_a_warning(name: str) -> None:
    pixels = getattr(data, name)()
    pixels = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
    picture, context = cropped(CropFace(), pixels)
    assert np.array_equal(picture.pixels, pixels)
    assert context.findings.faces == ()
    assert context.findings.frame is None
    assert [warning.code for warning in context.findings.warnings] == ["no_face"]
    assert codes(context) == ["no_face"]


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


def two_faces() -> Pixels:
    small = cv2.resize(data.astronaut(), (300, 300), interpolation=cv2.INTER_AREA)
    scene = np.full((512, 1100, 3), 127, np.uint8)
    scene[:, :512] = data.astronaut()
    scene[100:400, 512:812] = small
    return scene


def test_which_chooses_among_two() -> None:
    largest, context = cropped(CropFace(margin=0.0), two_faces())
    middle, _ = cropped(CropFace(margin=0.0, which="center"), two_faces())
    assert context.findings.faces is not None
    assert len(context.findings.faces) == 2
    assert largest.placement.x < 300
    assert middle.placement.x > 512
    assert codes(context) == ["several_faces"]


def processed(recipe: dict[str, object], pixels: Pixels, folder: Path, **surroundings: object) -> ProcessedImage:
    path = folder / "photo.png"
    Image.fromarray(pixels).save(path)
    context = Context(models=KnownMatte(matte()), **surroundings)  # type: ignore[arg-type]
    return process_image(path, parse_recipe(recipe), context, 100)


def test_all_faces_give_one_numbered_result_each(tmp_path: Path) -> None:
    outputs = [{"name": "full", "format": "png"}, {"name": "small", "format": "jpeg", "width": 50}]
    crop = {"op": "crop_face", "which": "all", "margin": 0}
    done = processed({"operations": [crop, {"op": "grayscale"}], "outputs": outputs}, two_faces(), tmp_path)
    assert [(output.name, output.face) for output in done.outputs] == [
        ("full-1", 1), ("small-1", 1), ("full-2", 2), ("small-2", 2)
    ]  # fmt: skip
    assert done.outputs[0].height > done.outputs[2].height
    assert done.frame is None
    assert done.review == ()
    one = processed({"operations": [crop]}, data.astronaut(), tmp_path)
    assert [(output.name, output.face) for output in one.outputs] == [("full", None)]


def test_straighten_levels_the_eyes() -> None:
    matrix = cv2.getRotationMatrix2D((225, 130), -22, 1.0)
    leaning = np.asarray(cv2.warpAffine(data.astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE))
    picture, context = cropped(CropFace(straighten=True), leaning)
    eyes = [picture.placement.inverse().at(*(matrix @ (*eye, 1))) for eye in EYES]
    slope = np.degrees(np.arctan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0]))
    assert abs(slope) < 4
    assert context.findings.frame is not None
    assert abs(context.findings.frame.angle + 24) < 5  # to the left, as `rotate` has it


def test_before_and_after_the_removal_of_the_background_is_the_same(tmp_path: Path) -> None:
    crop, cut = {"op": "crop_face", "aspect": "1:1", "width": 200}, {"op": "remove_background", "background": "#ffffff"}
    first = processed({"operations": [crop, cut]}, data.astronaut(), tmp_path)
    last = processed({"operations": [cut, crop]}, data.astronaut(), tmp_path)
    assert first.frame == last.frame
    assert first.mask == last.mask
    one, other = (cv2.imdecode(np.frombuffer(done.outputs[0].data, np.uint8), 1).astype(int) for done in (first, last))
    assert np.abs(one - other).mean() < 1.0


def test_crown_is_that_of_the_matte() -> None:
    bald = matte().copy()
    bald[:35] = 0
    cut = RemoveBackground(refine=False, decontaminate=False)
    frames = []
    for alpha in (matte(), bald):
        context = Context(models=KnownMatte(alpha))
        CropFace(margin=0).apply(cut.apply(Picture(data.astronaut()), context), context)
        assert context.findings.frame is not None
        frames.append(context.findings.frame)
    tops = [frame.centre[1] - frame.height / 2 for frame in frames]
    assert tops[1] == pytest.approx(35 - 3, abs=3)  # the box is upright, the head leans by 4 degrees
    assert tops[0] < 25


def test_manual_frame_is_cut_as_it_is(tmp_path: Path) -> None:
    frame = Frame(centre=(250.0, 200.0), width=120.0, height=240.0, angle=-10.0, manual=True)
    done = processed({"operations": [{"op": "crop_face", "aspect": "1:1"}]}, data.astronaut(), tmp_path, frame=frame)
    assert done.frame == frame.model_copy(update={"height": 120.0})
    free = processed({"operations": [{"op": "crop_face"}]}, data.astronaut(), tmp_path, frame=frame)
    assert free.frame == frame
    assert (free.outputs[0].width, free.outputs[0].height) == (120, 240)


def test_manual_frame_is_cut_alike_whatever_turned_the_photo(tmp_path: Path) -> None:
    frame = Frame(centre=(220.0, 120.0), width=160.0, height=200.0, angle=-8.0, manual=True)
    steps: list[list[dict[str, object]]] = [
        [{"op": "crop_face"}],
        [{"op": "rotate", "angle": 90}, {"op": "crop_face", "height": 200}],
    ]
    shown = []
    for operations in steps:
        done = processed({"operations": operations}, data.astronaut(), tmp_path, frame=frame)
        assert done.frame is not None
        assert np.allclose((*done.frame.centre, done.frame.angle), (220, 120, -8), atol=0.6)
        shown.append(cv2.imdecode(np.frombuffer(done.outputs[0].data, np.uint8), 1).astype(int))
    assert np.abs(shown[0] - shown[1]).mean() < 3


def test_frame_leads_to_the_picture_and_back() -> None:
    frame = Frame(centre=(100.0, 50.0), width=40.0, height=20.0, angle=30.0)
    cut = cut_of(frame, Placement(10, 20, 2, 2))
    assert (cut.x, cut.y, cut.width, cut.height, cut.lean) == pytest.approx((45, 15, 20, 10, -30))
    mirrored = cut_of(frame, Placement(200, 0, -1, 1))
    assert (mirrored.x, mirrored.y, mirrored.lean) == pytest.approx((100, 50, 30))


def test_crop_far_beyond_a_close_up_takes_no_more_px_than_twice_the_photos() -> None:
    close = cv2.resize(data.astronaut()[40:190, 140:300], (1200, 1125), interpolation=cv2.INTER_CUBIC)
    picture, context = cropped(CropFace(margin=2), np.asarray(close, np.uint8))
    assert context.findings.frame is not None
    assert context.findings.frame.height > 3 * 1125
    assert picture.width * picture.height <= 2.01 * 1200 * 1125
    assert picture.alpha is not None
    inside = picture.alpha > 127
    assert inside.mean() == pytest.approx(
        1200 * 1125 / (context.findings.frame.width * context.findings.frame.height), rel=0.05
    )
