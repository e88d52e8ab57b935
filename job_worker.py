"""The workers: claim a file, process it in the executor, store, record. One broken photo fails alone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from image_processor import ProcessedImage
from photo_processor import errors
from photo_processor.models.store import ModelStore
from photo_processor.models.weights.rows import FACE_MODELS
from photo_processor.operations.naming import PhotoName
from photo_processor.queue.records import Claim, StoredResult, file_error
from photo_processor.recipes import needs_of
from photo_processor.schemas import FileBrief, FileWarning, JobEvent, Output, Sample
from photo_processor.settings import Settings
from photo_processor.storage.local import Shelf, Storage
from photo_processor.worker.metrics import Metrics
from photo_processor.worker.progress import LiveState
from photo_processor.worker.runners import Control, Runner, Work, WorkerDied
from photo_processor.worker.stored import clear
from photo_processor.worker.supervisor import Supervisor
from photo_processor.worker.unpacking import Archives, Unpacker
from queue_manager import QueueManager

POLL = 5.0  # seconds between looks at the queue when nothing wakes the worker
FULL_DISK_PAUSE = 3.0  # seconds until a photo that met a full disk is tried again
SPACE_KNOWN = 1.0  # seconds that a look at the free space is good for
WORKER = "worker"  # the name of their tasks
LAST_TRIES = 2  # at a change of the queue that failed, once the server stops
RETRIES = 3  # attempts at a photo that meets a passing error
RETRY_PAUSE = 2.0  # seconds, doubled each time

T = TypeVar("T")

log = logging.getLogger("photo.worker")


class JobWorker:
    """Keeps `settings.workers` files in process."""

    def __init__(
        self,
        settings: Settings,
        queue: QueueManager,
        storage: Storage,
        archives: Archives,
        models: ModelStore,
        runner: Runner,
        live: LiveState,
        metrics: Metrics,
        publish: Callable[[JobEvent], None],
        followed: Callable[[str], bool],
        supervisor: Supervisor,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._models = models
        self._runner = runner
        self._live = live
        self._metrics = metrics
        self._publish = publish
        self._followed = followed
        self._supervisor = supervisor
        self._unpacker = Unpacker(queue, storage, archives, settings.max_file_bytes)
        self._controls: dict[str, Control] = {}
        self._waiting: dict[str, tuple[Claim, str]] = {}  # by file id: who waits for which model
        self._tasks: list[asyncio.Task[None]] = []
        self._alive = 0
        self._stopping = False
        self._space_until = 0.0  # seconds of `time.monotonic`

    @property
    def running(self) -> int:
        """Photos in process."""
        return len(self._controls)

    @property
    def alive(self) -> int:
        """Workers that run."""
        return self._alive

    @property
    def stopping(self) -> bool:
        """Whether no more work is taken."""
        return self._stopping

    def start(self) -> None:
        self._models.subscribe(self._model_changed)
        self._tasks = [self._supervisor.start(WORKER, self._run) for _ in range(self._settings.workers)]

    async def stop(self, grace: float) -> bool:
        """Claim nothing more; give running files `grace` seconds, then put them back into the queue.

        Returns whether everything that ran has come back; a thread inside a native call may not have.
        """
        if self._stopping:
            return True
        self._stopping = True
        self._queue.arrived.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for control in self._controls.values():
            control.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(errors.PhotoError):  # the next start puts them back
            await self._written(self._queue.release_all)  # a worker may have been stopped in the middle of a claim
        return await self._runner.close()

    def cancel(self, job_id: str) -> None:
        """Stop working on the job's files."""
        for control in self._controls.values():
            if control.job_id == job_id:
                control.stop()

    def drop(self, ids: Iterable[str]) -> None:
        """Stop working on these files."""
        for file_id in ids:
            control = self._controls.get(file_id)
            if control is not None:
                control.stop()

    async def _run(self) -> None:
        claim: Claim | None = None
        self._alive += 1
        try:
            while claim is not None or not self._stopping:
                if claim is None:
                    claim = await self._waited()
                if claim is not None:
                    claim = await self._work(claim)
        finally:
            self._alive -= 1

    async def _waited(self) -> Claim | None:
        """The next file; None: look again, after a wait where there was none."""
        self._queue.arrived.clear()
        try:
            claim = await self._queue.claim() if await self._has_space() else None
        except errors.PhotoError as error:
            log.warning("the queue could not be read: %s", error.code, exc_info=error.__cause__)
            await asyncio.sleep(FULL_DISK_PAUSE)
            return None
        if claim is None:
            await self._queue.wait(POLL)
        return claim

    async def _has_space(self) -> bool:
        """Whether the disk takes another result, looked at once a second; where not, waits a while."""
        if time.monotonic() < self._space_until:
            return True
        if await asyncio.to_thread(self._storage.free_bytes) >= self._settings.min_free_bytes:
            self._space_until = time.monotonic() + SPACE_KNOWN
            return True
        log.warning("the disk is nearly full; photos wait until there is space again")
        await asyncio.sleep(FULL_DISK_PAUSE)
        return False

    async def _work(self, claim: Claim) -> Claim | None:
        """Process a file; the next one, where it was taken along with the record of this one."""
        try:
            return await self._processed(claim)
        except Exception as error:  # what became of it could not be recorded: it waits again
            self._supervisor.failed(WORKER, error)
            await self._written(partial(self._queue.release, claim))
            return None

    async def _processed(self, claim: Claim) -> Claim | None:
        control = Control(claim.job_id, time.monotonic() + self._settings.file_seconds)
        self._controls[claim.file_id] = control
        self._live.started(claim.job_id, claim.file_id)
        warnings: list[FileWarning] = []
        shelf = Shelf(self._storage, claim.job_id)
        try:
            result = await self._result(claim, control, warnings, shelf)
            if result is not None:
                return await self._record(claim, result, shelf)
        except asyncio.CancelledError:
            control.stop()
            await self._written(partial(self._queue.release, claim))
            raise
        except errors.PhotoError as error:
            await clear(self._queue, self._storage, shelf)
            await self._failed(claim, error, warnings)
        except WorkerDied:
            log.error("job=%s file=%s the process that worked on it died", claim.job_id, claim.file_id)
            await self._written(partial(self._queue.crashed, claim))
        except Exception as error:
            failure = (
                errors.Cancelled() if control.stopped else errors.InternalError("The photo could not be processed.")
            )
            failure.__cause__ = error
            await clear(self._queue, self._storage, shelf)
            await self._failed(claim, failure, warnings)
        finally:
            shelf.close()
            del self._controls[claim.file_id]
            self._live.ended(claim.file_id)
        return None

    async def _record(self, claim: Claim, result: StoredResult, shelf: Shelf) -> Claim | None:
        done, following = await self._recorded(claim, result)
        try:
            await self._settled(claim, result, shelf, done=done)
        except Exception as error:  # it is on disk; and the next file is in hand
            self._supervisor.failed(WORKER, error)
        return following

    async def _settled(self, claim: Claim, result: StoredResult, shelf: Shelf, *, done: bool) -> None:
        """Clear up after a result; count it where it was taken, and not cancelled or deleted meanwhile."""
        shelf.kept = done
        await clear(self._queue, self._storage, shelf)
        if not done:
            return
        seconds = result.timings["total_s"]
        model = result.engine.model if result.engine else ""
        self._live.observe(claim.job_id, Sample(model, result.width * result.height / 1e6, seconds))
        written = sum(output.bytes for output in result.outputs)
        self._metrics.finished("completed", model, result.timings, claim.size, written)
        self._say(claim, "completed", f"seconds={seconds:.3f} model={model or '-'}")

    async def _recorded(self, claim: Claim, result: StoredResult) -> tuple[bool, Claim | None]:
        """Whether the result was taken, and the next file where one may be started at once."""
        if self._stopping or time.monotonic() > self._space_until:
            return await self._written(partial(self._queue.complete, claim, result)), None
        return await self._written(partial(self._queue.complete_and_claim, claim, result))

    def _say(self, claim: Claim, status: str, rest: str) -> None:
        """The one line that a file has in the log."""
        name = f" name={claim.name!r}" if self._settings.log_names else ""
        log.info("job=%s file=%s status=%s %s%s", claim.job_id, claim.file_id, status, rest, name)

    async def _written(self, change: Callable[[], Awaitable[T]]) -> T:
        """A change of the queue that must not be lost: while the disk is full or the database locked it is tried again,
        of a server that stops a few times."""
        last = 0
        while True:
            try:
                return await asyncio.shield(asyncio.ensure_future(change()))
            except (errors.StorageFull, errors.StorageUnavailable) as error:
                log.warning("the queue could not be written: %s", error.code, exc_info=error.__cause__)
                last += self._stopping
                if last > LAST_TRIES:
                    raise
                await asyncio.sleep(FULL_DISK_PAUSE)

    async def _failed(self, claim: Claim, error: errors.PhotoError, warnings: list[FileWarning]) -> None:
        if isinstance(error, errors.Cancelled):
            change = partial(self._queue.release, claim)  # nothing happens where the claim no longer holds
        elif isinstance(error, errors.StorageFull):
            change = partial(self._queue.release, claim, FULL_DISK_PAUSE)
        elif error.transient and claim.attempts < RETRIES:
            change = partial(self._queue.release, claim, RETRY_PAUSE * 2**claim.attempts, counted=True)
        else:
            change = partial(self._queue.fail, claim, file_error(error), warnings)
            self._metrics.finished("failed", "", {}, claim.size, 0)
        await self._written(change)
        if error.status >= 500 and error.__cause__ is not None:
            log.error("job=%s file=%s", claim.job_id, claim.file_id, exc_info=error.__cause__)
        self._say(claim, "failed", f"code={error.code}")

    async def _result(
        self, claim: Claim, control: Control, warnings: list[FileWarning], shelf: Shelf
    ) -> StoredResult | None:
        """What the photo becomes; None where the job has its twin already."""
        names, looks = needs_of(claim.recipe)
        if claim.drawn or claim.mask:
            names = frozenset()
        models = {name: await self._model(claim, name, warnings) for name in names}
        if looks and claim.faces is None:
            await self._faces_fetched(claim)
        self._live.expects(claim.job_id, next(iter(models.values()), "") if claim.attempts == 1 else None)
        control.deadline = time.monotonic() + self._settings.file_seconds  # waiting for a download is not its fault
        if claim.sha256 is None:
            self._staged(claim, "unpacking")
            unpacked = await self._unpacker.unpacked(claim)
            if unpacked is None:
                return None
            claim = unpacked
        source = self._storage.path(claim.job_id, "source", claim.sha256 or "")
        if not await asyncio.to_thread(source.exists):
            raise errors.SourceLost()
        drawn = self._storage.path(claim.job_id, "mask", claim.drawn) if claim.drawn else None
        mask = self._storage.path(claim.job_id, "mask", claim.mask) if claim.mask and not claim.drawn else None
        uploaded = datetime.fromtimestamp(claim.created_at).astimezone()
        name = PhotoName(claim.name, claim.index, uploaded, number=claim.number, caption=claim.caption)
        work = Work(
            source, claim.recipe, models, self._settings.max_megapixels, drawn, name,
            claim.crop, mask, claim.engine, claim.faces,
        )  # fmt: skip
        return await self._runner.run(work, control, self._announcer(claim), partial(self._store, shelf, warnings))

    def _store(self, shelf: Shelf, warnings: list[FileWarning], processed: ProcessedImage) -> StoredResult:
        """Put every picture on disk; the row that names them comes after."""
        warnings += processed.warnings
        started = time.perf_counter()
        outputs = tuple(
            Output(
                name=output.name,
                format=output.format,
                width=output.width,
                height=output.height,
                bytes=len(output.data),
                sha256=shelf.put(output.data, "result"),
                face=output.face,
            )
            for output in processed.outputs
        )
        mask = shelf.put(processed.mask, "mask") if processed.mask else None
        thumbnail = shelf.put(processed.thumbnail, "thumbnail")
        return StoredResult(
            width=processed.width,
            height=processed.height,
            outputs=outputs,
            mask=mask,
            thumbnail=thumbnail,
            engine=processed.engine,
            faces=processed.faces,
            warnings=tuple(warnings),
            facts=processed.facts,
            timings={**processed.timings, "store_s": round(time.perf_counter() - started, 4)},
            crop=processed.frame,
            review=processed.review,
        )

    # --- models and stages ---

    async def _model(self, claim: Claim, name: str, warnings: list[FileWarning]) -> str:
        """The installed model that `name` stands for; waits for its download."""
        with self._told_of(claim, name):
            resolved = await self._models.ensure(name)
        if resolved.fallback_warning is not None:
            warnings.append(resolved.fallback_warning)
        return resolved.name

    async def _faces_fetched(self, claim: Claim) -> None:
        """Wait for what is being fetched to look at faces, so that no batch is measured in two ways."""
        for name in FACE_MODELS:
            if self._models.progress(name) is not None:
                with self._told_of(claim, name):
                    await self._models.fetched(name)

    @contextmanager
    def _told_of(self, claim: Claim, name: str) -> Iterator[None]:
        """The claim's job hears meanwhile how far the download of a model is."""
        self._waiting[claim.file_id] = (claim, name)
        underway = self._models.progress(name)
        if underway is not None:
            self._model_changed(underway.name)
        try:
            yield
        finally:
            self._waiting.pop(claim.file_id, None)
            self._live.download(claim.job_id, None)

    def _model_changed(self, changed: str) -> None:
        """Tell the jobs that wait for this model how far its download is."""
        for claim, name in list(self._waiting.values()):
            progress = self._models.progress(name)
            if progress is not None and progress.name == changed:
                self._live.download(claim.job_id, progress)
                self._staged(claim, "downloading the model")

    def _announcer(self, claim: Claim) -> Callable[[str], None]:
        """Says the claim's stages from another thread; the event loop is woken only where somebody listens."""
        loop = asyncio.get_running_loop()

        def announce(stage: str) -> None:
            if self._followed(claim.job_id):
                loop.call_soon_threadsafe(self._staged, claim, stage)
            else:
                self._live.staged(claim.file_id, stage)

        return announce

    def _staged(self, claim: Claim, stage: str) -> None:
        self._live.staged(claim.file_id, stage)
        latest = self._live.latest(claim.job_id) if self._followed(claim.job_id) else None
        control = self._controls.get(claim.file_id)
        if latest is not None and control is not None and not control.stopped:
            file = FileBrief(id=claim.file_id, name=claim.name, status="processing", stage=stage)
            self._publish(latest.model_copy(update={"files": (file,), "deleted": ()}))
