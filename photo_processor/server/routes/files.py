"""`/api/jobs/{id}/files`: the photos of a job and everything made of them."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from photo_processor import errors
from photo_processor.imaging.decode import thumbnail_of
from photo_processor.intake.crops import frame_wanted
from photo_processor.intake.file_names import renamed
from photo_processor.intake.masks import mask_png
from photo_processor.queue.records import StoredFile
from photo_processor.recipes.parse import parse_recipe, tells_apart
from photo_processor.results.downloads import MEDIA_TYPES, name_of
from photo_processor.schemas import (
    Blob,
    CropRequest,
    FileNaming,
    FilePage,
    FileStatus,
    Frozen,
    Job,
    JobFile,
    Output,
    reduced,
)
from photo_processor.server.delivery import blob, readable, source
from photo_processor.server.routes.submission import MAX_REDO_FILES
from photo_processor.server.services import Rooms, Services
from photo_processor.storage.local import translated
from photo_processor.worker.stored import stored
from queue_manager import Redo

Original = Callable[[], Awaitable[tuple[Path, bool]]]  # a path, and whether it is deleted after use

MASK_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"image/png": {}}}}

router = APIRouter(prefix="/api/jobs/{job_id}/files", tags=["files"])


@router.get("", response_model=FilePage)
async def list_files(
    rooms: Rooms,
    job_id: str,
    status: FileStatus | Literal["review"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: str | None = None,
) -> Response:
    """The job's photos, in order of arrival; `?status=review` those that a person should look at."""
    page = await rooms.queue.files(job_id, status, limit, after)
    page = page.model_copy(update={"files": tuple(map(rooms.live.file, page.files))})
    return Response(await asyncio.to_thread(page.model_dump_json), media_type="application/json")


@router.get("/{file_id}")
async def get_file(rooms: Rooms, job_id: str, file_id: str) -> JobFile:
    """One photo with its outputs, timings, engine, warnings or error."""
    return rooms.live.file(await rooms.queue.file(job_id, file_id))


@router.delete("/{file_id}", status_code=204)
async def delete_file(rooms: Rooms, job_id: str, file_id: str) -> None:
    """Take the photo out of its job, at any time: the photo and what was made of it are gone.

    A photo in process is given up. Of a job that has no photo left, the job stays, completed.
    """
    await rooms.queue.delete_file(job_id, file_id)
    rooms.worker.drop([file_id])


class PhotosToDelete(Frozen):
    """Ids of photos of one job."""

    files: tuple[str, ...] = Field(min_length=1, max_length=MAX_REDO_FILES)


@router.post("/delete")
async def delete_files(rooms: Rooms, job_id: str, body: PhotosToDelete) -> Job:
    """As `DELETE` of each of these photos; those that are gone already are passed over."""
    job = await rooms.queue.delete_files(job_id, body.files)
    rooms.worker.drop(body.files)
    return rooms.live.job(job)


async def _version(
    v: Annotated[
        str | None, Query(description="Anything, for a browser to ask anew; the server passes it over.")
    ] = None,
) -> None:
    """What pages append to the address of a picture that has changed."""


VERSIONED = [Depends(_version)]


def _largest(file: JobFile) -> Output:
    """The result of the most px; of several, the first."""
    _output(file, None)
    return max(file.outputs, key=lambda output: output.width * output.height)


@router.get("/{file_id}/source", response_class=FileResponse, dependencies=VERSIONED)
async def get_source(rooms: Rooms, job_id: str, file_id: str, download: bool = True) -> FileResponse:
    """The photo as it was uploaded; always as an attachment, whatever `download` says."""
    stored = await rooms.queue.stored(job_id, file_id)
    path, temporary = await _source(rooms, job_id, stored)
    cleanup = BackgroundTask(path.unlink, missing_ok=True) if temporary else None
    return source(path, stored.media_type, stored.name, cleanup, stored.sha256)


