"""The page, its sample photo, health and totals."""

import asyncio
import importlib.util
import time
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from photo_processor import errors
from photo_processor.schemas import CleanupReport, Frozen, Notice, Timestamp, Totals
from photo_processor.server.services import Rooms, Services

_PACKAGE = Path(str(resources.files("photo_processor")))
# Installed, the page's files lie in the package; in a checkout beside it.
STATIC = _PACKAGE / "static" if (_PACKAGE / "static").is_dir() else _PACKAGE.parent / "static"
VERSION = version("photo-processor")

UNSCANNED = Notice(
    code="scanner_away", message="The virus scanner does not answer; uploads are not scanned, or refused."
)

router = APIRouter(tags=["system"])


class Depth(Frozen):
    """Files waiting and files in process."""

    queued: int
    processing: int


class Health(Frozen):
    """Liveness: `degraded` for the `reasons` given. `workers`: those that run; `upkeep_ended_at`: when the last round
    of cleaning and backing up ended well. `models`: the names of those installed. `url_ingest`: whether photos are
    fetched from URLs."""

    status: Literal["ok", "degraded"]
    reasons: tuple[Notice, ...]
    version: str
    uptime_s: float
    queue: Depth
    workers: int
    models: tuple[str, ...]
    sockets: int
    free_bytes: int
    url_ingest: bool
    upkeep_ended_at: Timestamp | None
    notices: tuple[Notice, ...]


@router.get("/health", responses={503: {"model": Health, "description": "No worker runs"}})
async def health(rooms: Rooms, response: Response) -> Health:
    """Alive, and with what; 503 where no worker runs."""
    queued, running = await rooms.queue.depth()
    reasons = _reasons(rooms)
    if rooms.worker.alive == 0:
        response.status_code = 503
    return Health(
        status="degraded" if reasons else "ok",
        reasons=reasons,
        version=VERSION,
        uptime_s=round(time.monotonic() - rooms.started, 1),
        queue=Depth(queued=queued, processing=running),
        workers=rooms.worker.alive,
        models=tuple(row.name for row in rooms.models.rows() if row.state == "installed"),
        sockets=rooms.sockets.clients,
        free_bytes=await asyncio.to_thread(rooms.storage.free_bytes),
        url_ingest=rooms.urls is not None,
        upkeep_ended_at=rooms.upkeep.ended_at,
        notices=(*rooms.upkeep.notices, *((UNSCANNED,) if rooms.scanner.is_away else ())),
    )


def _reasons(rooms: Services) -> tuple[Notice, ...]:
    """Why not all is well."""
    found = []
    if rooms.worker.stopping:
        found.append(Notice(code="draining", message="The server is stopping; no photo is begun."))
    elif rooms.worker.alive == 0:
        found.append(Notice(code="no_worker", message="No worker runs; photos wait."))
    if not rooms.queue.is_writable:
        found.append(Notice(code="queue_unavailable", message="The queue could not be written; it is tried again."))
    found += [
        Notice(code="task_down", message=f"The task '{name}' ended by an error; it is started again.")
        for name in rooms.supervisor.down
    ]
    return tuple(found)


@router.get("/metrics", response_class=Response)
async def metrics(rooms: Rooms) -> Response:
    """For Prometheus."""
    _, running = await rooms.queue.depth()
    text = rooms.metrics.text(
        queued={str(name): count for name, count in (await rooms.queue.depth_by_priority()).items()},
        running=running,
        sockets=rooms.sockets.clients,
        models={row.name: row.state in ("installed", "built_in") for row in rooms.models.rows()},
        inferences=rooms.models.inferences,
        free_bytes=await asyncio.to_thread(rooms.storage.free_bytes),
        workers=rooms.worker.alive,
        failures=rooms.supervisor.failures,
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/stats")
async def stats(rooms: Rooms) -> Totals:
    """Counts over all jobs still kept, today and this week, and what each model has done here."""
    return await rooms.queue.totals()


@router.post("/api/cleanup")
async def cleanup(rooms: Rooms, dry_run: bool = False) -> CleanupReport:
    """Delete what has expired, now; with `?dry_run=true`, only say what would go."""
    return await rooms.upkeep.clean(dry_run=dry_run)


@router.get("/api/sample", response_class=FileResponse)
async def sample() -> FileResponse:
    """A photo to try things on: NASA's portrait of Eileen Collins (public domain), which comes with scikit-image."""
    path = await asyncio.to_thread(_sample_path)
    if path is None:
        raise errors.NotFound()
    return FileResponse(path, media_type="image/png", filename=path.name)


def _sample_path() -> Path | None:
    """Found without importing scikit-image, which rembg brings along."""
    spec = importlib.util.find_spec("skimage")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    paths = (Path(folder, "data", "astronaut.png") for folder in folders)
    return next((path for path in paths if path.is_file()), None)


@router.get("/", include_in_schema=False)
async def page(rooms: Rooms) -> Response:
    """The page names its own files beside itself, so that it works from a disk too; here they are in `/static`."""
    text = await asyncio.to_thread((STATIC / "index.html").read_text, "utf-8")
    text = text.replace('="./', f'="{rooms.settings.base_path}/static/')
    return Response(text, media_type="text/html", headers={"Cache-Control": "no-cache"})


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    return FileResponse(STATIC / "docs.html")
