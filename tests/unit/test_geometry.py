"""Operations that change the shape: every plane goes along, and the picture knows where in its source it lies."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from photo_processor import errors
from photo_processor.imaging.geometry import bounds
from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.operations import Context, OperationParams
from photo_processor.operations.crop import Crop
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.flip import Flip
from photo_processor.operations.pad import Pad
from photo_processor.operations.place_subject import PlaceSubject
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.operations.resize import Resize
from photo_processor.operations.rotate import Rotate
from photo_processor.operations.smart_crop import SmartCrop
from photo_processor.operations.trim import Trim
from tests.unit.test_remove_background import KnownMatte

SHAPES: tuple[OperationParams, ...] = (
    Crop(x=40, y=30, width=300, height=200),
    Flip(direction="horizontal"),
    Flip(direction="both"),
    Rotate(angle=90),
    Rotate(angle=180),
    Rotate(angle=-90),
    Rotate(angle=17, extent="expand"),
    Rotate(angle=-8, extent="inside"),
    Rotate(angle=30, extent="keep"),
    Pad(margin=0.1, aspect="1:1"),
    Resize(width=300),
    Resize(width=300, height=300, mode="pad"),
    Trim(margin="10%"),
    SmartCrop(aspect="1:1"),
    PlaceSubject(aspect="1:1", scale=0.7),
)


def ball() -> Pixels:
    rows, columns = np.mgrid[:400, :600]
    return np.asarray(np.clip(600 - 5 * np.hypot(rows - 160, columns - 300), 0, 255), np.uint8)


def source() -> Picture:
    """The coffee cup, of which a ball is the subject; each px of the photo's own pixels says where it is."""
    rows, columns = np.mgrid[:400, :600]
    places = np.dstack([columns / 3, rows / 2, 0 * rows]).astype(np.uint8)
    return Picture(data.coffee(), ball(), (300.0, 300.0), photo=places, matte=ball())


def applied(operation: OperationParams, picture: Picture | None = None) -> tuple[Picture, Context]:
    picture = picture or source()
    context = Context(models=KnownMatte(ball()), source_size=(picture.width, picture.height))
    return operation.apply(picture, context), context


def names(operation: object) -> str:
    return type(operation).__name__ + str(getattr(operation, "angle", ""))