@router.get("/{file_id}/result", response_class=FileResponse, dependencies=VERSIONED)
@router.get("/{file_id}/result/{output}", response_class=FileResponse, dependencies=VERSIONED)
async def get_result(
    rooms: Rooms,
    job_id: str,
    file_id: str,
    output: str | None = None,
    download: bool = False,
    form: Annotated[Literal["bytes", "data_url"], Query(alias="as")] = "bytes",
) -> Response:
    """A result of the photo, the first where none is named; `?as=data_url` wraps it in JSON."""
    file = await rooms.queue.file(job_id, file_id)
    found = _output(file, output)
    path = rooms.storage.path(job_id, "result", found.sha256)
    if form == "data_url":
        with readable():
            encoded = base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()
        content = {"data_url": f"data:{MEDIA_TYPES[found.format]};base64,{encoded}"}
        return JSONResponse(content, headers={"Cache-Control": "private, no-cache"})
    name = name_of(file, found, await rooms.queue.job(job_id))
    return blob(path, MEDIA_TYPES[found.format], name, attachment=download, etag=found.sha256)


def _output(file: JobFile, name: str | None) -> Output:
    if file.status != "completed":
        raise errors.ResultNotFound() if file.status in ("failed", "cancelled") else errors.ResultNotReady()
    for output in file.outputs:
        if name in (None, output.name):
            return output
    raise errors.ResultNotFound()


@router.get("/{file_id}/mask", response_class=FileResponse, dependencies=VERSIONED)
async def get_mask(rooms: Rooms, job_id: str, file_id: str) -> FileResponse:
    """The matte of the upright photo: an 8-bit grey PNG, white where the subject is."""
    stored = await rooms.queue.stored(job_id, file_id)
    if stored.mask is None:
        raise errors.MaskNotFound() if stored.finished else errors.ResultNotReady()
    name = f"{Path(stored.name).stem}-mask.png"
    return blob(rooms.storage.path(job_id, "mask", stored.mask), "image/png", name, attachment=False, etag=stored.mask)


@router.put("/{file_id}/mask", openapi_extra=MASK_BODY)
async def put_mask(request: Request, rooms: Rooms, job_id: str, file_id: str) -> Job:
    """Make the photo again with the mask in the body, which a person drew: the result and the ZIP follow.

    The mask that it has already changes nothing.
    """
    file = await rooms.queue.file(job_id, file_id)
    part = rooms.storage.incoming()
    try:
        await _receive(request, part, rooms.settings.max_file_bytes)
        if file.width is None or file.height is None:
            raise errors.ResultNotReady
        async with stored(rooms.queue, rooms.storage, job_id) as shelf:
            most = rooms.settings.max_megapixels
            mask = await rooms.previews.run(request, mask_png, part, file.width, file.height, most)
            digest = await asyncio.to_thread(shelf.put, mask, "mask")
            if file.status == "completed" and digest == (await rooms.queue.stored(job_id, file_id)).mask:
                return rooms.live.job(await rooms.queue.job(job_id))
            job = await rooms.queue.draw_mask(job_id, file_id, digest)
            shelf.kept = True
        return rooms.live.job(job)
    finally:
        part.unlink(missing_ok=True)


@router.delete("/{file_id}/mask")
async def delete_mask(rooms: Rooms, job_id: str, file_id: str) -> Job:
    """Make the photo again with the model's own mask."""
    return rooms.live.job(await rooms.queue.draw_mask(job_id, file_id, None))


@router.put("/{file_id}/crop")
async def put_crop(rooms: Rooms, job_id: str, file_id: str, body: CropRequest) -> Job:
    """Cut the photo out anew by a frame of your own, with the mask it has: no model runs, and it is measured again."""
    file = await rooms.queue.file(job_id, file_id)
    wanted = frame_wanted(body, file)
    return rooms.live.job(await rooms.queue.want_crop(job_id, file_id, wanted))


@router.delete("/{file_id}/crop")
async def delete_crop(rooms: Rooms, job_id: str, file_id: str) -> Job:
    """Cut the photo out as the operation does."""
    return rooms.live.job(await rooms.queue.want_crop(job_id, file_id, None))


@router.patch("/{file_id}")
async def name_file(rooms: Rooms, job_id: str, file_id: str, body: FileNaming) -> Job:
    """Give the photo another name, number or caption than it came with or the list of names says.

    What its results are called follows; where a label shows it, the photo is done again.
    """
    file = await rooms.queue.file(job_id, file_id)
    job = await rooms.queue.name_file(job_id, file_id, renamed(body.name, file.name), body)
    recipe = parse_recipe((file.recipe or job.recipe).model_dump_json())
    if file.status == "completed" and job.status != "cancelled" and tells_apart(recipe):
        job = await rooms.queue.reprocess_some(job_id, Redo((file_id,), None, None, apart=True))
    return rooms.live.job(job)


