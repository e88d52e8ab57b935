"""`rectangle` and `strokes` of `remove_background`: from the recipe to what the model is told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from photo_processor import errors
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.models.inference.mattes import MatteCache
from photo_processor.models.inference.types import NO_HINTS, Hints, Matte
from photo_processor.models.store import ModelStore
from photo_processor.operations import Context
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.recipes.parse import assets_needed, parse_recipe
from photo_processor.schemas import Engine, Quality
from photo_processor.settings import Settings
from tests.unit.test_classical import iou, two_discs

ASSET = "asset:" + "c" * 64


class Told:
    """A predictor that notes what it is told."""

    def __init__(self, model: str) -> None:
        self.engine = Engine(model=model, runtime="test", quality="best")
        self.hints: list[Hints] = []

    def predict(
        self,
        name: str,
        pixels: Pixels,
        stage: Callable[[str], None],
        quality: Quality = "best",
        hints: Hints = NO_HINTS,
    ) -> Matte:
        self.hints.append(hints)
        return Matte(np.full(pixels.shape[:2], 255, np.uint8), self.engine)


def strokes(_name: str, _least: tuple[int, int]) -> Picture:
    """Half the photo's size: green on the left, red on the right, half transparent in the middle, grey below."""
    pixels = np.full((50, 100, 3), 128, np.uint8)
    pixels[:40, :30] = (10, 240, 20)
    pixels[:40, 70:] = (250, 30, 10)
    alpha = np.full((50, 100), 255, np.uint8)
    alpha[:10] = 0
    return Picture(pixels, alpha)


def told(model: str = "grabcut", **parameters: object) -> tuple[Hints, Context]:
    predictor = Told(model)
    context = Context(models=predictor, assets=strokes)
    operation = RemoveBackground.model_validate({"refine": False, "decontaminate": False, **parameters})
    operation.apply(Picture(np.zeros((100, 200, 3), np.uint8)), context)
    return predictor.hints[0], context


def test_rectangle_is_px_or_shares_of_the_photo() -> None:
    assert told()[0].is_empty
    assert told(rectangle="10% 20% 50% 60%")[0].rectangle == (20, 20, 100, 60)
    assert told(rectangle="150px 0 100px 500")[0].rectangle == (150, 0, 50, 100)
    with pytest.raises(errors.CropOutside):
        told(rectangle="300 0 10 10")


@pytest.mark.parametrize("text", ["1 2 3", "a b c d", "-1 0 5 5", "0 0 0% 10", "1 2 3 4 5", "1em 0 1 1"])
def test_rectangle_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        RemoveBackground(rectangle=text)


def test_green_is_the_subject_and_red_the_background() -> None:
    hints, context = told(strokes=ASSET)
    assert hints.strokes is not None
    assert hints.strokes.shape == (100, 200)
    assert (hints.strokes[30:70, :50] == Hints.SUBJECT).all()
    assert (hints.strokes[30:70, 150:] == Hints.BACKGROUND).all()
    assert (hints.strokes[:18] == 0).all(), "transparent"
    assert (hints.strokes[82:] == 0).all(), "grey"
    assert context.findings.warnings == []
    _, context = told("isnet-general-use", strokes=ASSET)
    assert [warning.code for warning in context.findings.warnings] == ["strokes_unused"]
    recipe = parse_recipe({"operations": [{"op": "remove_background", "strokes": ASSET}]})
    assert assets_needed(recipe) == {"c" * 64}


def test_mattes_are_kept_apart_by_their_hints(tmp_path: Path) -> None:
    folder = tmp_path
    store = ModelStore(Settings(data_dir=folder, offline=True), MatteCache(folder / "mattes", 10**8))
    pixels, red, blue = two_discs()

    def found(hints: Hints) -> Pixels:
        return store.predict("grabcut", pixels, lambda _stage: None, "best", hints).alpha

    left, right = Hints((60, 40, 330, 320)), Hints((440, 40, 320, 320))
    assert iou(found(left), red) > 0.93
    assert iou(found(right), blue) > 0.93
    assert store.inferences == 2
    assert iou(found(left), red) > 0.93
    assert store.inferences == 2, "from the folder"


def test_network_looks_at_the_rectangle_alone(tmp_path: Path, tiny_network: Path) -> None:
    settings = Settings(data_dir=tmp_path, offline=True, custom_model=tiny_network)
    store = ModelStore(settings)
    pixels = np.random.default_rng(3).integers(0, 255, (120, 160, 3), np.uint8)

    def found(photo: Pixels, hints: Hints = NO_HINTS) -> Pixels:
        return store.predict("custom", photo, lambda _stage: None, "best", hints).alpha

    alpha = found(pixels, Hints((40, 20, 100, 80)))
    assert alpha.shape == (120, 160)
    inside = np.ascontiguousarray(pixels[20:100, 40:140])
    assert np.array_equal(alpha[20:100, 40:140], found(inside))
    alpha[20:100, 40:140] = 0
    assert not alpha.any()
