"""`/api/assets`: pictures that recipes name, as backgrounds and marks."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from photo_processor import errors
from photo_processor.intake.multipart import Upload, UploadReader
from photo_processor.recipes.assets import measured
from photo_processor.schemas import Asset
from photo_processor.server.services import Rooms, check_space

router = APIRouter(prefix="/api/assets", tags=["assets"])
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("", status_code=201, response_model=Asset, openapi_extra=BODY)
async def add_asset(request: Request, rooms: Rooms) -> Response:
    """Upload a picture; a recipe names it `asset:` and its `id`. It is kept while jobs use it."""
    if rooms.worker.stopping:
        raise errors.Draining()
    await check_space(rooms)
    with Upload() as upload:
        reader = UploadReader(rooms.storage, rooms.settings, upload)
        await reader.read(request.headers.get("content-type", ""), request.stream())
        if len(upload.files) != 1:
            raise errors.NoFiles("Send one picture, in the field 'file'.")
        await asyncio.to_thread(rooms.scanner.check, upload.files[0].path)
        file = upload.files[0]
        rooms.assets.check(file)
        size = await rooms.previews.run(request, measured, file.path, rooms.settings.max_megapixels)
        asset = await asyncio.to_thread(rooms.assets.keep, file, size)
    return JSONResponse(asset.model_dump(), 201)
