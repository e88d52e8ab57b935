"""`/api/jobs`: submit, watch, control, delete, download."""

import asyncio
import copy
import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from photo_processor import errors
from photo_processor.intake.accept import Accepted, accept
from photo_processor.intake.multipart import Upload, UploadReader
from photo_processor.intake.name_lists import is_list
from photo_processor.intake.url_fetcher import parse_urls, url_name
from photo_processor.recipes.parse import named, needs_names, needs_order, tells_apart
from photo_processor.results.downloads import Download, zip_of
from photo_processor.results.places import PATTERN, among
from photo_processor.schemas import Blob, Frozen, Job, JobFile, JobPage, JobStatus, NameList, Priority, pointer
from photo_processor.server.delivery import HeldStream, disposition, held
from photo_processor.server.middleware.bodies import MAX_DOCUMENT
from photo_processor.server.routes.submission import (
    MAX_REDO_FILES,
    fingerprint,
    parse_redo,
    parse_submission,
    recipe_of,
)
from photo_processor.server.services import Rooms, Services, check_space
from photo_processor.storage.local import Shelf, Storage
from photo_processor.worker.stored import stored
from queue_manager import NewJob, Redo, new_id

PAGE = 500  # files read at a time for a ZIP
MAX_INDEX = 1_000_000  # of a place among the photos chosen

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "urls": {
                            "type": "array",
                            "items": {"type": "string", "format": "uri"},
                            "description": "Photos to fetch, where the server does that (`PHOTO_URL_INGEST`).",
                        },
                        "recipe": {"type": "string", "description": "A recipe as JSON."},
                        "preset": {"type": "string"},
                        "remove_bg": {"type": "boolean", "default": True},
                        "crop_face": {"type": "boolean", "default": False},
                        "model": {"type": "string", "default": "auto"},
                        "background": {"type": "string", "default": "transparent"},
                        "format": {
                            "type": "string",
                            "enum": ["png", "webp", "jpeg", "avif", "tiff", "gif", "bmp", "svg"],
                        },
                        "naming": {"type": "string", "description": "A template for the names of results."},
                        "name": {"type": "string"},
                        "priority": {"type": "string", "enum": ["high", "normal", "batch"]},
                    },
                }
            }
        },
    }
}

ADDED_BODY = copy.deepcopy(UPLOAD_BODY)
ADDED_BODY["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["index"] = {  # type: ignore[index]
    "type": "integer",
    "description": "The place of these files among all that were chosen, from 1.",
}


REDO_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "operations": {"type": "array", "items": {"$ref": "#/components/schemas/Operation"}},
                        "outputs": {"type": "array", "items": {"$ref": "#/components/schemas/OutputSpec"}},
                        "files": {"type": "array", "items": {"type": "string"}, "maxItems": MAX_REDO_FILES},
                        "model": {"type": "string"},
                    },
                }
            }
        },
    }
}


class AddedFiles(Frozen):
    """What a request added to an open job."""

    files: tuple[JobFile, ...]
    job: Job


