"""Recipes, the catalogue, presets and the simple form."""

import json
from typing import Any

import pytest

from photo_processor import errors
from photo_processor.operations.colour import parse_colour
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.naming import PhotoName
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.recipes import OPERATIONS, PRESETS, Preset, catalogue, models_needed, parse_recipe, simple_recipe
from photo_processor.results.names import result_name
from photo_processor.schemas import OutputSpec, Recipe

STARTS = [(info.op, info.parameters) for info in catalogue()]
NESTED = '{"operations": ' + "[" * 40 + "]" * 40 + "}"


def faults(document: str | bytes | dict[str, object]) -> tuple[tuple[str, str], ...]:
    with pytest.raises(errors.InvalidRecipe) as caught:
        parse_recipe(document)
    return caught.value.fields


def test_parse_recipe_gives_operations_of_this_package() -> None:
    recipe = parse_recipe(
        '{"operations": [{"op": "remove_background", "background": " White "}, {"op": "crop_face", "margin": 1}],'
        ' "outputs": [{"name": "small", "format": "webp"}]}'
    )
    assert recipe.operations == (RemoveBackground(background="white"), CropFace(margin=1.0))
    assert recipe.outputs == (OutputSpec(name="small", format="webp"),)


def test_parse_recipe_what_was_stored_is_read_again() -> None:
    recipe = PRESETS[2].recipe
    assert parse_recipe(recipe.model_dump_json()) == recipe
    assert parse_recipe(Recipe.model_validate_json(recipe.model_dump_json()).model_dump_json()) == recipe


@pytest.mark.parametrize("document", ["{}", '{"operations": [], "outputs": []}'])
def test_parse_recipe_empty_converts_to_one_png(document: str) -> None:
    recipe = parse_recipe(document)
    assert recipe.operations == ()
    assert recipe.outputs == (OutputSpec(),)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"operations": [{"op": "crop_face", "margin": 3}]}', "/operations/0/margin"),
        ('{"operations": [{"op": "crop_face", "margin": "wide"}]}', "/operations/0/margin"),
        ('{"operations": [{"op": "crop_face", "aspect": "35x45"}]}', "/operations/0/aspect"),
        ('{"operations": [{"op": "crop_face"}, {"op": "crop_face", "blur": 1}]}', "/operations/1/blur"),
        ('{"operations": [{"op": "explode"}]}', "/operations/0/op"),
        ('{"operations": [{"margin": 1}]}', "/operations/0/op"),
        ('{"operations": ["crop_face"]}', "/operations/0"),
        ('{"operations": {"op": "crop_face"}}', "/operations"),
        ('{"operations": [{"op": "remove_background", "background": "javascript:x"}]}', "/operations/0/background"),
        ('{"operations": [{"op": "remove_background", "model": ""}]}', "/operations/0/model"),
        ('{"operations": [{"op": "resize"}]}', "/operations/0"),
        ('{"operations": [{"op": "resize", "width": 1.5}]}', "/operations/0/width"),
        ('{"outputs": [{"format": "jxl"}]}', "/outputs/0/format"),
        ('{"outputs": [{"name": "../x"}]}', "/outputs/0/name"),
        ('{"outputs": [{"name": "a"}, {"name": "a"}]}', "/outputs"),
        ('{"outptus": []}', "/outptus"),
        ('{"operations": [{"op": "crop_face", "margin": NaN}]}', ""),
        ('{"operations": [{"op": "crop_face", "margin": Infinity}]}', ""),
        ("[]", ""),
        ("{", ""),
        (b"\xff\xfe", ""),
        ("[" * 60_000, ""),
        (" " * 70_000, ""),
        (NESTED, ""),
    ],
)
def test_parse_recipe_fault_is_pointed_to(document: str | bytes, pointer: str) -> None:
    assert [where for where, _ in faults(document)] == [pointer]


def test_parse_recipe_nan_in_a_dict_is_refused() -> None:
    assert faults({"operations": [{"op": "crop_face", "margin": float("nan")}]})[0][0] == "/operations/0/margin"


def test_parse_recipe_too_many_operations_are_refused() -> None:
    assert faults({"operations": [{"op": "crop_face"}] * 21})[0][0] == "/operations"


def test_parse_recipe_every_fault_is_named() -> None:
    found = faults('{"operations": [{"op": "crop_face", "x": 1, "margin": -1}], "y": 2}')
    assert {where for where, _ in found} == {"/operations/0/x", "/operations/0/margin", "/y"}


