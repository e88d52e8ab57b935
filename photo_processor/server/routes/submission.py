"""The fields of a submission: a recipe as JSON, a preset, or the simple fields; and what is to be done again."""

import hashlib
import json

from pydantic import Field, ValidationError

from photo_processor import errors
from photo_processor.intake.multipart import Upload
from photo_processor.recipes import assets_needed, models_needed, parse_recipe, simple_recipe
from photo_processor.recipes.parse import named, parsed, tells_apart
from photo_processor.schemas import Format, Frozen, Priority, Recipe, pointer
from photo_processor.server.services import Services
from queue_manager import Redo

MAX_REDO_FILES = 10_000


class Submission(Frozen):
    """What may stand beside the files of `POST /api/jobs`."""

    recipe: str | None = None
    preset: str | None = None
    remove_bg: bool | None = None
    crop_face: bool | None = None
    model: str | None = None
    background: str | None = None
    format: Format | None = None
    naming: str | None = Field(None, max_length=200)
    name: str | None = Field(None, max_length=200)
    priority: Priority = "normal"

    def chosen(self, *names: str) -> tuple[str, ...]:
        """Those of `names` that the request set."""
        return tuple(name for name in names if getattr(self, name) is not None)


def parse_submission(fields: dict[str, str]) -> Submission:
    """The form's fields, checked; an empty field counts as absent.

    Raises:
        errors.ValidationFailed: with a pointer to each field.
    """
    try:
        return Submission.model_validate({name: text for name, text in fields.items() if text.strip()})
    except ValidationError as error:
        places = tuple((pointer(item["loc"]), item["msg"]) for item in error.errors())
        raise errors.ValidationFailed("A field of the form is not valid.", fields=places) from error


def recipe_of(submission: Submission, services: Services) -> Recipe:
    """The recipe that the submission asks for, its models known to this server."""
    simple = submission.chosen("remove_bg", "crop_face", "model", "background", "format")
    if submission.recipe is not None:
        if simple or submission.preset:
            raise errors.InvalidRecipe("Send either 'recipe' or the simple fields, not both.")
        recipe = parse_recipe(submission.recipe)
    elif submission.preset is not None:
        recipe = _preset_recipe(submission, simple, services)
    else:
        recipe = simple_recipe(
            remove_bg=submission.remove_bg is not False,
            crop_face=submission.crop_face is True,
            model=submission.model or "auto",
            background=submission.background or "transparent",
            format=submission.format or "png",
        )
    if submission.naming is not None:
        recipe = named(recipe, submission.naming)
    known_names(recipe, services)
    return recipe


def known_names(recipe: Recipe, services: Services) -> None:
    """Raises errors.UnknownModel, errors.AssetNotFound where this server lacks a model or picture of the recipe."""
    for name in models_needed(recipe):
        services.models.segmenter(name)
    services.assets.use(assets_needed(recipe))


class _RedoFields(Frozen):
    """What `POST /api/jobs/{id}/reprocess` takes beside the recipe."""

    files: tuple[str, ...] | None = Field(None, min_length=1, max_length=MAX_REDO_FILES)
    model: str | None = None


def parse_redo(document: bytes, services: Services) -> Recipe | Redo:
    """What is to be done again: a whole job by a recipe, or some of its photos.

    Raises:
        errors.InvalidRecipe, errors.UnknownModel: with a pointer to each fault.
    """
    content = parsed(document, most=len(document))
    if not isinstance(content, dict) or not content.keys() & {"files", "model"}:
        recipe = parse_recipe(document)
        known_names(recipe, services)
        return recipe
    try:
        fields = _RedoFields.model_validate_json(
            json.dumps({key: content.pop(key, None) for key in ("files", "model")})
        )
    except ValidationError as error:
        places = tuple((pointer(item["loc"]), item["msg"]) for item in error.errors())
        raise errors.InvalidRecipe(f"{places[0][0]}: {places[0][1]}", fields=places) from error
    if fields.files is None:
        text = "A model alone is not enough: name the photos."
        raise errors.InvalidRecipe(text, fields=(("/files", text),))
    another = parse_recipe(json.dumps(content)) if content else None
    if another is not None:
        known_names(another, services)
    model = None if fields.model is None else services.models.segmenter(fields.model)
    return Redo(fields.files, another, model, apart=another is not None and tells_apart(another))


def _preset_recipe(submission: Submission, simple: tuple[str, ...], services: Services) -> Recipe:
    if simple:
        raise errors.ValidationFailed("A preset stands alone: send a recipe to change one of its parts.")
    return services.presets.find(submission.preset or "").recipe


def fingerprint(upload: Upload, target: str = "") -> str:
    """SHA-256 over the fields and files of a request, and what it is for: what an Idempotency-Key stands for."""
    content = (sorted(upload.fields.items()), upload.urls)
    digest = hashlib.sha256(repr((*content, target) if target else content).encode())
    for file in upload.files:
        digest.update(f"{file.name}\0{file.sha256}\0".encode())
    return digest.hexdigest()
