"""What can be asked for: operations, presets, models. Forms and docs are drawn from here."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from starlette.responses import FileResponse

from photo_processor import errors
from photo_processor.models.store import ModelInfo
from photo_processor.recipes import OperationInfo, Preset, catalogue, parse_recipe
from photo_processor.recipes.own_presets import NewPreset, PresetName
from photo_processor.schemas import Frozen, OutputSpec
from photo_processor.server.routes.submission import known_names
from photo_processor.server.routes.system import STATIC
from photo_processor.server.services import Rooms

router = APIRouter(prefix="/api", tags=["catalogue"])


class Operations(Frozen):
    """Every operation with the JSON Schema of its parameters, and the schema of an output."""

    operations: tuple[OperationInfo, ...]
    outputs: dict[str, object]


class PresetList(Frozen):
    """Named recipes; `own` are those made on this server, which may be changed."""

    presets: tuple[Preset, ...]


class Models(Frozen):
    """Every model, and the one that `auto` stands for now."""

    auto: str
    models: tuple[ModelInfo, ...]


@router.get("/operations")
async def list_operations() -> Operations:
    """The steps a recipe may have."""
    return Operations(operations=catalogue(), outputs=OutputSpec.model_json_schema())


@router.get("/presets")
async def list_presets(rooms: Rooms) -> PresetList:
    """Named recipes."""
    return PresetList(presets=await asyncio.to_thread(rooms.presets.all))


@router.get("/presets/{name}")
async def get_preset(rooms: Rooms, name: str) -> Preset:
    """One named recipe, as it can be sent to another server."""
    try:
        return await asyncio.to_thread(rooms.presets.find, name)
    except errors.UnknownPreset as problem:
        raise errors.NotFound(problem.detail) from problem


@router.put("/presets/{name}")
async def put_preset(rooms: Rooms, name: PresetName, preset: NewPreset) -> Preset:
    """Keep a recipe under a name, for everybody who uses this server."""
    if preset.name not in (None, name):
        raise errors.ValidationFailed("The name in the document is another than that in the address.")
    known_names(parse_recipe(dict(preset.recipe)), rooms)
    return await asyncio.to_thread(rooms.presets.put, name, preset)


@router.delete("/presets/{name}", status_code=204)
async def delete_preset(rooms: Rooms, name: str) -> None:
    """Forget a preset made on this server."""
    await asyncio.to_thread(rooms.presets.delete, name)


@router.get("/models")
async def list_models(rooms: Rooms) -> Models:
    """The models, with licence, size, state and the progress of a download."""
    return Models(auto=rooms.models.auto_name(), models=rooms.models.rows())


@router.post("/models/{name}/download", status_code=202)
async def download_model(rooms: Rooms, name: str) -> Models:
    """Fetch a model in the background; `GET /api/models` shows how far it is."""
    rooms.models.download(rooms.models.canonical(name))
    return await list_models(rooms)


@router.post("/models/{name}/optimize", status_code=202)
async def optimize_model(rooms: Rooms, name: str) -> Models:
    """Make a network faster on this machine, in the background; `GET /api/models` shows how far that is."""
    rooms.models.optimise(rooms.models.canonical(name))
    return await list_models(rooms)


@router.get("/languages/{code}", response_class=FileResponse)
async def get_language(code: Literal["de", "es", "fr"]) -> FileResponse:
    """The texts of the front ends in a language, by their keys and by the server's own English texts."""
    return FileResponse(STATIC / "lang" / f"{code}.json", media_type="application/json")
