"""The operation `remove_background`, on a matte that is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.models.inference.mattes import MatteCache
from photo_processor.models.inference.types import Matte
from photo_processor.operations import Context
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.schemas import Engine, Quality

CUP = (slice(40, 200), slice(180, 420))


class KnownMatte:
    """Says that the middle of the photo is its subject."""

    def __init__(self, alpha: Pixels, qualities: tuple[Quality, ...] = ("best",)) -> None:
        self.alpha = alpha
        self.qualities = qualities
        self.asked: list[str] = []

    def predict(self, name: str, pixels: Pixels, stage: Callable[[str], None], quality: Quality = "best") -> Matte:
        self.asked.append(name)
        stage("removing background")
        used = quality if quality in self.qualities else "best"
        return Matte(self.alpha, Engine(model=name, runtime="known", quality=used))


def matte() -> Pixels:
    alpha = np.zeros((400, 600), np.uint8)
    alpha[CUP] = 255
    alpha[:, 420:422] = 128
    return alpha


def removed(background: str, picture: Picture | None = None, **surroundings: object) -> tuple[Picture, Context]:
    context = Context(models=KnownMatte(matte()), **surroundings)  # type: ignore[arg-type]
    operation = RemoveBackground(background=background, refine=False, decontaminate=False)
    return operation.apply(picture or Picture(data.coffee(), dpi=(72.0, 72.0)), context), context


def test_second_background_takes_the_edges_of_the_first(tmp_path: Path) -> None:
    class Kept(KnownMatte):
        def predict(self, name: str, pixels: Pixels, stage: Callable[[str], None], quality: Quality = "best") -> Matte:
            return replace(super().predict(name, pixels, stage, quality), cutouts=cache.cutouts("photo"))

    cache = MatteCache(tmp_path, 10**7)
    results = []
    for background in ("transparent", "transparent", "#ffffff"):
        context = Context(models=Kept(matte()))
        picture = RemoveBackground(background=background).apply(Picture(data.coffee()), context)
        results.append((picture, context.findings))
    (first, findings), (second, later), (white, last) = results
    assert "refine_s" in findings.timings
    assert not {"refine_s", "decontaminate_s"} & {*later.timings, *last.timings}
    assert first.alpha is not None
    assert second.alpha is not None
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.pixels, second.pixels)
    assert later.engine == findings.engine
    plain = RemoveBackground(background="#ffffff").apply(Picture(data.coffee()), Context(models=KnownMatte(matte())))
    assert np.array_equal(white.pixels, plain.pixels)


@pytest.mark.parametrize("other", [{"refine": False}, {"decontaminate": False}, {"alpha_matting": True}])
def test_edges_done_in_another_way_are_not_taken_over(other: dict[str, bool], tmp_path: Path) -> None:
    cache = MatteCache(tmp_path, 10**7)

    def cut(keeping: bool, **parameters: bool) -> Picture:
        class Kept(KnownMatte):
            def predict(self, name: str, *rest: Any) -> Matte:
                return replace(super().predict(name, *rest), cutouts=cache.cutouts("photo") if keeping else None)

        return RemoveBackground(**parameters).apply(Picture(data.coffee()), Context(models=Kept(matte())))

    cut(True)
    kept, made = cut(True, **other), cut(False, **other)
    assert kept.alpha is not None
    assert made.alpha is not None
    assert np.array_equal(kept.alpha, made.alpha)
    assert np.array_equal(kept.pixels, made.pixels)


def test_transparent_sets_the_matte_as_alpha_and_keeps_the_pixels() -> None:
    picture, context = removed("transparent")
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, matte())
    assert np.array_equal(picture.pixels, data.coffee())
    assert picture.dpi == (72.0, 72.0)
    assert context.findings.engine == Engine(model="auto", runtime="known", quality="best")
    assert context.findings.mask is not None
    assert np.array_equal(context.findings.mask, matte())


def test_model_is_the_one_that_stands_for_the_name() -> None:
    models = KnownMatte(matte())
    RemoveBackground(model="auto").apply(
        Picture(data.coffee()), Context(models=models, resolved_model={"auto": "isnet-general-use"})
    )
    assert models.asked == ["isnet-general-use"]


def test_colour_is_laid_behind_and_blended_at_the_edge() -> None:
    picture, _ = removed("#ff00ff")
    source = data.coffee()
    assert picture.alpha is None
    assert tuple(picture.pixels[0, 0]) == (255, 0, 255)
    assert np.array_equal(picture.pixels[CUP], source[CUP])
    expected = source[100, 420] * (128 / 255) + np.array([255, 0, 255]) * (127 / 255)
    assert np.abs(picture.pixels[100, 420] - expected).max() <= 1.5
    assert picture.photo is not None
    assert np.array_equal(picture.photo, source)


def test_half_transparent_colour_leaves_alpha() -> None:
    picture, _ = removed("rgb(255 255 255 / 50%)")
    assert picture.alpha is not None
    assert picture.alpha[0, 0] == 128
    assert picture.alpha[100, 300] == 255


def test_blur_takes_no_colour_of_the_subject() -> None:
    pixels = np.full((300, 400, 3), (20, 60, 200), np.uint8)
    alpha = np.zeros((300, 400), np.uint8)
    alpha[100:200, 150:250] = 255
    pixels[alpha == 255] = (250, 10, 10)
    operation = RemoveBackground(background="blur", refine=False, decontaminate=False)
    picture = operation.apply(Picture(pixels), Context(models=KnownMatte(alpha)))
    assert picture.alpha is None
    assert np.array_equal(picture.pixels[alpha == 255], pixels[alpha == 255])
    assert np.abs(picture.pixels[alpha == 0].astype(int) - (20, 60, 200)).max() <= 6


def test_blur_smooths_the_background() -> None:
    picture, _ = removed("blur")
    before, after = (np.diff(plane[220:, :170].astype(int), axis=0).std() for plane in (data.coffee(), picture.pixels))
    assert after < 0.5 * before


def test_transparency_of_the_source_stays() -> None:
    alpha = np.full((400, 600), 255, np.uint8)
    alpha[:100] = 0
    picture, _ = removed("transparent", Picture(data.coffee(), alpha))
    assert picture.alpha is not None
    assert (picture.alpha[:100] == 0).all()
    assert (picture.alpha[110:200, 200:400] == 255).all()
    blurred, _ = removed("blur", Picture(data.coffee(), alpha))
    assert np.array_equal(blurred.alpha, alpha)


@pytest.mark.parametrize(("placement", "corner"), [(Placement(100, 50), (50, 100)), (Placement(0, 0, 2, 2), (0, 0))])
def test_mask_lies_on_the_whole_source(placement: Placement, corner: tuple[int, int]) -> None:
    _, context = removed("transparent", Picture(data.coffee(), placement=placement), source_size=(1300, 900))
    mask = context.findings.mask
    assert mask is not None
    assert mask.shape == (900, 1300)
    at = (corner[0] + round(100 * placement.scale_y), corner[1] + round(300 * placement.scale_x))
    assert mask[at] == 255
    assert mask[-1, -1] == 0


def test_empty_matte_warns() -> None:
    context = Context(models=KnownMatte(np.zeros((400, 600), np.uint8)))
    RemoveBackground().apply(Picture(data.coffee()), context)
    assert [warning.code for warning in context.findings.warnings] == ["no_subject"]


def green_room() -> tuple[Pixels, Pixels]:
    """An orange ball with a soft edge before green, and its matte."""
    rows, columns = np.mgrid[:400, :600]
    share = np.clip((120 - np.hypot(rows - 200, columns - 300)) / 24 + 0.5, 0, 1)[..., None]
    photo = share * (250, 120, 20) + (1 - share) * (30, 180, 40)
    return np.rint(photo).astype(np.uint8), np.rint(255 * share[..., 0]).astype(np.uint8)


def test_colour_of_the_old_background_is_gone_unless_asked_to_stay() -> None:
    photo, alpha = green_room()
    edge = (alpha > 40) & (alpha < 200)
    greens = []
    for decontaminate in (True, False):
        operation = RemoveBackground(background="#ffffff", refine=False, decontaminate=decontaminate)
        laid = operation.apply(Picture(photo), Context(models=KnownMatte(alpha))).pixels[edge].astype(int)
        greens.append((laid[:, 1] - laid[:, 0]).max())
    assert greens[0] < 5 < 20 < greens[1]


def test_refined_edge_is_that_of_the_mask_and_of_the_result() -> None:
    photo, alpha = green_room()
    coarse = cv2.resize(cv2.resize(alpha, (38, 25), interpolation=cv2.INTER_AREA), (600, 400))
    errors = []
    for refine in (True, False):
        context = Context(models=KnownMatte(np.asarray(coarse, np.uint8)))
        picture = RemoveBackground(refine=refine).apply(Picture(photo), context)
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, context.findings.mask)
        assert context.findings.timings.keys() >= {"infer_s", "decontaminate_s"}
        errors.append(np.abs(picture.alpha.astype(int) - alpha).mean())
    assert errors[0] < 0.9 * errors[1]


def test_photo_as_it_was_stays_for_the_operations_that_follow() -> None:
    photo, alpha = green_room()
    picture = RemoveBackground().apply(Picture(photo), Context(models=KnownMatte(alpha)))
    assert picture.photo is photo
    assert np.array_equal(photo, green_room()[0])
    assert not np.array_equal(picture.pixels, photo)


@pytest.mark.parametrize(
    ("qualities", "used", "warnings"), [(("best", "fast"), "fast", []), (("best",), "best", ["quality_unavailable"])]
)
def test_quality_is_passed_on_and_its_lack_is_told(
    qualities: tuple[Quality, ...], used: str, warnings: list[str]
) -> None:
    context = Context(models=KnownMatte(matte(), qualities))
    RemoveBackground(quality="fast").apply(Picture(data.coffee()), context)
    assert context.findings.engine is not None
    assert context.findings.engine.quality == used
    assert [warning.code for warning in context.findings.warnings] == warnings
