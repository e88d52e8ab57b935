"""The server: everything is constructed and wired here. `python app.py` serves it."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import uvicorn
from fastapi import Depends, FastAPI
from filelock import FileLock, Timeout
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from job_worker import JobWorker
from photo_processor import errors, memory
from photo_processor.imaging.decode import quiet_decoders
from photo_processor.intake.url_jobs import UrlIntake
from photo_processor.intake.virus_scan import Scanner
from photo_processor.intake.zip_reader import ArchiveReader
from photo_processor.models.inference.mattes import kept_mattes
from photo_processor.models.store import ModelStore
from photo_processor.models.weights.rows import FACE_MODELS
from photo_processor.queue import backups
from photo_processor.queue.database import Database
from photo_processor.queue.mounts import network_share
from photo_processor.recipes.assets import Assets
from photo_processor.recipes.own_presets import Presets
from photo_processor.schemas import JobEvent, Notice, Problem
from photo_processor.server import auth, openapi, problems
from photo_processor.server.connections import GuardedListener, QuietSocket, guarded_protocol
from photo_processor.server.heavy import HeavyWork
from photo_processor.server.keys import KeyRing
from photo_processor.server.middleware.base_path import BasePath
from photo_processor.server.middleware.bodies import Bodies
from photo_processor.server.middleware.head import HeadRequests
from photo_processor.server.middleware.origins import Guard
from photo_processor.server.middleware.turns import Turns
from photo_processor.server.page_files import PageFiles
from photo_processor.server.queries import check_query
from photo_processor.server.routes import assets as asset_routes
from photo_processor.server.routes import catalogue, events, facts, files, jobs, sheets, system
from photo_processor.server.services import Services
from photo_processor.server.snapshots import Snapshots
from photo_processor.settings import InvalidSettings, Settings
from photo_processor.storage.local import Storage
from photo_processor.worker.admission import AdmittingRunner
from photo_processor.worker.idle import IdleWork
from photo_processor.worker.maintenance import Upkeep, notice_of
from photo_processor.worker.metrics import Metrics
from photo_processor.worker.progress import LiveState
from photo_processor.worker.runners import ProcessRunner, Runner, ThreadRunner
from photo_processor.worker.supervisor import Supervisor
from queue_manager import QueueManager
from websocket_manager import WebSocketManager

ACCEPTED_AT_ONCE = 32  # connections, before the loop turns to those it has
WAITING_CONNECTIONS = 2_048  # in the system's queue
PREVIEWS_WAITING, PREVIEW_SECONDS = 500, 30.0
DOCUMENTS_WAITING, DOCUMENT_SECONDS = 16, 300.0
ARCHIVES_WAITING, ARCHIVE_SECONDS = 100, 120.0
STARTED, FAILED, REFUSED = 0, 1, 2  # exit statuses
log = logging.getLogger("photo")


def create_app(settings: Settings) -> FastAPI:
    """The application. Nothing is opened before its lifespan starts."""
    app = FastAPI(
        title="Photo Processor",
        version=system.VERSION,
        summary="Cutouts, face crops and conversions of photos, on your own machine.",
        lifespan=partial(_lifespan, settings=settings),
        docs_url=None,  # FastAPI's own page loads its script from another host
        redoc_url=None,
        dependencies=[Depends(check_query)],
        responses={
            "4XX": {"model": Problem, "description": "What is wrong with the request: application/problem+json"},
            "5XX": {"model": Problem, "description": "What is wrong with the server: application/problem+json"},
        },
    )
    problems.install(app)
    openapi.install(app, settings.base_path)
    keys = KeyRing(settings.keys_path)
    always = not settings.is_loopback and not settings.allow_open
    app.state.access = auth.Access(keys, always=always, rate=settings.rate, max_sockets=settings.max_sockets)
    for room in (jobs, files, facts, sheets, asset_routes, catalogue, events, system, auth):
        app.include_router(room.router)
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs")
    app.mount("/static", GZipMiddleware(PageFiles(directory=system.STATIC)), name="static")
    app.add_middleware(Turns)
    app.add_middleware(Bodies, seconds=settings.receive_seconds, rate=settings.min_receive_rate)
    app.add_middleware(auth.Gate, access=app.state.access)
    app.add_middleware(Guard, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    app.add_middleware(HeadRequests)
    if settings.base_path:
        app.add_middleware(BasePath, base=settings.base_path)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Location", "ETag", "Content-Disposition", "Retry-After"],
        )
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    async with opened(settings) as services:
        await _recover(services)
        services.worker.start()
        idle = IdleWork(settings, services.models, lambda: services.worker.running > 0)
        chores: dict[str, Callable[[], Awaitable[None]]] = {
            "upkeep": services.upkeep.run,
            "prefetch": partial(_prefetch, services),
            "device check": services.models.check_device,
            "idle work": idle.run,
        }
        if settings.clamav_socket:
            chores["virus scanner"] = services.scanner.watch
        if services.urls:
            chores["URL intake"] = services.urls.resume
        tasks = [services.supervisor.start(name, chore) for name, chore in chores.items()]
        app.state.services = services
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await services.sockets.close()
            if services.urls:
                await services.urls.close()
            await services.worker.stop(settings.drain_seconds)
            await services.supervisor.stop()
            await services.models.close()
            for work in (services.previews, services.documents, services.archiving):
                work.close()


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """The rooms over the data folder, which nobody else may use meanwhile; nothing runs yet.

    Raises:
        errors.DataFolderInUse: another server does.
        errors.DataFolderUnusable: it is not this server's, or its database has an unknown form.
    """
    storage = Storage(settings.data_dir)
    with _only_server(storage):
        await asyncio.to_thread(storage.prepare)
        paths = (settings.database_path, settings.backups_path, settings.quarantine_path)
        notices = notice_of(await asyncio.to_thread(backups.heal, *paths))
        database = Database(settings.database_path, storage.discard, storage.has)
        await database.open()
        try:
            yield _services(settings, storage, database, notices)
        finally:
            await database.close()


@contextlib.contextmanager
def _only_server(storage: Storage) -> Iterator[None]:
    storage.claim()
    lock = FileLock(storage.root / "server.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise errors.DataFolderInUse(f"Another server is using the data folder {storage.root}.") from error
    try:
        yield
    finally:
        lock.release()


def _services(settings: Settings, storage: Storage, database: Database, notices: tuple[Notice, ...]) -> Services:
    sockets = WebSocketManager()
    live = LiveState(settings.workers, settings.base_path)
    models = ModelStore(settings, kept_mattes(settings))

    def publish(event: JobEvent) -> None:
        if sockets.follows(event.job_id):  # most photos are done while nobody looks
            sockets.publish(live.annotate(event))

    def changed(event: JobEvent) -> None:
        live.note(event)
        worker.drop(event.deleted)  # before it can say another stage of a photo that is gone
        publish(event)

    queue = QueueManager(database, changed, settings.keep_days)
    assets = Assets(settings.assets_path, settings.max_megapixels, svg=settings.svg)
    in_processes = settings.executor == "process"
    runner: Runner = ProcessRunner(settings) if in_processes else ThreadRunner(settings, models, assets)
    runner = AdmittingRunner(runner, settings.megapixels_at_once)
    metrics = Metrics()
    supervisor = Supervisor()
    archives = ArchiveReader()
    worker = JobWorker(
        settings,
        queue,
        storage,
        archives,
        models,
        runner,
        live,
        metrics,
        publish,
        followed=sockets.follows,
        supervisor=supervisor,
    )
    presets = Presets(settings.presets_path)
    upkeep = Upkeep(settings, queue, storage, assets, presets, notices)
    scanner = Scanner(settings.clamav_socket, settings.clamav_mode)
    urls = UrlIntake(settings, queue, storage, scanner, supervisor) if settings.url_ingest else None
    memory_limit = settings.process_memory_bytes if in_processes else None
    return Services(
        settings=settings,
        storage=storage,
        queue=queue,
        models=models,
        live=live,
        worker=worker,
        sockets=sockets,
        upkeep=upkeep,
        metrics=metrics,
        archives=archives,
        assets=assets,
        presets=presets,
        urls=urls,
        scanner=scanner,
        previews=HeavyWork(settings.workers, PREVIEWS_WAITING, PREVIEW_SECONDS, memory_limit),
        documents=HeavyWork(1, DOCUMENTS_WAITING, DOCUMENT_SECONDS, memory_limit),
        archiving=HeavyWork(1, ARCHIVES_WAITING, ARCHIVE_SECONDS, None),
        supervisor=supervisor,
        snapshots=Snapshots(queue, live),
    )


async def _recover(services: Services) -> None:
    """Take up what an earlier run left: photos in process wait again; estimates are learnt from finished ones."""
    recovered = await services.queue.recover()
    if recovered:
        log.info("%d photos were being processed when the server last stopped; they wait again", recovered)
    for event in await services.queue.unfinished():
        services.live.note(event)
    for sample in await services.queue.history():
        services.live.estimator.observe(sample)


async def _prefetch(services: Services) -> None:
    """Fetch the default model and those for faces before the first photo asks for them."""
    if services.settings.prefetch_model and not services.settings.offline:
        with contextlib.suppress(errors.PhotoError):
            for name in FACE_MODELS:
                services.models.download(name)
            await services.models.ensure("auto")


class _Start:
    """The application for uvicorn; why it could not start is kept as a sentence instead of a traceback."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self.failure: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            with contextlib.suppress(Exception):  # it was answered and logged; raised on, it would cost the connection
                await self._app(scope, receive, send)
            return

        async def quietly(message: Message) -> None:
            await send({"type": message["type"], "message": ""} if message.get("message") else message)

        try:
            await self._app(scope, receive, quietly)
        except (errors.PhotoError, OSError, sqlite3.Error) as error:
            self.failure = why_not(error, self._settings)


