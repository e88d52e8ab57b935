"""`WS /ws/job/{id}`: live progress."""

from functools import partial

from fastapi import APIRouter
from starlette.websockets import WebSocket

from photo_processor import errors
from photo_processor.server.middleware.origins import is_foreign, is_known_host
from photo_processor.server.services import Rooms

FOREIGN_ORIGIN, UNKNOWN_JOB = 4403, 4404  # close codes of our own

router = APIRouter()


@router.websocket("/ws/job/{job_id}")
async def job_events(socket: WebSocket, rooms: Rooms, job_id: str, since: int | None = None) -> None:
    """A full snapshot, then changes; with `?since=seq`, the snapshot names only the files that changed since."""
    await socket.accept()
    hosts, origins = rooms.settings.allowed_hosts, rooms.settings.allowed_origins
    if not is_known_host(socket.headers, hosts) or is_foreign(socket.headers, origins, socket.scope):
        await socket.close(FOREIGN_ORIGIN)
        return
    try:
        await rooms.queue.job(job_id)
    except errors.JobNotFound:
        await socket.close(UNKNOWN_JOB)
        return
    first = partial(rooms.snapshots.get, job_id, since)
    later = partial(rooms.snapshots.get, job_id, None)
    await rooms.sockets.serve(socket, job_id, first, later)
