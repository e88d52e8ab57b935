"""The workers: claim a file, process it in the executor, store, record. One broken photo fails alone."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import errors
from image_processor import ProcessedImage, process_image
from ingest.archives import ArchiveReader
from live import LiveState
from models import ModelStore
from operations import models_needed, parse_recipe
from operations.base import Context
from queue_manager import QueueManager, file_error
from queue_rows import Claim, StoredResult
from schemas import FileBrief, FileWarning, JobEvent, Output
from settings import Settings
from storage import Storage, translated

POLL = 5.0  # seconds between looks at the queue when nothing wakes the worker
FULL_DISK_PAUSE = 3.0  # seconds until a photo that met a full disk is tried again
RETRIES = 3  # attempts at a photo that meets a passing error
RETRY_PAUSE = 2.0  # seconds, doubled each time

T = TypeVar("T")

log = logging.getLogger("photo.worker")


@dataclass(slots=True)
class Control:
    """Stops one file's work from outside; looked at between the steps, since a thread cannot be killed."""

    job_id: str
    deadline: float
    cancelled: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises errors.Cancelled or errors.TimedOut."""
        if self.cancelled.is_set():
            raise errors.Cancelled()
        if time.monotonic() > self.deadline:
            raise errors.TimedOut()


class JobWorker:
    """Keeps `settings.workers` files in process."""

    def __init__(
        self,
        settings: Settings,
        queue: QueueManager,
        storage: Storage,
        models: ModelStore,
        live: LiveState,
        publish: Callable[[JobEvent], None],
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._models = models
        self._live = live
        self._publish = publish
        self._archives = ArchiveReader()
        self._executor = _executor(settings.workers)
        self._loop: asyncio.AbstractEventLoop
        self._controls: dict[str, Control] = {}
        self._waiting: dict[str, tuple[Claim, str]] = {}  # by file id: who waits for which model
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def running(self) -> int:
        """Files in process."""
        return len(self._controls)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._models.subscribe(self._model_changed)
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._settings.workers)]

    async def stop(self, grace: float) -> bool:
        """Claim nothing more; give running files `grace` seconds, then put them back into the queue.

        Returns whether every thread has come back; one inside a native call may not have.
        """
        self._stopping = True
        self._queue.arrived.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for control in self._controls.values():
            control.cancelled.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
        return not any(thread.is_alive() for thread in threading.enumerate() if thread.name.startswith("photo_"))

    def cancel(self, job_id: str) -> None:
        """Stop working on the job's files at the next step."""
        for control in self._controls.values():
            if control.job_id == job_id:
                control.cancelled.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._queue.arrived.clear()
            try:
                claim = await self._queue.claim()
            except Exception:
                log.exception("the queue could not be read")
                await asyncio.sleep(POLL)
                continue
            if claim is None:
                await self._queue.wait(POLL)
            else:
                await self._work(claim)

    async def _work(self, claim: Claim) -> None:
        control = Control(claim.job_id, time.monotonic() + self._settings.file_seconds)
        self._controls[claim.file_id] = control
        self._live.started(claim.job_id, claim.file_id, claim.recipe)
        warnings: list[FileWarning] = []
        started = time.perf_counter()
        try:
            result = await self._result(claim, control, warnings)
            self._live.estimator.observe(claim.recipe, time.perf_counter() - started)
            if not await asyncio.shield(self._queue.complete(claim, result)):
                await self._abandoned(claim)
            log.info("file %s of job %s completed in %.2f s", claim.file_id, claim.job_id, result.timings["total_s"])
        except asyncio.CancelledError:
            control.cancelled.set()
            await self._queue.release(claim)
            raise
        except errors.PhotoError as error:
            await self._failed(claim, error, warnings)
        except Exception as error:
            log.exception("file %s of job %s", claim.file_id, claim.job_id)
            failure = errors.InternalError("The photo could not be processed.")
            failure.__cause__ = error
            await self._failed(claim, failure, warnings)
        finally:
            del self._controls[claim.file_id]
            self._live.ended(claim.file_id)

    async def _abandoned(self, claim: Claim) -> None:
        """The job was cancelled or deleted meanwhile; what was just stored for a deleted one goes as well."""
        try:
            await self._queue.job(claim.job_id)
        except errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, claim.job_id)

    async def _failed(self, claim: Claim, error: errors.PhotoError, warnings: list[FileWarning]) -> None:
        if isinstance(error, errors.Cancelled):
            await self._queue.release(claim)  # nothing happens where the cancelled claim no longer holds
        elif isinstance(error, errors.StorageFull):
            await self._queue.release(claim, FULL_DISK_PAUSE)
        elif error.transient and claim.attempts < RETRIES:
            await self._queue.release(claim, RETRY_PAUSE * 2**claim.attempts, counted=True)
        else:
            await self._queue.fail(claim, file_error(error), warnings)
        unexpected = error.__cause__ if error.status >= 500 else None
        log.info("file %s of job %s: %s", claim.file_id, claim.job_id, error.code, exc_info=unexpected)

    async def _result(self, claim: Claim, control: Control, warnings: list[FileWarning]) -> StoredResult:
        recipe = parse_recipe(claim.recipe)
        resolved = {name: await self._model(claim, name, warnings) for name in models_needed(recipe)}
        control.deadline = time.monotonic() + self._settings.file_seconds  # waiting for a download is not its fault
        if claim.sha256 is None:
            claim = await self._unpacked(claim, control)
        context = Context(
            models=self._models,
            resolved_model=resolved,
            stage=partial(self._stage_from_thread, claim),
            check=control.check,
        )
        source = self._storage.path(claim.job_id, "source", claim.sha256 or "")
        work = partial(process_image, source, recipe, context, self._settings.max_megapixels)
        processed = await self._in_thread(control, work)
        warnings += processed.warnings
        return await self._in_thread(control, partial(self._store, claim, processed, tuple(warnings)))

    async def _in_thread(self, control: Control, work: Callable[[], T]) -> T:
        """Run `work` in the executor until the deadline. A thread that misses it is left behind, with its pool."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            return await asyncio.wait_for(asyncio.shield(future), max(0.0, control.deadline - time.monotonic()))
        except TimeoutError:
            control.cancelled.set()
            self._executor.shutdown(wait=False)
            self._executor = _executor(self._settings.workers)
            raise errors.TimedOut() from None

    async def _unpacked(self, claim: Claim, control: Control) -> Claim:
        """The claim with its source on disk, out of the ZIP that it came in."""
        self._staged(claim, "unpacking")
        digest, size, media_type = await self._in_thread(control, partial(self._unpack, claim))
        return await self._queue.unpacked(claim, digest, size, media_type)

    def _unpack(self, claim: Claim) -> tuple[str, int, str]:
        archive = self._storage.path(claim.job_id, "archive", claim.archive or "")
        part = self._storage.incoming()
        try:
            with translated():
                unpacked = self._archives.unpack(archive, claim.entry or 0, part, self._settings.max_file_bytes)
            self._storage.keep(part, claim.job_id, "source", unpacked[0])
        finally:
            part.unlink(missing_ok=True)
        return unpacked

    def _store(self, claim: Claim, processed: ProcessedImage, warnings: tuple[FileWarning, ...]) -> StoredResult:
        """Put every picture on disk; the row that names them comes after."""
        self._stage_from_thread(claim, "saving")
        started = time.perf_counter()
        outputs = tuple(
            Output(
                name=output.name,
                format=output.format,
                width=output.width,
                height=output.height,
                bytes=len(output.data),
                sha256=self._storage.put(output.data, claim.job_id, "result"),
            )
            for output in processed.outputs
        )
        mask = self._storage.put(processed.mask, claim.job_id, "mask") if processed.mask else None
        thumbnail = self._storage.put(processed.thumbnail, claim.job_id, "thumbnail")
        return StoredResult(
            width=processed.width,
            height=processed.height,
            outputs=outputs,
            mask=mask,
            thumbnail=thumbnail,
            engine=processed.engine,
            faces=processed.faces,
            warnings=warnings,
            timings={**processed.timings, "store_s": round(time.perf_counter() - started, 4)},
        )

    # --- models and stages ---

    async def _model(self, claim: Claim, name: str, warnings: list[FileWarning]) -> str:
        """The installed model that `name` stands for; waits for its download."""
        self._waiting[claim.file_id] = (claim, name)
        underway = self._models.progress(name)
        if underway is not None:
            self._model_changed(underway.name)
        try:
            resolved = await self._models.ensure(name)
        finally:
            self._waiting.pop(claim.file_id, None)
            self._live.download(claim.job_id, None)
        if resolved.fallback_warning is not None:
            warnings.append(resolved.fallback_warning)
        return resolved.name

    def _model_changed(self, changed: str) -> None:
        """Tell the jobs that wait for this model how far its download is."""
        for claim, name in list(self._waiting.values()):
            progress = self._models.progress(name)
            if progress is not None and progress.name == changed:
                self._live.download(claim.job_id, progress)
                self._staged(claim, "downloading the model")

    def _stage_from_thread(self, claim: Claim, stage: str) -> None:
        self._loop.call_soon_threadsafe(self._staged, claim, stage)

    def _staged(self, claim: Claim, stage: str) -> None:
        self._live.staged(claim.file_id, stage)
        latest = self._live.latest(claim.job_id)
        if latest is not None and claim.file_id in self._controls:
            file = FileBrief(id=claim.file_id, name=claim.name, status="processing", stage=stage)
            self._publish(latest.model_copy(update={"files": (file,)}))


def _executor(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="photo")