def why_not(error: Exception, settings: Settings) -> str:
    """Why the server cannot start, in a sentence or two."""
    if isinstance(error, errors.DataFolderInUse):
        return f"{error.detail} Stop it, or set PHOTO_DATA_DIR to another folder."
    if isinstance(error, errors.KeysUnreadable):
        return f"{error.detail} Repair or delete {settings.keys_path}."
    if isinstance(error, errors.PhotoError) and not isinstance(error, errors.StorageFull | errors.StorageUnavailable):
        return f"{error.detail} {error.hint or ''}".strip()
    cause = error.__cause__ if isinstance(error, errors.PhotoError) else error
    reason = cause.strerror if isinstance(cause, OSError) else str(cause or error)
    return f"The data folder {settings.data_dir} cannot be used: {reason}. Mend that, or set PHOTO_DATA_DIR."


class _Server(uvicorn.Server):
    """uvicorn's, but a signal that ended it cleanly is not raised once more when it has."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, grace: float, served: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._grace = grace
        self._served = served

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """asyncio takes one number both for how many connections wait and for how many it accepts at a stroke."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(WAITING_CONNECTIONS)
        if self.started:
            self._served()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let running photos finish first, while the address still answers; new jobs get a 503 meanwhile."""
        services: Services = self._app.state.services
        self._app.state.all_back = await services.worker.stop(self._grace)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def may_serve(settings: Settings) -> bool:
    """Whether the server is for this machine alone, or protected by keys, or left open on purpose."""
    return settings.is_loopback or settings.allow_open or bool(KeyRing(settings.keys_path).rows())


UNPROTECTED = """PHOTO_HOST={host} lets other machines in, and there is no key that they would have to show.
Make one:                  photo-processor keys create NAME
or let everybody in:       PHOTO_ALLOW_OPEN=1"""


def main() -> int:
    """Serve until Ctrl+C or SIGTERM; returns the exit status."""
    try:
        settings = Settings.load()
    except InvalidSettings as error:
        print("\n".join(error.faults), file=sys.stderr)
        return REFUSED
    os.umask(0o077)  # photos and keys are for whoever runs the server
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    memory.keep_freed()
    quiet_decoders()
    app = create_app(settings)
    try:
        if not may_serve(settings):
            print(UNPROTECTED.format(host=settings.host), file=sys.stderr)
            return FAILED
        with _only_server(Storage(settings.data_dir)):
            pass
        app.state.access.keys.create_local(settings.local_key_path)
    except (errors.PhotoError, OSError) as error:
        print(why_not(error, settings), file=sys.stderr)
        return FAILED if isinstance(error, errors.DataFolderInUse | errors.KeysUnreadable) else REFUSED
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = GuardedListener(
            socket.create_server((settings.host, settings.port), family=family), settings.max_connections
        )
    except OSError as error:
        print(f"Cannot serve at {settings.host}:{settings.port}: {error.strerror}.", file=sys.stderr)
        return FAILED
    return _serve(app, settings, listener)


def _serve(app: FastAPI, settings: Settings, listener: GuardedListener) -> int:
    start = _Start(app, settings)
    config = uvicorn.Config(
        start,
        http=guarded_protocol(settings.receive_seconds, listener.leave),
        loop="asyncio",
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        access_log=settings.log_level == "debug",
        timeout_graceful_shutdown=1,
        ws=QuietSocket,
        ws_per_message_deflate=False,  # it would compress each message once for each of a thousand subscribers
        server_header=False,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{listener.getsockname()[1]}"

    share = network_share(settings.data_dir)
    if share:
        log.warning("the data folder is on a network share (%s), where SQLite may lose jobs: use a disk", share)

    def served() -> None:
        settings.address_path.write_text(url, encoding="utf-8")
        print(f"Photo Processor at {url}  (Ctrl+C stops it)", flush=True)
        if not settings.is_loopback and settings.allow_open:
            print("Without keys: whoever reaches this address may do everything.", file=sys.stderr)

    server = _Server(config, app, settings.drain_seconds, served)
    with contextlib.suppress(SystemExit):  # uvicorn's, where the application did not start
        server.run(sockets=[listener])
    if start.failure or not server.started:
        print(start.failure or "The server could not start.", file=sys.stderr)
        return REFUSED
    if not getattr(app.state, "all_back", True):
        logging.shutdown()
        os._exit(0)  # a native call still runs in a thread, which would hold up the interpreter's exit
    return STARTED


if __name__ == "__main__":
    sys.exit(main())
