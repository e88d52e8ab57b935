"""What the routes work with, constructed by `app.py` and carried on the application's state."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from job_worker import JobWorker
from photo_processor import errors
from photo_processor.intake.url_jobs import UrlIntake
from photo_processor.intake.virus_scan import Scanner
from photo_processor.intake.zip_reader import ArchiveReader
from photo_processor.models.store import ModelStore
from photo_processor.recipes.assets import Assets
from photo_processor.recipes.own_presets import Presets
from photo_processor.server.heavy import HeavyWork
from photo_processor.server.snapshots import Snapshots
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage
from photo_processor.worker.maintenance import Upkeep
from photo_processor.worker.metrics import Metrics
from photo_processor.worker.progress import LiveState
from photo_processor.worker.supervisor import Supervisor
from queue_manager import QueueManager
from websocket_manager import WebSocketManager


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The rooms of the running server."""

    settings: Settings
    storage: Storage
    queue: QueueManager
    models: ModelStore
    live: LiveState
    worker: JobWorker
    sockets: WebSocketManager
    upkeep: Upkeep
    metrics: Metrics
    archives: ArchiveReader
    assets: Assets
    presets: Presets
    urls: UrlIntake | None
    scanner: Scanner
    previews: HeavyWork
    documents: HeavyWork
    supervisor: Supervisor
    archiving: HeavyWork
    snapshots: Snapshots
    started: float = field(default_factory=time.monotonic)


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Rooms = Annotated[Services, Depends(_services)]


async def check_space(services: Services, length: int = 0) -> None:
    """Raises StorageFull where the disk has no room for `length` bytes more. Asked in a thread: a disk may be slow."""
    if await asyncio.to_thread(services.storage.free_bytes) < services.settings.min_free_bytes + length:
        raise errors.StorageFull()