@pytest.mark.parametrize("operation", SHAPES, ids=names)
def test_placement_leads_back_to_the_source(operation: OperationParams) -> None:
    result, _ = applied(operation)
    assert result.photo is not None
    assert result.alpha is not None
    rows, columns = np.nonzero(result.alpha > 250)
    for at in range(0, len(rows), max(1, len(rows) // 50)):
        row, column = int(rows[at]), int(columns[at])
        x, y = result.placement.at(column + 0.5, row + 0.5)
        assert np.abs(result.photo[row, column, :2].astype(int) - (x / 3, y / 2)).max() <= 1.6


@pytest.mark.parametrize("operation", SHAPES, ids=names)
def test_planes_have_one_shape_and_facts_stay(operation: OperationParams) -> None:
    result, _ = applied(operation)
    assert result.photo is not None
    assert result.alpha is not None
    assert result.matte is not None
    shape = result.pixels.shape
    assert shape == result.photo.shape
    assert result.alpha.shape == result.matte.shape == shape[:2]
    assert result.dpi == (300.0, 300.0)
    assert all(plane.flags.c_contiguous for plane in (result.pixels, result.alpha, result.photo))
    assert np.array_equal(source().pixels, data.coffee())


@pytest.mark.parametrize("operation", SHAPES, ids=names)
def test_opaque_photo_goes_through(operation: OperationParams) -> None:
    result, context = applied(operation, Picture(data.coffee()))
    codes = [warning.code for warning in context.findings.warnings]
    assert codes == (["no_subject_known"] if isinstance(operation, PlaceSubject) else codes)
    assert result.pixels.shape[2] == 3


def test_mask_of_a_turned_photo_lies_on_the_source() -> None:
    turned, _ = applied(Rotate(angle=20), Picture(data.coffee()))
    matte = np.zeros(turned.pixels.shape[:2], np.uint8)
    inside = bounds(Placement(), (250, 180, 100, 60))
    matte[inside[1] : inside[1] + inside[3], inside[0] : inside[0] + inside[2]] = 255
    context = Context(models=KnownMatte(matte), source_size=(600, 400))
    RemoveBackground(refine=False).apply(turned, context)
    mask = context.findings.mask
    assert mask is not None
    assert mask.shape == (400, 600)
    x, y = turned.placement.at(300, 210)
    assert mask[round(y), round(x)] == 255
    assert np.count_nonzero(mask > 127) == pytest.approx(6000, rel=0.03)


def test_face_of_a_mirrored_photo_lies_on_the_source() -> None:
    mirrored, _ = applied(Flip(), Picture(data.astronaut()))
    _, context = applied(CropFace(), mirrored)
    assert context.findings.faces
    face = context.findings.faces[0]
    assert face.x < 203 < 244 < face.x + face.width, "her eyes, as the photo has them"


@pytest.mark.parametrize(
    ("operation", "size", "corner"),
    [
        (Crop(width=100, height=50), (100, 50), (250, 175)),
        (Crop(width=100, height=50, gravity="top-left"), (100, 50), (0, 0)),
        (Crop(width=100, height=50, gravity="bottom-right"), (100, 50), (500, 350)),
        (Crop(x=10, y=25, width=50, height=50, unit="percent"), (300, 200), (60, 100)),
        (Crop(x=550, y=380, width=500, height=500), (50, 20), (550, 380)),
        (Crop(aspect="1:1"), (400, 400), (100, 0)),
        (Crop(aspect="1:1", gravity="left"), (400, 400), (0, 0)),
        (Crop(width=300, aspect="3:1"), (300, 100), (150, 150)),
        (Crop(height=100, aspect="3:1", gravity="top"), (300, 100), (150, 0)),
        (Crop(width=120), (120, 400), (240, 0)),
    ],
)
def test_crop_is_where_it_was_asked_for(operation: Crop, size: tuple[int, int], corner: tuple[int, int]) -> None:
    result, _ = applied(operation, Picture(data.coffee()))
    assert (result.width, result.height) == size
    assert (result.placement.x, result.placement.y) == corner
    part = data.coffee()[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]]
    assert np.array_equal(result.pixels, part)


def test_crop_outside_is_an_error_of_ours() -> None:
    with pytest.raises(errors.CropOutside, match="600 x 400"):
        applied(Crop(x=600, width=10), Picture(data.coffee()))


@pytest.mark.parametrize(("angle", "quarters"), [(90, 1), (180, 2), (270, 3), (-90, 3), (360, 0), (450 - 360, 1)])
def test_quarter_turns_lose_nothing(angle: float, quarters: int) -> None:
    result, _ = applied(Rotate(angle=angle), Picture(data.coffee()))
    assert np.array_equal(result.pixels, np.rot90(data.coffee(), -quarters))
    assert result.alpha is None


def test_turned_photo_is_pillows_and_its_corners_are_empty() -> None:
    from PIL import Image

    result, _ = applied(Rotate(angle=25), Picture(data.coffee()))
    expected = Image.fromarray(data.coffee()).rotate(-25, Image.Resampling.BICUBIC, expand=True)
    assert abs(result.width - expected.width) <= 2
    assert result.alpha is not None
    assert result.alpha[0, 0] == result.alpha[-1, -1] == 0
    middle = np.asarray(expected.crop((200, 200, 500, 400))).astype(int)
    x, y = (result.width - expected.width) // 2 + 200, (result.height - expected.height) // 2 + 200
    apart = min(
        np.abs(result.pixels[y + dy : y + dy + 200, x + dx : x + dx + 300] - middle).mean()
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
    )
    assert apart < 4


def test_turned_inside_has_no_empty_corner() -> None:
    for angle in (3, 20, 45, 80, 133):
        result, _ = applied(Rotate(angle=angle, extent="inside"), Picture(data.coffee()))
        assert result.alpha is not None
        assert result.alpha.min() > 250, angle
        assert abs(result.width / result.height - 1.5) < 0.05


def test_corners_have_the_colour_asked_for() -> None:
    result, _ = applied(Rotate(angle=25, background="#1e90ff"), Picture(data.coffee()))
    assert result.alpha is None
    assert tuple(result.pixels[0, 0]) == (0x1E, 0x90, 0xFF)


def test_pad_reaches_the_aspect_and_keeps_the_photo() -> None:
    result, _ = applied(Pad(aspect="1:1", background="white", gravity="top"), Picture(data.coffee()))
    assert (result.width, result.height, result.alpha) == (600, 600, None)
    assert np.array_equal(result.pixels[:400], data.coffee())
    assert (result.pixels[400:] == 255).all()
    clear, _ = applied(Pad(margin=0.1), Picture(data.coffee()))
    assert clear.alpha is not None
    assert (clear.width, clear.height) == (720, 520)
    assert clear.alpha[0, 0] == 0
    assert clear.alpha[60, 60] == 255


def test_pad_with_a_colour_lies_behind_a_cutout_too() -> None:
    result, _ = applied(Pad(margin=0.1, background="white"))
    assert result.alpha is None
    assert (result.pixels[5, 5] == 255).all()
    assert (result.pixels[65, 65] == 255).all(), "within the photo, where it is transparent"


@pytest.mark.parametrize(
    ("margin", "box"),
    [
        ("0", (183, 43, 235, 235)),
        ("10px", (173, 33, 255, 255)),
        ("10% 0", (183, 20, 235, 282)),
        ("10px 20px 30px 40px", (143, 33, 295, 275)),
    ],
)
def test_trim_keeps_the_subject_with_its_margin(margin: str, box: tuple[int, int, int, int]) -> None:
    result, _ = applied(Trim(margin=margin))
    found = (result.placement.x, result.placement.y, result.width, result.height)
    assert np.abs(np.array(found) - box).max() <= 1


def test_trim_margin_beyond_the_photo_is_room() -> None:
    picture = replace(source(), alpha=np.full((400, 600), 255, np.uint8))
    picture = replace(picture, matte=picture.alpha)
    result, _ = applied(Trim(margin="20px"), picture)
    assert (result.width, result.height) == (640, 440)
    assert result.alpha is not None
    assert result.alpha[5, 5] == 0


def test_trim_of_a_plain_border_goes_by_its_colour() -> None:
    framed = cv2.copyMakeBorder(data.coffee(), 30, 10, 50, 20, cv2.BORDER_CONSTANT, value=(240, 241, 239))
    noise = np.random.default_rng(3).integers(-3, 4, framed.shape)
    result, context = applied(Trim(), Picture(np.clip(framed + noise, 0, 255).astype(np.uint8)))
    assert (result.placement.x, result.placement.y) == (50, 30)
    assert (result.width, result.height) == (600, 400)
    assert context.findings.warnings == []


def test_trim_leaves_what_has_no_border() -> None:
    result, context = applied(Trim(), Picture(data.coffee()))
    assert result.width == 600
    assert [warning.code for warning in context.findings.warnings] == ["nothing_to_trim"]


@pytest.mark.parametrize("margin", ["abc", "5em", "1px 2px 3px", "-3px", "10%%"])
def test_trim_margin_that_is_none_is_refused(margin: str) -> None:
    with pytest.raises(ValueError, match="length"):
        Trim(margin=margin)


def extent_of(picture: Picture) -> tuple[int, int, int, int]:
    assert picture.alpha is not None
    x, y, width, height = cv2.boundingRect(cv2.inRange(picture.alpha, 8, 255))
    return x, y, width, height


@pytest.mark.parametrize(
    ("operation", "frame", "box"),
    [
        (PlaceSubject(scale=0.5), (600, 400), (200, 100, 200, 200)),
        (PlaceSubject(scale=1), (600, 400), (100, 0, 400, 400)),
        (PlaceSubject(scale=0.5, position="0% 100%"), (600, 400), (0, 200, 200, 200)),
        (PlaceSubject(scale=0.5, position="100%"), (600, 400), (400, 200, 200, 200)),
        (PlaceSubject(width=1000, height=500, scale=0.8), (1000, 500), (300, 50, 400, 400)),
        (PlaceSubject(aspect="1:1"), (600, 600), (180, 180, 239, 239)),
        (PlaceSubject(aspect="1:2", width=300), (300, 600), (30, 180, 239, 239)),
        (PlaceSubject(position="original"), (600, 400), (181, 41, 239, 239)),
    ],
)
def test_subject_has_its_size_and_place(
    operation: PlaceSubject, frame: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    result, _ = applied(operation)
    assert (result.width, result.height) == frame
    assert np.abs(np.array(extent_of(result)) - box).max() <= 3


def test_subject_is_placed_on_the_background_it_already_has() -> None:
    white, _ = applied(RemoveBackground(background="white", refine=False, decontaminate=False), Picture(data.coffee()))
    result, _ = applied(PlaceSubject(scale=0.5), white)
    assert result.alpha is None
    assert (result.pixels[0, 0] == 255).all()
    assert (result.pixels[200, 300] < 250).any()


@pytest.mark.parametrize("position", ["middle", "50", "120%", "1% 2% 3%", "5px"])
def test_position_that_is_none_is_refused(position: str) -> None:
    with pytest.raises(ValueError, match="position"):
        PlaceSubject(position=position)


def test_smart_crop_keeps_the_face() -> None:
    photo = cv2.copyMakeBorder(data.astronaut()[:300], 0, 0, 500, 0, cv2.BORDER_REPLICATE)
    result, _ = applied(SmartCrop(aspect="1:1"), Picture(np.asarray(photo, np.uint8)))
    eyes = 703, 744
    assert all(result.placement.x + 20 < x < result.placement.x + result.width - 20 for x in eyes)
    tall, _ = applied(SmartCrop(aspect="3:1"), Picture(data.astronaut()))
    assert tall.placement.y + 20 < 115 < tall.placement.y + tall.height - 20


def test_smart_crop_keeps_the_subject_else_what_stands_out() -> None:
    photo = np.full((200, 900, 3), 120, np.uint8)
    photo[60:140, 700:780] = data.coffee()[100:180, 250:330]
    result, _ = applied(SmartCrop(), Picture(photo))
    assert result.placement.x <= 700
    assert result.placement.x + result.width >= 780
    matte = np.zeros((200, 900), np.uint8)
    matte[50:150, 100:180] = 255
    cut, _ = applied(SmartCrop(), Picture(photo, matte, matte=matte))
    assert cut.placement.x <= 100
    assert cut.placement.x + cut.width >= 180
    plain, _ = applied(SmartCrop(), Picture(np.full((200, 900, 3), 120, np.uint8)))
    assert plain.placement.x == pytest.approx(350, abs=3)


def test_resize_pads_to_the_size_asked_for() -> None:
    result, _ = applied(Resize(width=300, height=300, mode="pad", background="black"), Picture(data.coffee()))
    assert (result.width, result.height, result.alpha) == (300, 300, None)
    assert not result.pixels[:50].any()
    assert result.pixels[60:240].mean() > 50
    small, _ = applied(Resize(width=1000, height=1000, mode="pad"), Picture(data.coffee()))
    assert (small.width, small.height) == (1000, 1000)
    assert extent_of(small) == (200, 300, 600, 400), "nothing is enlarged unless asked"
