"""What can be asked for: operations, presets, models. Forms and docs are drawn from here."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import FileResponse

from models import ModelInfo
from operations import PRESETS, OperationInfo, Preset, catalogue
from routes.services import Rooms
from routes.system import STATIC
from schemas import Frozen, OutputSpec

router = APIRouter(prefix="/api", tags=["catalogue"])


class Operations(Frozen):
    """Every operation with the JSON Schema of its parameters, and the schema of an output."""

    operations: tuple[OperationInfo, ...]
    outputs: dict[str, object]


class Presets(Frozen):
    """Named recipes."""

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
async def list_presets() -> Presets:
    """Named recipes."""
    return Presets(presets=PRESETS)


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