class PhotosToAccept(Frozen):
    """Ids of photos of one job; `accepted` false takes back that they look fine."""

    files: tuple[str, ...] = Field(min_length=1, max_length=MAX_REDO_FILES)
    accepted: bool = True


@router.post("/accept")
async def accept_files(rooms: Rooms, job_id: str, body: PhotosToAccept) -> Job:
    """As `POST /accept` of each of these photos, or its undoing; photos with nothing to look at are passed over."""
    return rooms.live.job(await rooms.queue.accept_some(job_id, body.files, body.accepted))


@router.delete("/{file_id}/accept")
async def unaccept_file(rooms: Rooms, job_id: str, file_id: str) -> Job:
    """Take back that a photo looks fine; what was to be looked at is so again."""
    return rooms.live.job(await rooms.queue.unaccept(job_id, file_id))


@router.post("/{file_id}/accept")
async def accept_file(rooms: Rooms, job_id: str, file_id: str) -> Job:
    """Say that the photo looks fine: nothing of it is left to look at."""
    return rooms.live.job(await rooms.queue.accept(job_id, file_id))


async def _receive(request: Request, path: Path, most: int) -> None:
    size = 0
    with translated(), path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise errors.RequestTooLarge(f"A mask may have at most {most // 1_000_000} MB.")
            await asyncio.to_thread(file.write, chunk)


@router.get("/{file_id}/thumbnail", response_class=FileResponse, dependencies=VERSIONED)
async def get_thumbnail(
    request: Request,
    rooms: Rooms,
    job_id: str,
    file_id: str,
    of: Literal["result", "source"] = "result",
    size: Literal["320", "1600"] = "320",
) -> FileResponse:
    """A WebP, `size` px at most: of the largest result if there is one, else (or with `?of=source`) of the photo."""
    stored = await rooms.queue.stored(job_id, file_id)
    small = rooms.storage.path(job_id, "thumbnail", stored.thumbnail or "")
    if of == "source" or stored.thumbnail is None:
        original = partial(_source, rooms, job_id, stored)
        path = await _reduced(request, rooms, job_id, reduced("source", int(size), file_id), int(size), original)
    elif size == "320" and await asyncio.to_thread(_is_whole, small):
        path = small
    else:
        output = _largest(await rooms.queue.file(job_id, file_id))
        blob_path = rooms.storage.path(job_id, "result", output.sha256)
        made = reduced("result", int(size), output.sha256)
        path = await _reduced(request, rooms, job_id, made, int(size), partial(_kept, blob_path))
    response = blob(path, "image/webp", "thumbnail.webp", attachment=False, etag=path.name)
    response.headers["Cache-Control"] = "private, no-cache"  # the address outlives the picture
    return response


async def _reduced(request: Request, rooms: Services, job_id: str, wanted: Blob, px: int, original: Original) -> Path:
    """A reduced picture of `original`, made once."""
    made = rooms.storage.path(job_id, *wanted)
    if await asyncio.to_thread(made.exists):
        return made
    path, temporary = await original()
    try:
        with readable():
            data = await rooms.previews.run(request, thumbnail_of, path, px, rooms.settings.max_megapixels)
        async with stored(rooms.queue, rooms.storage, job_id) as shelf:  # the photo may be deleted meanwhile
            await asyncio.to_thread(shelf.put_as, data, wanted)
    finally:
        if temporary:
            path.unlink(missing_ok=True)
    return made


def _is_whole(path: Path) -> bool:
    """Thumbnails are not flushed to disk: one written just before a power cut may be empty, or gone."""
    return path.is_file() and path.stat().st_size > 0


async def _kept(path: Path) -> tuple[Path, bool]:
    return path, False


async def _source(rooms: Services, job_id: str, stored: StoredFile) -> tuple[Path, bool]:
    """The uploaded bytes, and whether they are a copy to be deleted after use (still packed in a ZIP)."""
    if stored.sha256 is not None:
        return rooms.storage.path(job_id, "source", stored.sha256), False
    if stored.archive is None or stored.entry is None:
        raise errors.ResultNotFound("This photo was refused on arrival and is not kept.")
    archive, part = rooms.storage.path(job_id, "archive", stored.archive), rooms.storage.incoming()
    unpack = partial(rooms.archives.unpack, archive, stored.entry, part, rooms.settings.max_file_bytes)
    try:
        with readable():
            await asyncio.to_thread(unpack)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part, True
