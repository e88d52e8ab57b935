"""Animations and documents: every frame where the output can hold it, in step and at its own time."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from skimage import data

from image_processor import ProcessedImage, process_image
from photo_processor import errors
from photo_processor.operations import Context
from photo_processor.recipes import parse_recipe
from photo_processor.schemas import Format
from tests.unit.test_remove_background import KnownMatte

COLOURS = ("#d02020", "#20a040", "#3050c0")
SECONDS = (0.1, 0.25, 0.4)
SIZE = (96, 64)


def animation(path: Path, container: str, frames: list[Image.Image] | None = None) -> Path:
    frames = frames or [Image.new("RGB", SIZE, colour) for colour in COLOURS]
    timing = {} if container == "TIFF" else {"duration": [round(1000 * shown) for shown in SECONDS]}
    frames[0].save(path, container, save_all=True, append_images=frames[1:], **timing)
    return path


def processed(path: Path, recipe: dict[str, object], limit_mp: float = 100.0) -> ProcessedImage:
    context = Context(models=KnownMatte(np.full(SIZE[::-1], 255, np.uint8)))
    return process_image(path, parse_recipe(recipe), context, limit_mp)


def frames_of(content: bytes) -> list[tuple[Image.Image, float]]:
    image = Image.open(io.BytesIO(content))
    return [(frame.convert("RGB"), frame.info.get("duration", 0) / 1000) for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("container", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
@pytest.mark.parametrize("format", ["webp", "png", "avif", "tiff"])
def test_all_frames_keep_their_order_and_time(container: str, format: Format, tmp_path: Path) -> None:
    path = animation(tmp_path / "photo", container)
    outputs = [{"format": format, "frames": "all", "quality": 95}]
    result = processed(path, {"operations": [{"op": "resize", "width": 48}], "outputs": outputs})
    frames = frames_of(result.outputs[0].data)
    assert [frame.size for frame, _ in frames] == [(48, 32)] * 3
    for (frame, _), colour in zip(frames, COLOURS, strict=True):
        expected = np.array(tuple(bytes.fromhex(colour[1:])))
        assert np.abs(np.asarray(frame).astype(int) - expected).max() <= 12
    if "TIFF" not in (container, format.upper()):
        assert [shown for _, shown in frames] == pytest.approx(SECONDS)
    assert result.warnings == ()


def test_first_frame_alone_is_told(tmp_path: Path) -> None:
    path = animation(tmp_path / "photo.gif", "GIF")
    outputs = [{"name": "a", "format": "webp", "frames": "all"}, {"name": "b", "format": "jpeg", "frames": "all"}]
    result = processed(path, {"outputs": outputs})
    assert [warning.code for warning in result.warnings] == ["first_frame_only"]
    assert [len(frames_of(output.data)) for output in result.outputs] == [3, 1]


def test_photo_of_one_frame_is_as_ever(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "photo.png")
    one, all_of_them = (
        processed(tmp_path / "photo.png", {"outputs": [{"format": "webp", "frames": frames}]}).outputs[0].data
        for frames in ("first", "all")
    )
    assert one == all_of_them


def test_crop_of_the_first_frame_holds_for_all(tmp_path: Path) -> None:
    photo = Image.fromarray(data.astronaut())
    frames = [photo.rotate(angle) for angle in (0, 60, 180)]
    path = animation(tmp_path / "photo.webp", "WEBP", frames)
    outputs = [{"format": "webp", "frames": "all", "lossless": True}]
    result = processed(path, {"operations": [{"op": "crop_face", "margin": 0}], "outputs": outputs})
    made = frames_of(result.outputs[0].data)
    whole = frames_of(path.read_bytes())
    assert result.faces
    assert len({frame.size for frame, _ in made}) == 1
    size = np.array(made[0][0].size)
    for (frame, _), (source, _) in zip(made, whole, strict=True):
        pixels, part = np.asarray(source).astype(int), np.asarray(frame).astype(int)
        assert result.frame is not None
        left, top = (np.array(result.frame.centre) - size / 2).round().astype(int)
        assert np.abs(pixels[top : top + size[1], left : left + size[0]] - part).mean() < 4


def test_frames_count_together_against_the_limit(tmp_path: Path) -> None:
    path = animation(tmp_path / "photo.gif", "GIF")
    recipe = {"outputs": [{"format": "webp", "frames": "all"}]}
    with pytest.raises(errors.TooManyPixels, match="together"):
        processed(path, recipe, limit_mp=2.5 * SIZE[0] * SIZE[1] / 1e6)
    assert len(frames_of(processed(path, recipe, limit_mp=3.5 * SIZE[0] * SIZE[1] / 1e6).outputs[0].data)) == 3


def test_animation_keeps_to_its_byte_budget(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(data.coffee(), 30 * number, axis=1)) for number in range(3)]
    path = animation(tmp_path / "photo.webp", "WEBP", frames)
    result = processed(path, {"outputs": [{"format": "webp", "frames": "all", "max_bytes": 40_000}]})
    assert len(result.outputs[0].data) <= 40_000
    assert len(frames_of(result.outputs[0].data)) == 3


def gif_of(loop: int | None, path: Path) -> Path:
    frames = [Image.new("RGB", SIZE, colour) for colour in COLOURS]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], **({} if loop is None else {"loop": loop}))
    return path


@pytest.mark.parametrize("format", ["webp", "png"])
@pytest.mark.parametrize(("loop", "plays"), [(None, 1), (0, 0), (1, 2), (3, 4), (65_535, 65_535)])
def test_gif_is_shown_as_often_as_before(loop: int | None, plays: int, format: Format, tmp_path: Path) -> None:
    """A GIF counts repeats, WebP and PNG every time it is shown."""
    result = processed(gif_of(loop, tmp_path / "photo.gif"), {"outputs": [{"format": format, "frames": "all"}]})
    assert Image.open(io.BytesIO(result.outputs[0].data)).info["loop"] == plays


@pytest.mark.parametrize("container", ["WEBP", "PNG"])
@pytest.mark.parametrize("plays", [0, 1, 5])
def test_animation_is_shown_as_often_as_before(container: str, plays: int, tmp_path: Path) -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in COLOURS]
    frames[0].save(tmp_path / "photo", container, save_all=True, append_images=frames[1:], loop=plays)
    for format in ("webp", "png", "gif"):
        result = processed(tmp_path / "photo", {"outputs": [{"format": format, "frames": "all"}]})
        loop = Image.open(io.BytesIO(result.outputs[0].data)).info.get("loop")
        assert loop == (plays if format != "gif" else {0: 0, 1: None, 5: 4}[plays])
