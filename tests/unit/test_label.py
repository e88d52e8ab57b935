"""The operation `label`, and the templates it is filled in from."""

from datetime import UTC, datetime

import numpy as np
import pytest
from pydantic import ValidationError
from skimage import data

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.label import Label
from photo_processor.operations.naming import PhotoName, fields_of, filled
from photo_processor.recipes import parse_recipe
from photo_processor.recipes.parse import needs_names, tells_apart
from tests.unit.test_remove_background import KnownMatte

MAY = datetime(2024, 5, 3, 14, 7, tzinfo=UTC)
ANNA = PhotoName("7a/anna.JPG", 7, MAY, None, "1001", "Anna Alber")


def labelled(photo: Pixels | Picture, name: PhotoName = ANNA, **parameters: object) -> tuple[Picture, Context]:
    picture = photo if isinstance(photo, Picture) else Picture(photo)
    context = Context(models=KnownMatte(picture.pixels[..., 0]), name=name)
    return Label.model_validate(parameters).apply(picture, context), context


def ink(pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is dark."""
    rows, columns = np.nonzero(pixels.max(axis=2) < 100)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}|{file}|{folder}", "anna|anna.JPG|7a"),
        ("{index} {index:03} {index:4}", "7 007    7"),
        ("{number}: {caption}", "1001: Anna Alber"),
        ("{date} {date:%d.%m.%Y}", "2024-05-03 03.05.2024"),
        ("{{kept}} 100%", "{kept} 100%"),
    ],
)
def test_template_is_filled_in(template: str, expected: str) -> None:
    assert filled(template, ANNA) == expected


def test_date_is_the_cameras_where_it_is_known() -> None:
    assert filled("{date}", PhotoName(uploaded=MAY, taken=datetime(1999, 12, 31, 23, 59))) == "1999-12-31"


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "{nothing}",
        "{name.__class__}",
        "{name[0]}",
        "{name!r}",
        "{name:>900}",
        "{index:x}",
        "{index:900}",
        "{}",
        "{date:%s}",
        "{date:%Z}",
        "{0}",
    ],
)
def test_template_with_other_fields_or_forms_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="."):
        fields_of(template)
    with pytest.raises(ValidationError):
        Label(text=template)


def test_strip_adds_room_and_leaves_the_photo_as_it_was() -> None:
    photo = np.full((300, 400, 3), 200, np.uint8)
    below, _ = labelled(photo, text="{number} {caption}", size=0.1, background="#ff0000")
    added = below.height - 300
    assert 30 <= added <= 60, "one line of letters of 30 px with its room"
    assert (below.pixels[:300] == 200).all()
    assert (below.pixels[-2:] == (255, 0, 0)).all()
    above, _ = labelled(photo, text="{name}", position="top", size=0.1)
    assert (above.pixels[-300:] == 200).all()
    assert above.placement.y == -(above.height - 300), "where the photo lies is still known"
    two, _ = labelled(photo, text="{name}\n{caption}", size=0.1)
    assert two.height - 300 > 1.6 * added


@pytest.mark.parametrize(
    ("position", "half"), [("bottom-left", "left"), ("bottom-right", "right"), ("bottom", "middle")]
)
def test_strip_keeps_to_the_side_asked_for(position: str, half: str) -> None:
    picture, _ = labelled(np.full((300, 900, 3), 255, np.uint8), text="Anna", position=position, size=0.1)
    left, _, right, _ = ink(picture.pixels)
    assert {"left": right < 300, "right": left > 600, "middle": left > 300 and right < 600}[half]


def test_strip_has_one_height_whatever_its_letters() -> None:
    photo = np.full((300, 400, 3), 200, np.uint8)
    assert len({labelled(photo, text=text)[0].height for text in ("aeo", "gjp", "ÅÄÖ", "1.")}) == 1


def test_overlay_writes_on_the_photo_and_keeps_its_size() -> None:
    photo = np.full((300, 400, 3), 200, np.uint8)
    picture, _ = labelled(photo, text="Anna", place="overlay", position="top-left", size=0.1, background="white")
    assert picture.pixels.shape == photo.shape
    assert (picture.pixels[0, 0] == 255).all(), "the box"
    left, top, right, bottom = ink(picture.pixels)
    assert right < 150
    assert bottom < 60
    assert min(left, top) > 2
    bare, _ = labelled(photo, text="Anna", place="overlay", background="transparent", size=0.1)
    assert set(np.unique(bare.pixels[0])) == {200}
    assert (bare.pixels < 100).any()


def test_cutout_stays_transparent_beside_its_strip() -> None:
    alpha = np.zeros((200, 300), np.uint8)
    picture, _ = labelled(Picture(np.full((200, 300, 3), 9, np.uint8), alpha), text="Anna")
    assert picture.alpha is not None
    assert (picture.alpha[:200] == 0).all()
    assert (picture.alpha[200:] == 255).all()


def test_long_text_is_made_to_fit() -> None:
    picture, _ = labelled(data.coffee(), text="A very long caption " * 10, size=0.2)
    assert picture.width == data.coffee().shape[1]


def test_empty_text_changes_nothing_and_strange_letters_are_said() -> None:
    photo = data.coffee()
    unnamed, context = labelled(photo, PhotoName("x.jpg"), text="{caption}")
    assert unnamed.pixels.shape == photo.shape
    assert context.findings.warnings == []
    _, context = labelled(photo, PhotoName("x.jpg", caption="安娜"), text="{caption}")
    assert [warning.code for warning in context.findings.warnings] == ["missing_letters"]
    _, context = labelled(photo, PhotoName("x.jpg", caption="Łucja Müller-Ñandú Çelik Ελένη Жанна"), text="{caption}")
    assert context.findings.warnings == []


def test_recipe_says_whether_photos_are_told_apart_and_names_needed() -> None:
    def recipe(text: str) -> tuple[bool, bool]:
        found = parse_recipe({"operations": [{"op": "label", "text": text}]})
        return tells_apart(found), needs_names(found)

    assert recipe("© Me") == (False, False)
    assert recipe("{index:03}") == (True, False)
    assert recipe("{name} {caption}") == (True, True)
