"""What the routes work with, constructed by `app.py` and carried on the application's state."""

import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from ingest.archives import ArchiveReader
from ingest.assets import Assets
from ingest.presets import Presets
from ingest.url_jobs import UrlIntake
from ingest.viruses import Scanner
from job_worker import JobWorker
from live import LiveState
from metrics import Metrics
from models import ModelStore
from queue_manager import QueueManager
from routes.heavy import HeavyWork
from routes.snapshots import Snapshots
from settings import Settings
from storage import Storage
from supervisor import Supervisor
from upkeep import Upkeep
from websocket_manager import WebSocketManager


@dataclass(frozen=True, slots=True)
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
