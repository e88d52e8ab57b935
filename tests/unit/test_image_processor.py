"""One photo through one recipe, with a real network where it can be had."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from image_processor import ProcessedImage, process_image
from photo_processor import errors
from photo_processor.models.store import ModelStore
from photo_processor.operations import Context
from photo_processor.recipes import parse_recipe
from photo_processor.recipes.presets import PRESETS
from photo_processor.schemas import STAGES, Engine
from photo_processor.settings import Settings

GOLDEN = Path(__file__).parent / "golden" / "astronaut_mask.png"
LIMIT_MP = 100.0


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def processed(source: Path, recipe: str, store: ModelStore, stages: list[str] | None = None) -> ProcessedImage:
    heard = [] if stages is None else stages
    context = Context(models=store, resolved_model={"auto": store.auto_name()}, stage=heard.append)
    return process_image(source, parse_recipe(recipe), context, LIMIT_MP)


@pytest.fixture
def classical_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    for name in ("HOME", "U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return ModelStore(Settings(data_dir=tmp_path, model_dir=tmp_path, offline=True))


@pytest.fixture(scope="module")
def store(model_folder: Path, has_network: bool) -> ModelStore:
    if not has_network:
        pytest.skip("the network cannot be had here")
    return ModelStore(Settings(data_dir=model_folder, model_dir=model_folder, offline=True))


@pytest.mark.slow
def test_astronaut_mask_is_as_stored(photos: dict[str, Path], store: ModelStore) -> None:
    result = processed(photos["astronaut"], '{"operations": [{"op": "remove_background"}]}', store)
    assert result.mask is not None
    mask, golden = np.asarray(opened(result.mask)) > 127, np.asarray(Image.open(GOLDEN)) > 127
    assert (mask & golden).sum() / (mask | golden).sum() >= 0.99
    assert result.engine is not None
    assert result.engine.model == "isnet-general-use"
    cutout = np.asarray(opened(result.outputs[0].data))
    assert np.array_equal(cutout[..., 3], np.asarray(opened(result.mask)))
    assert not cutout[cutout[..., 3] == 0].any()


@pytest.mark.slow
def test_id_photo_shows_a_face_on_white(photos: dict[str, Path], store: ModelStore) -> None:
    recipe = next(preset.recipe for preset in PRESETS if preset.name == "id_photo")
    result = processed(photos["astronaut"], recipe.model_dump_json(), store)
    photo = opened(result.outputs[0].data)
    assert photo.format == "JPEG"
    assert abs(photo.width / photo.height - 35 / 45) < 0.02
    assert min(photo.getpixel((3, 3))) > 245  # type: ignore[type-var,arg-type]
    assert result.faces
    assert (result.width, result.height) == (512, 512)
    assert result.mask is not None
    assert opened(result.mask).size == (512, 512)


def test_stages_and_timings_follow_the_recipe(photos: dict[str, Path], classical_store: ModelStore) -> None:
    stages: list[str] = []
    recipe = '{"operations": [{"op": "remove_background"}, {"op": "crop_face"}, {"op": "resize", "width": 100}]}'
    result = processed(photos["astronaut"], recipe, classical_store, stages)
    assert stages == [
        "reading the photo", "removing background", "finding the face", "cropping", "resizing", "saving"
    ]  # fmt: skip
    assert set(stages) <= set(STAGES)
    steps = {"decode_s", "facts_s", "remove_background_s", "crop_face_s", "resize_s", "encode_s"}
    parts = {"infer_s", "refine_s", "decontaminate_s"}
    assert result.timings.keys() == steps | parts | {"find_faces_s", "total_s"}
    assert sum(result.timings[name] for name in steps) <= result.timings["total_s"] + 0.001
    assert sum(result.timings[name] for name in parts) <= result.timings["remove_background_s"] + 0.001
    assert result.engine == Engine(model="grabcut", runtime="opencv", quality="best")


def test_outputs_are_of_the_recipe(photos: dict[str, Path], classical_store: ModelStore) -> None:
    recipe = """{"operations": [{"op": "resize", "width": 300}], "outputs": [{"name": "a", "format": "webp"},
        {"name": "b", "format": "jpeg"}, {"name": "c", "format": "avif"}, {"name": "d", "format": "tiff"},
        {"name": "e"}]}"""
    result = processed(photos["coffee"], recipe, classical_store)
    assert [(output.name, output.width, output.height) for output in result.outputs] == [
        (name, 300, 200) for name in "abcde"
    ]
    assert [opened(output.data).format for output in result.outputs] == ["WEBP", "JPEG", "AVIF", "TIFF", "PNG"]
    assert result.mask is None
    assert result.engine is None
    assert result.faces is None
    assert max(opened(result.thumbnail).size) == 300


def test_mask_is_of_the_whole_photo_cropped_or_not(photos: dict[str, Path], classical_store: ModelStore) -> None:
    recipe = '{"operations": [{"op": "crop_face"}, {"op": "resize", "width": 80}, {"op": "remove_background"}]}'
    result = processed(photos["astronaut"], recipe, classical_store)
    assert result.mask is not None
    assert result.faces
    mask, face = np.asarray(opened(result.mask)), result.faces[0]
    assert mask.shape == (512, 512)
    assert mask[face.y + 30 : face.y + 70, face.x + 30 : face.x + 70].mean() > 128
    assert (mask[300:] > 127).mean() > 0.2  # she goes on below what is cut out


def test_turned_photo_is_upright_in_every_result(tmp_path: Path, classical_store: ModelStore) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    Image.fromarray(data.coffee()).rotate(90, expand=True).save(path, exif=exif)
    result = processed(path, '{"operations": [{"op": "remove_background"}]}', classical_store)
    assert (result.width, result.height) == (600, 400)
    assert result.mask is not None
    assert opened(result.mask).size == opened(result.outputs[0].data).size == (600, 400)
    assert opened(result.thumbnail).size == (320, 213)


def test_cancel_between_steps_ends_the_work(photos: dict[str, Path], classical_store: ModelStore) -> None:
    stages: list[str] = []

    def check() -> None:
        if "removing background" in stages:
            raise errors.Cancelled

    context = Context(models=classical_store, stage=stages.append, check=check)
    recipe = parse_recipe('{"operations": [{"op": "remove_background", "model": "watershed"}, {"op": "crop_face"}]}')
    with pytest.raises(errors.Cancelled):
        process_image(photos["coffee"], recipe, context, LIMIT_MP)
    assert stages == ["reading the photo", "removing background"]


def test_warnings_are_collected_once(tmp_path: Path, classical_store: ModelStore) -> None:
    path = tmp_path / "two.gif"
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    recipe = '{"operations": [{"op": "crop_face"}, {"op": "crop_face"}]}'
    result = processed(path, recipe, classical_store)
    assert [warning.code for warning in result.warnings] == ["first_frame_only", "no_face"]


def test_nothing_but_the_source_is_touched(
    photos: dict[str, Path], tmp_path: Path, classical_store: ModelStore
) -> None:
    before = set(tmp_path.rglob("*"))
    processed(photos["chelsea"], "{}", classical_store)
    assert set(tmp_path.rglob("*")) == before


def test_outputs_have_sizes_of_their_own(photos: dict[str, Path], classical_store: ModelStore) -> None:
    recipe = """{"outputs": [{"name": "a", "width": 300}, {"name": "b", "width": 200, "height": 200, "mode": "fill"},
        {"name": "c", "height": 5000}, {"name": "d", "width": 100, "height": 10, "mode": "stretch"}]}"""
    result = processed(photos["coffee"], recipe, classical_store)
    sizes = [(output.width, output.height) for output in result.outputs]
    assert sizes == [(300, 200), (200, 200), (600, 400), (100, 10)]
    assert [opened(output.data).size for output in result.outputs] == sizes


@pytest.mark.slow
def test_shop_shows_a_centred_subject_on_white(photos: dict[str, Path], store: ModelStore) -> None:
    recipe = next(preset.recipe for preset in PRESETS if preset.name == "shop")
    result = processed(photos["coffee"], recipe.model_dump_json(), store)
    assert [output.width for output in result.outputs] == [500, 500, 600, 600, 600, 600]
    photo = np.asarray(opened(result.outputs[1].data).convert("RGB")).astype(int)
    rows, columns = np.nonzero(photo.min(axis=2) < 200)
    assert abs(columns.min() + columns.max() - 500) < 12
    assert max(np.ptp(columns), np.ptp(rows)) == pytest.approx(0.85 * 500, abs=15)
    assert photo[3, 3].min() > 250
