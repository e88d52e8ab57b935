"""Ready-made recipes, and the recipe of the simple form fields."""

from pydantic import JsonValue

import errors
from operations.recipes import parse_recipe
from schemas import Frozen, Recipe


class Preset(Frozen):
    """A recipe with a name, for those who do not want to write one."""

    name: str
    title: str
    description: str
    recipe: Recipe


PRESETS = (
    Preset(
        name="cutout",
        title="Cutout",
        description="The subject on a transparent background, as PNG.",
        recipe=parse_recipe({"operations": [{"op": "remove_background"}]}),
    ),
    Preset(
        name="cutout_white",
        title="Cutout on white",
        description="The subject on white, as JPEG.",
        recipe=parse_recipe(
            {
                "operations": [{"op": "remove_background", "background": "#ffffff"}],
                "outputs": [{"format": "jpeg"}],
            }
        ),
    ),
    Preset(
        name="id_photo",
        title="ID photo",
        description="The face on white, 35 to 45 as in passports, as JPEG.",
        recipe=parse_recipe(
            {
                "operations": [
                    {"op": "remove_background", "background": "#ffffff"},
                    {"op": "crop_face", "margin": 0.45, "aspect": "35:45"},
                ],
                "outputs": [{"format": "jpeg", "quality": 95}],
            }
        ),
    ),
    Preset(
        name="web",
        title="Web sizes",
        description="At most 1600 px a side, as WebP and JPEG.",
        recipe=parse_recipe(
            {
                "operations": [{"op": "resize", "width": 1600, "height": 1600}],
                "outputs": [
                    {"name": "webp", "format": "webp", "quality": 82},
                    {"name": "jpeg", "format": "jpeg", "quality": 85},
                ],
            }
        ),
    ),
)

_FORM_FIELDS = {"/outputs/0/format": "/format", "/outputs/0/quality": "/quality"}


def simple_recipe(
    *,
    remove_bg: bool = True,
    crop_face: bool = False,
    model: str = "auto",
    background: str = "transparent",
    format: str = "png",
    quality: int | None = None,
    margin: float | None = None,
) -> Recipe:
    """The recipe of the simple form fields. Raises InvalidRecipe, whose pointers name those fields.

    The background goes first: faces are looked for in the photo as it was (`Picture.photo`), and the network sees the
    whole subject.
    """
    operations: list[JsonValue] = []
    if remove_bg:
        operations.append({"op": "remove_background", "model": model, "background": background})
    if crop_face:
        operations.append({"op": "crop_face"} if margin is None else {"op": "crop_face", "margin": margin})
    output: dict[str, JsonValue] = {"format": format} if quality is None else {"format": format, "quality": quality}
    try:
        return parse_recipe({"operations": operations, "outputs": [output]})
    except errors.InvalidRecipe as problem:
        raise errors.InvalidRecipe(fields=tuple((_field(at), what) for at, what in problem.fields)) from problem


def _field(at: str) -> str:
    return _FORM_FIELDS.get(at) or f"/{at.rpartition('/')[2]}"
