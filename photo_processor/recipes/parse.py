"""Recipes: JSON in, checked operations out, every fault with a pointer to it."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, NoReturn, TypeAlias, cast, get_args

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from photo_processor import errors
from photo_processor.operations.adjust import Adjust
from photo_processor.operations.auto_enhance import AutoEnhance
from photo_processor.operations.base import OperationParams
from photo_processor.operations.crop import Crop
from photo_processor.operations.crop_face import CropFace
from photo_processor.operations.denoise import Denoise
from photo_processor.operations.flip import Flip
from photo_processor.operations.grayscale import Grayscale
from photo_processor.operations.id_photo import ORIGINAL, IdPhoto
from photo_processor.operations.label import Label
from photo_processor.operations.mask import Mask
from photo_processor.operations.naming import fields_of
from photo_processor.operations.pad import Pad
from photo_processor.operations.place_subject import PlaceSubject
from photo_processor.operations.remove_background import RemoveBackground
from photo_processor.operations.replace_background import ReplaceBackground
from photo_processor.operations.resize import Resize
from photo_processor.operations.rotate import Rotate
from photo_processor.operations.shadow import Shadow
from photo_processor.operations.sharpen import Sharpen
from photo_processor.operations.smart_crop import SmartCrop
from photo_processor.operations.straighten import Straighten
from photo_processor.operations.trim import Trim
from photo_processor.operations.watermark import Watermark
from photo_processor.schemas import OutputSpec, Recipe, pointer

MAX_RECIPE_BYTES = 64 * 1024
MAX_DEPTH = 10

AnyOperation: TypeAlias = (
    Rotate | Flip | Straighten | Crop | Denoise | RemoveBackground | CropFace | IdPhoto | SmartCrop | Trim
    | PlaceSubject | AutoEnhance | Adjust | Grayscale | ReplaceBackground | Shadow | Mask | Pad | Resize | Sharpen
    | Watermark | Label
)  # fmt: skip
# In the order in which forms put them into a recipe: what makes the photo right, what finds the subject, what looks.
OPERATIONS: tuple[type[OperationParams], ...] = get_args(AnyOperation)
_NAMES = tuple(str(operation.model_fields["op"].default) for operation in OPERATIONS)


class CheckedRecipe(Recipe):
    """A recipe whose operations are the classes of this package."""

    operations: tuple[Annotated[AnyOperation, Field(discriminator="op")], ...] = Field((), max_length=20)
    outputs: tuple[OutputSpec, ...] = Field((OutputSpec(),), max_length=20)

    @field_validator("outputs")
    @classmethod
    def _named_apart(cls, outputs: tuple[OutputSpec, ...]) -> tuple[OutputSpec, ...]:
        if len({output.name for output in outputs}) < len(outputs):
            raise ValueError("Two outputs have the same name.")
        return outputs or (OutputSpec(),)

    @field_validator("naming")
    @classmethod
    def _filled_in(cls, naming: str | None) -> str | None:
        if naming is not None:
            fields_of(naming)
        return naming or None


def parse_recipe(document: str | bytes | dict[str, object]) -> Recipe:
    """The recipe in a JSON document, or in what one was parsed to; its operations are of `OPERATIONS`.

    Raises InvalidRecipe, whose `fields` point to each fault.
    """
    content = parsed(document) if isinstance(document, str | bytes) else document
    if not isinstance(content, dict):
        _refuse([("", "A recipe is an object with `operations` and `outputs`.")])
    if _depth(content) > MAX_DEPTH:
        _refuse([("", "The recipe is nested too deep.")])
    try:
        return CheckedRecipe.model_validate(content)
    except ValidationError as problem:
        _refuse((_pointer(error), _message(error)) for error in problem.errors(include_url=False, include_input=False))


def parsed(document: str | bytes, most: int = MAX_RECIPE_BYTES) -> object:
    """What is in a JSON document of at most `most` bytes. Raises InvalidRecipe."""
    if len(document) > most:
        _refuse([("", f"A recipe has at most {most} bytes.")])
    try:
        return cast(object, json.loads(document, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        _refuse([("", "The recipe is not valid JSON.")])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(fields: Iterable[tuple[str, str]]) -> NoReturn:
    faults = tuple(fields)
    where, what = faults[0]
    raise errors.InvalidRecipe(f"{where}: {what}" if where else what, fields=faults)


def _depth(content: object) -> int:
    """How many objects and lists lie within each other, counted to one beyond the limit."""
    level, depth = [content], 0
    while level and depth <= MAX_DEPTH:
        below = [item for item in level if isinstance(item, dict | list)]
        depth += bool(below)
        level = [child for item in below for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _pointer(error: ErrorDetails) -> str:
    """The fault's JSON pointer; pydantic puts the operation's name behind its index, which the document has not."""
    location = list(error["loc"])
    if location[:1] == ["operations"]:
        if error["type"].startswith("union_tag"):
            location.append("op")
        elif len(location) > 2 and location[2] in _NAMES:
            del location[2]
    return pointer(location)


def _message(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "There is no parameter of this name."
        case "union_tag_invalid":
            return f"There is no operation of this name; there are {', '.join(_NAMES)}."
        case "union_tag_not_found":
            return f"The operation's name is missing; it is one of {', '.join(_NAMES)}."
        case "string_pattern_mismatch" if error["loc"][-1] == "aspect":
            return "An aspect is two whole numbers such as `1:1` or `35:45`."
    return error["msg"].removeprefix("Value error, ")


def named(recipe: Recipe, naming: str) -> Recipe:
    """The recipe with another template for names. Raises InvalidRecipe."""
    return parse_recipe({**recipe.model_dump(mode="json"), "naming": naming})


def models_needed(recipe: Recipe) -> frozenset[str]:
    """The models that the recipe names, `auto` among them, as it writes them."""
    names: set[str] = set()
    for step in recipe.operations:
        if isinstance(step, RemoveBackground) or (
            isinstance(step, IdPhoto) and step.background_used != ORIGINAL and not names
        ):
            names.add(step.model)
    return frozenset(names)


def looks_at_faces(recipe: Recipe) -> bool:
    """Whether a step looks for faces."""
    return any(isinstance(step, OperationParams) and step.looks_at_faces for step in recipe.operations)


@lru_cache(maxsize=64)
def needs_of(text: str) -> tuple[frozenset[str], bool]:
    """The models that a recipe as JSON names, and whether it looks for faces."""
    recipe = parse_recipe(text)
    return models_needed(recipe), looks_at_faces(recipe)


def tells_apart(recipe: Recipe) -> bool:
    """Whether results depend on more than the photo's bytes, so that two copies of a photo differ."""
    return any(isinstance(step, OperationParams) and step.tells_apart for step in recipe.operations)


def needs_names(recipe: Recipe) -> bool:
    """Whether photos cannot be done before their list of names is known."""
    return any(isinstance(step, Label) and step.needs_names for step in recipe.operations)


def needs_order(recipe: Recipe) -> bool:
    """Whether photos cannot be done before all are there and have their places."""
    return any(isinstance(step, Label) and step.needs_order for step in recipe.operations)


def assets_needed(recipe: Recipe) -> frozenset[str]:
    """The ids of the uploaded pictures that the recipe names."""
    steps = (step for step in recipe.operations if isinstance(step, OperationParams))
    return frozenset().union(*(step.assets for step in steps))
