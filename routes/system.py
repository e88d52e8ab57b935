"""The page, its sample photo, health and totals."""

import asyncio
import importlib.util
import time
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

import errors
from routes.services import Rooms
from schemas import CleanupReport, Frozen, Notice, Totals

STATIC = Path(__file__).parent.parent / "static"
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
    """Liveness. `models`: the names of those installed. `url_ingest`: whether photos are fetched from URLs."""

    status: str
    version: str
    uptime_s: float
    queue: Depth
    workers: int
    models: tuple[str, ...]
    sockets: int
    free_bytes: int
    url_ingest: bool
    notices: tuple[Notice, ...]


@router.get("/health")
async def health(rooms: Rooms) -> Health:
    """Alive, and with what."""
    queued, running = await rooms.queue.depth()
    return Health(
        status="ok",
        version=VERSION,
        uptime_s=round(time.monotonic() - rooms.started, 1),
        queue=Depth(queued=queued, processing=running),
        workers=rooms.settings.workers,
        models=tuple(row.name for row in rooms.models.rows() if row.state == "installed"),
        sockets=rooms.sockets.clients,
        free_bytes=rooms.storage.free_bytes(),
        url_ingest=rooms.urls is not None,
        notices=(*rooms.upkeep.notices, *((UNSCANNED,) if rooms.scanner.is_away else ())),
    )


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
        free_bytes=rooms.storage.free_bytes(),
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
async def page() -> Response:
    """The page names its own files beside itself, so that it works from a disk too; here they are in `/static`."""
    text = await asyncio.to_thread((STATIC / "index.html").read_text, "utf-8")
    return Response(text.replace('="./', '="/static/'), media_type="text/html", headers={"Cache-Control": "no-cache"})


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    return FileResponse(STATIC / "docs.html")