def test_catalogue_describes_every_parameter_for_a_form() -> None:
    described = {info.op: info for info in catalogue()}
    assert set(described) >= {"remove_background", "crop_face", "resize"}
    assert len(described) == len(OPERATIONS)
    for info in described.values():
        assert info.title
        assert info.summary
        for name, schema in info.parameters["properties"].items():  # type: ignore[union-attr]
            assert schema.keys() >= {"title", "description", "default"}, f"{info.op}.{name}"
    assert (
        json.loads(described["remove_background"].model_dump_json())["schema"]["properties"]["model"]["x-control"]
        == "model"
    )


def test_presets_are_recipes_with_names_of_their_own() -> None:
    assert [preset.name for preset in PRESETS] == ["cutout", "cutout_white", "id_photo", "web", "shop", "thumbnails"]
    assert all(preset.title and preset.description for preset in PRESETS)


def test_models_needed_names_those_of_the_recipe() -> None:
    recipe = parse_recipe(
        {
            "operations": [
                {"op": "remove_background"},
                {"op": "crop_face"},
                {"op": "remove_background", "model": "u2net"},
            ]
        }
    )
    assert models_needed(recipe) == {"auto", "u2net"}
    assert models_needed(parse_recipe("{}")) == frozenset()


def test_simple_recipe_removes_the_background_before_it_crops() -> None:
    recipe = simple_recipe(crop_face=True, model="u2net", background="#fff", format="jpeg")
    assert [step.op for step in recipe.operations] == ["remove_background", "crop_face"]
    assert recipe.operations[0] == RemoveBackground(model="u2net", background="#fff")
    assert recipe.outputs == (OutputSpec(format="jpeg"),)
    assert simple_recipe(remove_bg=False).operations == ()


@pytest.mark.parametrize(("field", "value"), [("background", "nope"), ("format", "jxl"), ("model", "")])
def test_simple_recipe_fault_points_to_the_form_field(field: str, value: str) -> None:
    with pytest.raises(errors.InvalidRecipe) as caught:
        simple_recipe(**{field: value})  # type: ignore[arg-type]
    assert [where for where, _ in caught.value.fields] == [f"/{field}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("white", (255, 255, 255, 255)),
        ("RebeccaPurple", (102, 51, 153, 255)),
        ("transparent", (0, 0, 0, 0)),
        ("#1e90ff", (30, 144, 255, 255)),
        ("#0f08", (0, 255, 0, 136)),
        ("rgb(10, 20, 30)", (10, 20, 30, 255)),
        ("rgb(10 20 30 / 50%)", (10, 20, 30, 128)),
        ("rgba(300, -5, 100%, .5)", (255, 0, 255, 128)),
        ("hsl(120deg 100% 25%)", (0, 128, 0, 255)),
        ("hsla(0, 100%, 50%, 1)", (255, 0, 0, 255)),
    ],
)
def test_parse_colour_reads_css(text: str, expected: tuple[int, int, int, int]) -> None:
    assert parse_colour(text) == expected


@pytest.mark.parametrize("text", ["", "whitish", "#12", "#ggg", "rgb(1,2)", "rgb(a,b,c)", "url(x)", "rgb(1,2,3,4,5)"])
def test_parse_colour_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        parse_colour(text)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_outputs_have_names_that_differ(preset: Preset) -> None:
    names = [result_name(PhotoName("a/b.jpg"), spec, preset.recipe) for spec in preset.recipe.outputs]
    assert len(set(names)) == len(names)
    assert all(name.startswith("a/b") for name in names)


def test_result_is_named_as_the_recipe_says() -> None:
    recipe = parse_recipe(
        '{"outputs": [{"name": "a", "suffix": "-small"}, {"name": "b"}, {"name": "c", "suffix": ""}]}'
    )
    names = [result_name(PhotoName("b.jpg"), spec, recipe) for spec in recipe.outputs]
    assert names == ["b-small.png", "b-b.png", "b.png"]


@pytest.mark.parametrize(("op", "schema"), STARTS, ids=[op for op, _ in STARTS])
def test_step_that_a_form_switches_on_is_accepted_and_says_what_it_cannot_lack(op: str, schema: dict[str, Any]) -> None:
    start = schema.get("x-start", {})
    parse_recipe({"operations": [{"op": op, **start}]})
    needs = schema.get("x-needs", [])
    assert set(start) <= set(needs) <= schema["properties"].keys()
    if needs:
        assert faults({"operations": [{"op": op}]}) != ()
