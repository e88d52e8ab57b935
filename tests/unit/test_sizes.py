"""How large pictures get is known before they are made, and what gets too large is not made."""

import io
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_processor import ProcessedImage, process_image
from photo_processor import errors
from photo_processor.imaging.pictures import Picture
from photo_processor.models.store import ModelStore
from photo_processor.operations import Context
from photo_processor.operations.base import OperationParams
from photo_processor.operations.sizes import largest_px
from photo_processor.operations.trim import Trim
from photo_processor.recipes import parse_recipe
from photo_processor.settings import Settings
from photo_processor.worker.admission import AdmittingRunner
from photo_processor.worker.runners import Control, ThreadRunner, Work
from tests.unit.test_remove_background import KnownMatte

LIMIT = 2.0  # megapixels


def saved(folder: Path, width: int, height: int) -> Path:
    path = folder / "photo.png"
    Image.new("RGB", (width, height), (200, 30, 30)).save(path)
    return path


def processed(path: Path, steps: list[dict[str, object]], **output: object) -> ProcessedImage:
    with Image.open(path) as image:
        width, height = image.size
    matte = np.zeros((height, width), np.uint8)
    matte[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    outputs = [{"name": "full", **output}]
    return process_image(
        path,
        parse_recipe({"operations": steps, "outputs": outputs}),
        Context(models=KnownMatte(matte)),
        LIMIT,
    )


TOO_LARGE = [
    (40, 16_383, [{"op": "resize", "width": 20_000, "enlarge": True}]),
    (40, 16_383, [{"op": "resize", "width": 20_000, "height": 20_000, "mode": "pad"}]),
    (40, 16_383, [{"op": "resize", "width": 20_000, "height": 20_000, "mode": "stretch", "enlarge": True}]),
    (40, 16_383, [{"op": "resize", "width": 20_000, "height": 20_000, "mode": "fill", "enlarge": True}]),
    (40, 16_383, [{"op": "pad", "aspect": "1:1"}]),
    (40, 16_383, [{"op": "pad", "aspect": "1:1"}, {"op": "resize", "width": 100}]),
    (40, 16_383, [{"op": "pad", "margin": 1.0}]),
    (40, 16_383, [{"op": "rotate", "angle": 45}]),
    (40, 16_383, [{"op": "remove_background"}, {"op": "place_subject", "aspect": "1:1", "scale": 0.9}]),
    (40, 16_383, [{"op": "remove_background"}, {"op": "place_subject", "width": 20_000, "height": 20_000}]),
    (40, 9_000, [{"op": "id_photo", "dpi": 1200}, {"op": "pad", "aspect": "1:9999"}]),
    (1400, 1400, [{"op": "label", "size": 0.5, "text": "A\nB\nC\nD"}]),
]


@pytest.mark.parametrize(("width", "height", "steps"), TOO_LARGE)
def test_what_grows_too_large_is_refused_before_it_takes_memory(
    width: int, height: int, steps: list[dict[str, object]], tmp_path: Path
) -> None:
    path = saved(tmp_path, width, height)
    tracemalloc.start()
    try:
        with pytest.raises(errors.OutputTooLarge) as refused:
            processed(path, steps)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "pixels would be made" in refused.value.detail
    assert most < 100e6


def test_a_margin_that_grows_too_large_is_refused() -> None:
    subject = np.zeros((100, 100), np.uint8)
    subject[5:-5, 5:-5] = 255
    picture = Picture(np.zeros((100, 100, 3), np.uint8), alpha=subject)
    trim = Trim(margin="50%")
    assert trim.apply(picture, Context(models=KnownMatte(subject), max_megapixels=0.04)).width == 180
    with pytest.raises(errors.OutputTooLarge):
        trim.apply(picture, Context(models=KnownMatte(subject), max_megapixels=0.03))


def test_an_enlarged_animation_is_refused_by_all_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "many.gif"
    frames = [Image.new("L", (10, 10), shade) for shade in range(0, 240, 20)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    steps: list[dict[str, object]] = [{"op": "resize", "width": 500, "enlarge": True}]
    with pytest.raises(errors.OutputTooLarge, match="together with the others"):
        processed(path, steps, format="webp", frames="all")
    assert processed(path, steps, format="webp").outputs[0].width == 500


@pytest.mark.serial
def test_an_absurd_recipe_on_a_tiny_photo_ends_at_once(tmp_path: Path) -> None:
    """Letters and marks that do not fit are never drawn at the size asked for."""
    path = saved(tmp_path, 6000, 30)
    began = time.monotonic()
    steps: list[dict[str, object]] = [
        {"op": "label", "size": 0.5, "text": "W" * 200},
        {"op": "watermark", "text": "W", "size": 1.0, "angle": 45},
        {"op": "watermark", "text": "W" * 60, "size": 1.0, "angle": 45, "tiled": True},
    ]
    assert processed(path, steps).outputs[0].width == 6000
    assert time.monotonic() - began < 5


PLANNED = [
    {"op": "resize", "width": 100},
    {"op": "resize", "width": 300, "height": 50, "enlarge": True},
    {"op": "resize", "width": 300, "height": 50, "mode": "fill"},
    {"op": "resize", "width": 300, "height": 900, "mode": "fill", "enlarge": True},
    {"op": "resize", "width": 300, "height": 50, "mode": "stretch"},
    {"op": "resize", "width": 300, "height": 50, "mode": "pad"},
    {"op": "resize", "height": 400, "mode": "pad"},
    {"op": "pad", "margin": 0.1},
    {"op": "pad", "margin": 0.1, "aspect": "3:1"},
    {"op": "pad", "aspect": "1:3"},
    {"op": "rotate", "angle": 90},
    {"op": "rotate", "angle": 17, "extent": "expand"},
    {"op": "rotate", "angle": 17, "extent": "keep"},
    {"op": "rotate", "angle": 17, "extent": "inside"},
    {"op": "rotate", "angle": -90, "extent": "keep"},
    {"op": "flip"},
    {"op": "shadow"},
    {"op": "place_subject", "aspect": "3:1"},
    {"op": "place_subject", "width": 321, "height": 123, "scale": 0.5},
]


@pytest.mark.parametrize("step", PLANNED)
def test_what_was_planned_is_what_is_made(step: dict[str, object]) -> None:
    picture = Picture(np.full((151, 203, 3), 90, np.uint8), alpha=np.full((151, 203), 255, np.uint8))
    operation = parse_recipe({"operations": [step]}).operations[0]
    assert isinstance(operation, OperationParams)
    made = operation.apply(picture, Context(models=KnownMatte(np.zeros((151, 203), np.uint8))))
    planned = operation.planned(203, 151)
    if step["op"] == "place_subject":
        assert planned[0] * planned[1] >= made.width * made.height
    else:
        assert planned == (made.width, made.height)


def test_the_largest_step_counts_for_admission() -> None:
    recipe = parse_recipe({"operations": [{"op": "pad", "aspect": "1:1"}, {"op": "resize", "width": 100}]})
    assert largest_px(recipe, 100, 2000) == 2000 * 2000
    assert largest_px(parse_recipe({"operations": [{"op": "crop", "aspect": "1:1"}]}), 100, 200) <= 100 * 200


async def test_a_photo_is_admitted_by_what_will_be_made_of_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, workers=2, offline=True)
    admitted: list[float] = []

    class Noting(AdmittingRunner):
        """Notes what is asked of the admission."""

    runner = Noting(ThreadRunner(settings, ModelStore(settings)), 100)
    usual = runner._admission.admitted
    runner._admission.admitted = lambda size: (admitted.append(size), usual(size))[1]  # type: ignore[method-assign, func-returns-value]
    work = Work(saved(tmp_path, 100, 1000), '{"operations": [{"op": "pad", "aspect": "1:1"}]}', {}, 100)
    control = Control("job", time.monotonic() + 20)
    result = await runner.run(work, control, lambda _: None, lambda result: result)
    await runner.close()
    assert admitted == [1.0]
    assert Image.open(io.BytesIO(result.outputs[0].data)).size == (1000, 1000)


@pytest.mark.parametrize(
    ("width", "height", "size"), [(300, 200, (300, 200)), (50, 90, (50, 90)), (80, None, (80, 40))]
)
def test_padded_output_takes_both_sides_exactly(
    width: int, height: int | None, size: tuple[int, int], tmp_path: Path
) -> None:
    path = saved(tmp_path, 200, 100)
    result = processed(path, [], format="png", mode="pad", width=width, height=height).outputs[0]
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.size == (result.width, result.height) == size
        assert image.getpixel((size[0] // 2, size[1] // 2))[:3] == (200, 30, 30)  # type: ignore[index]
    jpeg = processed(path, [], format="jpeg", mode="pad", width=300, height=200).outputs[0]
    with Image.open(io.BytesIO(jpeg.data)) as image:
        assert image.getpixel((2, 2)) == (255, 255, 255)
    with pytest.raises(errors.OutputTooLarge):
        processed(path, [], format="png", mode="pad", width=20_000, height=20_000)
