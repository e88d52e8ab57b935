"""Ready-made recipes, and the recipe of the simple form fields."""

from pydantic import JsonValue

from photo_processor import errors
from photo_processor.recipes.parse import parse_recipe
from photo_processor.schemas import Frozen, Recipe


class Preset(Frozen):
    """A recipe with a name, for those who do not want to write one. `own`: made on this server, and may be changed."""

    name: str
    title: str
    description: str
    recipe: Recipe
    own: bool = False


WEB_SIZES = {"thumbnail": 150, "low": 400, "medium": 800, "high": 1200, "ultra": 2000}  # px, of the longest side
SHOP_SIZES = {"small": 500, "medium": 1000, "large": 2000}


def _both(name: str, side: int | None) -> tuple[JsonValue, JsonValue]:
    """The outputs of one size, as WebP and JPEG; their names end alike, since their formats tell them apart."""
    size: dict[str, JsonValue] = {"suffix": f"-{name}"} | ({} if side is None else {"width": side, "height": side})
    return (
        {"name": f"{name}-webp", "format": "webp", "quality": 82, **size},
        {"name": f"{name}-jpeg", "format": "jpeg", "quality": 85, **size},
    )


def _sizes(sizes: dict[str, int]) -> list[JsonValue]:
    return [output for name, side in sizes.items() for output in _both(name, side)]


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
        description="The head as passports have it, 35 x 45 mm on white at 300 dpi, checked, as JPEG.",
        recipe=parse_recipe(
            {
                "operations": [{"op": "id_photo", "preset": "icao_35x45"}],
                "outputs": [{"format": "jpeg", "quality": 95}],
            }
        ),
    ),
    Preset(
        name="web",
        title="Web sizes",
        description="Six sizes from 150 px to the original, as WebP and progressive JPEG.",
        recipe=parse_recipe({"outputs": [*_sizes(WEB_SIZES), *_both("original", None)]}),
    ),
    Preset(
        name="shop",
        title="Shop",
        description="The subject in the middle of a white square with a soft shadow, in three sizes.",
        recipe=parse_recipe(
            {
                "operations": [
                    {"op": "remove_background"},
                    {"op": "place_subject", "aspect": "1:1", "scale": 0.85},
                    {"op": "replace_background", "background": "#ffffff"},
                    {"op": "shadow", "opacity": 0.12, "contact": 0.4},
                ],
                "outputs": _sizes(SHOP_SIZES),
            }
        ),
    ),
    Preset(
        name="thumbnails",
        title="Thumbnails",
        description="Squares around what matters, of 150, 300 and 600 px, as WebP.",
        recipe=parse_recipe(
            {
                "operations": [{"op": "smart_crop", "aspect": "1:1"}],
                "outputs": [
                    {"name": f"px{side}", "format": "webp", "quality": 80, "width": side, "suffix": f"-{side}"}
                    for side in (150, 300, 600)
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
