"""Pictures that are transparent already: what the network sees of them, and what stays."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from photo_processor.imaging.decode import decode
from photo_processor.imaging.ground import is_cut_out, on_ground
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.remove_background import RemoveBackground
from tests.unit.test_remove_background import KnownMatte

SIDE = 320
FORMATS = ["RGBA.png", "LA.png", "P.png", "P.gif", "RGBA.webp"]


def logo(colour: tuple[int, int, int], hidden: tuple[int, int, int]) -> Image.Image:
    """A ring, a bar and a hook of `colour`, drawn four times as large; what is clear hides another colour."""
    shape = Image.new("L", (4 * SIDE, 4 * SIDE))
    pen = ImageDraw.Draw(shape)
    pen.ellipse((120, 200, 640, 720), outline=255, width=110)
    pen.rectangle((700, 180, 820, 1000), fill=255)
    pen.line([(900, 300), (1150, 300), (1150, 900), (960, 900)], fill=255, width=90)
    alpha = shape.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    image = Image.new("RGB", (SIDE, SIDE), hidden)
    image.paste(colour, (0, 0, SIDE, SIDE), alpha.point(lambda level: 255 if level else 0))
    image.putalpha(alpha)
    return image


def decoded(image: Image.Image, kind: str, folder: object) -> Picture:
    mode, suffix = kind.split(".")
    path = folder / f"logo.{suffix}"  # type: ignore[operator]
    if mode == "P":
        solid = np.asarray(image)[..., 3] > 127
        made = Image.fromarray(solid.astype(np.uint8), "L").convert("P")
        colour = np.asarray(image)[solid][0, :3]
        made.putpalette([*colour, *colour])
        made.save(path, transparency=0)
    else:
        image.convert(mode).save(path, **({"quality": 90} if suffix == "webp" else {}))
    return decode(path, 10, lambda _code, _message: None)


def removed(picture: Picture, answer: Pixels | None = None) -> tuple[Pixels, list[str], Pixels]:
    """The alpha that is left, the warnings' codes, and the px that the model was asked about."""
    asked: list[Pixels] = []

    class Asked(KnownMatte):
        def predict(self, name, pixels, *rest):  # type: ignore[no-untyped-def]
            asked.append(pixels)
            return super().predict(name, pixels, *rest)

    alpha = np.zeros(picture.pixels.shape[:2], np.uint8) if answer is None else answer
    context = Context(models=Asked(alpha))
    result = RemoveBackground().apply(picture, context)
    assert result.alpha is not None
    return result.alpha, [warning.code for warning in context.findings.warnings], asked[0]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 20, 20)], ids=["black", "white", "red"])
def test_a_logo_on_nothing_stays_as_it_is(kind: str, colour: tuple[int, int, int], tmp_path: object) -> None:
    """Even where the network finds nothing in it, as it does in such drawings."""
    picture = decoded(logo(colour, hidden=colour), kind, tmp_path)
    assert picture.alpha is not None
    left, codes, seen = removed(picture)
    assert np.array_equal(left, picture.alpha)
    assert codes == ["cut_out_already"]
    shape = picture.alpha == 255
    contrast = np.abs(seen[shape].astype(int).mean(axis=0) - seen[picture.alpha == 0].astype(int).mean(axis=0))
    assert contrast.max() > 60, "what the network is shown has nothing to be seen"


def test_a_cutout_that_the_model_finds_again_has_no_warning(tmp_path: object) -> None:
    picture = decoded(logo((200, 20, 20), (0, 0, 0)), "RGBA.webp", tmp_path)
    assert picture.alpha is not None
    left, codes, _ = removed(picture, picture.alpha)
    assert np.array_equal(left, picture.alpha)
    assert codes == []


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255), (30, 200, 60)])
def test_the_model_sees_no_colour_that_is_hidden(hidden: tuple[int, int, int]) -> None:
    image = np.asarray(logo((90, 110, 160), hidden))
    first = on_ground(np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]))
    other = np.asarray(logo((90, 110, 160), (250, 10, 250)))
    assert np.array_equal(first, on_ground(np.ascontiguousarray(other[..., :3]), np.ascontiguousarray(other[..., 3])))


def frame(kind: str) -> Pixels:
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    if kind == "round":
        pen.ellipse((10, 10, 309, 309), fill=255)
    elif kind == "rounded":
        pen.rounded_rectangle((0, 0, 319, 319), 60, fill=255)
    else:
        pen.polygon([(160, 0), (319, 160), (160, 319), (0, 160)], fill=255)
    return np.array(image)


@pytest.mark.parametrize("kind", ["round", "rounded", "tilted"])
def test_a_photo_in_a_frame_still_loses_its_background(kind: str) -> None:
    alpha = frame(kind)
    assert not is_cut_out(alpha)
    subject = np.zeros_like(alpha)
    subject[110:210, 120:200] = 255
    pixels = np.where(subject[..., None] > 0, np.uint8(30), np.uint8(220)) * np.ones(3, np.uint8)
    left, codes, _ = removed(Picture(np.asarray(pixels, np.uint8), alpha), subject)
    assert ((left > 127) == (subject > 127)).mean() > 0.999
    assert codes == []


def test_no_subject_is_said_of_what_is_left() -> None:
    """A matte that lies where the picture is clear leaves nothing."""
    alpha = frame("round")
    beside = np.zeros_like(alpha)
    beside[:20, :20] = 255
    left, codes, _ = removed(Picture(np.full((SIDE, SIDE, 3), 90, np.uint8), alpha), beside)
    assert left.max() < 128
    assert codes == ["no_subject"]
    clear = Picture(np.full((SIDE, SIDE, 3), 90, np.uint8), np.zeros((SIDE, SIDE), np.uint8))
    assert "no_subject" in removed(clear)[1]


def test_a_cutout_comes_back_from_png_as_it_went(tmp_path: object) -> None:
    """Our own PNG, whose clear px are black, goes in again and comes out the same."""
    out = io.BytesIO()
    logo((90, 110, 160), (0, 0, 0)).save(out, "PNG")
    (tmp_path / "own.png").write_bytes(out.getvalue())  # type: ignore[operator]
    picture = decode(tmp_path / "own.png", 10, lambda _code, _message: None)  # type: ignore[operator]
    first = RemoveBackground().apply(picture, Context(models=KnownMatte(np.zeros((SIDE, SIDE), np.uint8))))
    again = RemoveBackground().apply(first, Context(models=KnownMatte(np.zeros((SIDE, SIDE), np.uint8))))
    assert first.alpha is not None
    assert np.array_equal(first.alpha, np.asarray(again.alpha))
    assert np.array_equal(first.pixels[first.alpha > 0], again.pixels[first.alpha > 0])