@router.post("", status_code=202, response_model=Job, openapi_extra=UPLOAD_BODY)
async def create_job(
    request: Request,
    rooms: Rooms,
    open_job: Annotated[bool, Query(alias="open")] = False,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Submit photos and ZIPs; with `?open=true`, a job that gets its files in later requests, until it is sealed."""
    with Upload() as upload:
        await _receive(request, rooms, upload, optional=open_job)
        submission = parse_submission(upload.fields)
        urls = _urls_of(upload, rooms)
        recipe = recipe_of(submission, rooms)
        new = NewJob(
            id=new_id(),
            name=submission.name or _default_name(upload, urls),
            recipe=recipe,
            apart=tells_apart(recipe),
            waits=needs_names(recipe) or (open_job and needs_order(recipe)),
            priority=submission.priority,
            batch=open_job or len(urls) > 1,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint(upload, "open" if open_job else "") if idempotency_key else None,
        )
        accepted = Accepted((), batch=True)
        async with stored(rooms.queue, rooms.storage, new.id) as shelf:
            if upload.files or not (open_job or urls):
                accepted = await _accept(rooms, upload, shelf, alone=not (open_job or urls))
            if rooms.urls and urls:
                await rooms.urls.note(new.id, urls, seal=not open_job)
            job = await _enqueue(rooms, new, accepted, seal=not (open_job or urls))
            shelf.kept = job.id == new.id
        if rooms.urls and urls and job.id == new.id:
            rooms.urls.start(new.id, urls, seal=not open_job)
    shown = rooms.live.job(job)
    return JSONResponse(shown.model_dump(mode="json"), 202, {"Location": shown.links["self"]})


def _urls_of(upload: Upload, rooms: Services) -> tuple[str, ...]:
    urls = parse_urls(upload.urls, rooms.settings.max_request_files)
    if urls and rooms.urls is None:
        raise errors.UrlIngestDisabled()
    return urls


async def _receive(request: Request, rooms: Services, upload: Upload, *, optional: bool = False) -> None:
    """Read the body to disk, where there is room for it."""
    if rooms.worker.stopping:
        raise errors.Draining()
    if await rooms.queue.waiting_jobs() >= rooms.settings.max_waiting_jobs:
        raise errors.QueueFull()
    length = int(request.headers.get("content-length", "0"))
    if length > rooms.settings.max_request_bytes:
        raise errors.RequestTooLarge(f"A request may have at most {rooms.settings.max_request_bytes // 1_000_000} MB.")
    await check_space(rooms, length)
    content_type = request.headers.get("content-type", "")
    if optional and not content_type and length == 0:
        return
    await UploadReader(rooms.storage, rooms.settings, upload).read(content_type, request.stream())


async def _accept(rooms: Services, upload: Upload, shelf: Shelf, *, alone: bool) -> Accepted:
    return await asyncio.to_thread(accept, upload, shelf, rooms.settings, rooms.scanner, alone=alone)


async def _enqueue(rooms: Services, new: NewJob, accepted: Accepted, *, seal: bool) -> Job:
    """Write the job; where its key is known already, the first job stands and the new bytes go."""
    job = None
    try:
        job = await rooms.queue.enqueue(new, accepted.files, accepted.names, seal=seal)
    finally:
        if job is None or job.id != new.id:
            await asyncio.to_thread(rooms.storage.delete_job, new.id)
    return job


def _default_name(upload: Upload, urls: tuple[str, ...]) -> str:
    names = [file.name for file in upload.files if not is_list(file.name)] + [url_name(url) for url in urls]
    if not names:
        return "Photos"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


@router.post("/{job_id}/files", status_code=202, response_model=AddedFiles, openapi_extra=ADDED_BODY)
async def add_files(
    request: Request,
    rooms: Rooms,
    job_id: str,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> AddedFiles:
    """Add photos, ZIPs or `urls` to an open job; they are processed as they arrive. A repeated key adds nothing more,
    and is refused where the request is another.

    `index` is the place of these files among all that were chosen, from 1: where requests overtake each other, the
    photos come into that order when the job is sealed.
    """
    await rooms.queue.job(job_id)
    with Upload() as upload:
        await _receive(request, rooms, upload)
        urls = _urls_of(upload, rooms)
        chosen = _chosen(upload)
        async with stored(rooms.queue, rooms.storage, job_id) as shelf:
            accepted = Accepted((), batch=True)
            if upload.files or not urls:
                accepted = await _accept(rooms, upload, shelf, alone=False)
            rows = tuple(replace(row, chosen=chosen) for row in accepted.files)
            limit = rooms.settings.max_job_files
            request_print = fingerprint(upload, job_id) if idempotency_key else None
            job, ids = await rooms.queue.add_files(job_id, rows, limit, idempotency_key, accepted.names, request_print)
            shelf.kept = ids == [row.id for row in rows]
        if rooms.urls and urls:
            await rooms.urls.add(job_id, urls, idempotency_key)
    files = []
    for file_id in ids:
        with suppress(errors.FileNotFound):  # it was deleted, before this request came once more
            files.append(await rooms.queue.file(job_id, file_id))
    return AddedFiles(files=tuple(map(rooms.live.file, files)), job=rooms.live.job(job))


def _chosen(upload: Upload) -> int | None:
    """The place of a request's files among all that were chosen, where the client says it."""
    text = upload.fields.get("index", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= MAX_INDEX:
        fault = f"A place is a whole number from 1 to {MAX_INDEX}."
        raise errors.ValidationFailed("A field of the form is not valid.", fields=((pointer(("index",)), fault),))
    return int(text)


@router.post("/{job_id}/seal")
async def seal_job(rooms: Rooms, job_id: str) -> Job:
    """Say that an open job has all its files; one whose URLs are still being fetched is sealed after the last."""
    if rooms.urls and await rooms.urls.seal_later(job_id):
        return rooms.live.job(await rooms.queue.job(job_id))
    return rooms.live.job(await rooms.queue.seal(job_id))


@router.get("/{job_id}/names")
async def get_names(rooms: Rooms, job_id: str) -> NameList:
    """The rows of the lists of names that came with the photos, and which of them a photo has."""
    return await rooms.queue.names(job_id)


@router.get("")
async def list_jobs(
    rooms: Rooms,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: str | None = None,
) -> JobPage:
    """Earlier jobs, newest first."""
    page = await rooms.queue.jobs(status, limit, before)
    return JobPage(jobs=tuple(map(rooms.live.job, page.jobs)), next=page.next)


@router.get("/{job_id}", response_model=Job)
async def get_job(rooms: Rooms, job_id: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """One job; with `ETag`, so that polling costs little."""
    job = rooms.live.job(await rooms.queue.job(job_id))
    text = job.model_dump_json()
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


@router.post("/{job_id}/cancel")
async def cancel_job(rooms: Rooms, job_id: str) -> Job:
    """Stop the job; what is finished stays."""
    job = await rooms.queue.cancel(job_id)
    rooms.worker.cancel(job_id)
    return rooms.live.job(job)


@router.post("/{job_id}/pause")
async def pause_job(rooms: Rooms, job_id: str) -> Job:
    """Start no further photo of the job; running ones finish."""
    return rooms.live.job(await rooms.queue.pause(job_id))


@router.post("/{job_id}/resume")
async def resume_job(rooms: Rooms, job_id: str) -> Job:
    """Go on with a paused job."""
    return rooms.live.job(await rooms.queue.resume(job_id))


@router.post("/{job_id}/retry")
async def retry_job(rooms: Rooms, job_id: str, file: str | None = None) -> Job:
    """Try the failed and the cancelled photos again, or with `?file=` one of them."""
    return rooms.live.job(await rooms.queue.retry(job_id, file))


@router.post("/{job_id}/front")
async def move_to_front(rooms: Rooms, job_id: str) -> Job:
    """Serve the job next."""
    return rooms.live.job(await rooms.queue.to_front(job_id))


class JobChange(Frozen):
    """What may be changed of a job; what is absent stays. A job that is kept does not expire."""

    name: str | None = Field(None, max_length=200)
    priority: Priority | None = None
    keep: bool | None = None
    naming: str | None = Field(None, max_length=200, description="A template for the names of results; empty: none.")


@router.patch("/{job_id}")
async def change_job(rooms: Rooms, job_id: str, change: JobChange) -> Job:
    """Rename the job or its results, change its priority, or keep it."""
    if change.naming is not None:
        job = await rooms.queue.job(job_id)
        await rooms.queue.name_results(job_id, named(job.recipe, change.naming))
    return rooms.live.job(await rooms.queue.change(job_id, change.name, change.priority, change.keep))


@router.post("/{job_id}/reprocess", openapi_extra=REDO_BODY)
async def reprocess_job(request: Request, rooms: Rooms, job_id: str) -> Job:
    """Do the photos of an ended job again by another recipe, the JSON body; mattes are used again.

    The results so far stay until the new ones are there: a photo that cannot be done again keeps them, with the warning
    `redo_failed`, and `undo` brings them back. With `files`, only these, each finished or failed, of a job that may be
    running still; with `model`, by that one. Without `operations` and `outputs`, each as it was done last.
    """
    redo = parse_redo(await _body(request), rooms)
    if isinstance(redo, Redo):
        return rooms.live.job(await rooms.queue.reprocess_some(job_id, redo))
    return rooms.live.job(await rooms.queue.reprocess(job_id, redo, apart=tells_apart(redo)))


class Undo(Frozen):
    """The photos to have back as they were; absent: all of the job."""

    files: tuple[str, ...] | None = Field(None, min_length=1, max_length=MAX_REDO_FILES)


@router.post("/{job_id}/undo")
async def undo_job(rooms: Rooms, job_id: str, undo: Undo | None = None) -> Job:
    """Have photos as they were before they were last done again or corrected; a second time, what was undone.

    One that is being done again is as before at once. 409 where nothing is kept of any of them.
    """
    return rooms.live.job(await rooms.queue.undo(job_id, undo.files if undo else None))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_DOCUMENT:
            raise errors.RequestTooLarge("The recipe is too long.")
    return body


@router.delete("/{job_id}", status_code=204)
async def delete_job(rooms: Rooms, job_id: str) -> None:
    """The job, its photos and its results are gone."""
    await rooms.queue.delete(job_id)
    rooms.worker.cancel(job_id)
    await asyncio.to_thread(rooms.storage.delete_job, job_id)


@router.get("/{job_id}/download", response_class=StreamingResponse)
async def download_job(
    request: Request,
    rooms: Rooms,
    job_id: str,
    photos: Annotated[str | None, Query(pattern=PATTERN, max_length=8000)] = None,
) -> StreamingResponse:
    """The results so far as a ZIP, under their original names, with `manifest.json`.

    `photos` are the places of some photos, as `1-3,7`: then theirs alone.
    """
    job = await rooms.queue.job(job_id)
    files: list[JobFile] = []
    after = None
    while True:
        page = await rooms.queue.files(job_id, None, PAGE, after, facts=True)
        files += page.files
        after = page.next
        if after is None:
            break
    files = among(files, photos)
    unused = await rooms.queue.unused_names(job_id) if job.names else []
    blobs = [Blob("result", output.sha256) for file in files for output in file.outputs]
    async with held(rooms, job_id, blobs) as release:
        await rooms.queue.job(job_id)  # not found, where it was deleted before its blobs were held
        download = await rooms.archiving.run(request, _zip_of, job, files, rooms.storage, unused)
        headers = {
            "Content-Length": str(download.size),
            "Content-Disposition": disposition(download.name, attachment=True),
            "Accept-Ranges": "none",
        }
        return HeldStream(download.chunks, "application/zip", headers, release.later())


def _zip_of(job: Job, files: list[JobFile], storage: Storage, unused: list[str]) -> Download:
    return zip_of(job, _there(storage, job.id, files), storage, unused)


def _there(storage: Storage, job_id: str, files: list[JobFile]) -> list[JobFile]:
    """The files without results that went between the look at their rows and now."""
    return [
        file.model_copy(
            update={
                "outputs": tuple(
                    output for output in file.outputs if storage.path(job_id, "result", output.sha256).exists()
                )
            }
        )
        for file in files
    ]
