"""Where photos are processed: in threads of this process, or in processes of their own that can be killed."""

import asyncio
import ctypes
import logging
import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol, TypeVar

from image_processor import ProcessedImage, process_image
from photo_processor import errors, memory
from photo_processor.imaging.decode import mask_of, quiet_decoders
from photo_processor.models.inference.inference_thread import give_way
from photo_processor.models.inference.mattes import kept_mattes
from photo_processor.models.store import ModelStore
from photo_processor.operations import Context, Known
from photo_processor.operations.naming import PhotoName
from photo_processor.recipes import parse_recipe
from photo_processor.recipes.assets import Assets
from photo_processor.schemas import Engine, Face, Frame, Recipe
from photo_processor.settings import Settings

LAST_WORD = 0.5  # seconds that idle threads get to end
TAKEN = "taken"  # what a process says when it has its work
TAKEN_WITHIN = 5.0  # seconds for one that was idle; it takes a millisecond
STARTED_WITHIN = 60.0  # seconds for a new one; it takes two
PR_SET_PDEATHSIG = 1  # from prctl.h
T = TypeVar("T")
Stage = Callable[[str], None]

log = logging.getLogger("photo.runner")


class WorkerDied(Exception):
    """The process that worked on a photo ended without a word."""


@dataclass(frozen=True, slots=True)
class Work:
    """One photo to process: the file `source`, a recipe as JSON, the model that stands for each of its names.

    `drawn` is the file of a mask that a person drew, which is taken for the model's. `name` is what labels may say.
    `crop` is what a person wants cut out; `mask`, `engine` and `faces` are what an earlier run found, where they are to
    be taken as they are.
    """

    source: Path
    recipe: str
    models: Mapping[str, str]
    max_megapixels: float
    drawn: Path | None = None
    name: PhotoName = field(default_factory=PhotoName)
    crop: Frame | None = None
    mask: Path | None = None
    engine: Engine | None = None
    faces: tuple[Face, ...] | None = None


@dataclass(slots=True)
class Control:
    """Stops one photo's work from outside: at its next step, and at once where `on_stop` can kill it.

    `deadline` is in seconds of `time.monotonic`.
    """

    job_id: str
    deadline: float
    on_stop: Callable[[], None] | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        self._stopped.set()
        if self.on_stop is not None:
            self.on_stop()

    def check(self) -> None:
        """Raises errors.Cancelled or errors.TimedOut."""
        if self._stopped.is_set():
            raise errors.Cancelled()
        if time.monotonic() > self.deadline:
            raise errors.TimedOut()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


class Runner(Protocol):
    """Processes photos beside the event loop."""

    async def run(self, work: Work, control: Control, stage: Stage, keep: Callable[[ProcessedImage], T]) -> T:
        """What `keep` makes of the processed photo. It and `stage` are called in another thread.

        Raises errors.PhotoError, with errors.TimedOut at the deadline, and WorkerDied.
        """
        ...

    async def close(self) -> bool:
        """Take nothing more; whether everything has come back."""
        ...


class ThreadRunner:
    """Threads of this process, which share its models. A thread cannot be killed: one that misses its deadline is
    left behind with its pool, and a new pool takes its place."""

    def __init__(self, settings: Settings, models: ModelStore, assets: Assets | None = None) -> None:
        self._workers = settings.workers
        self._models = models
        self._assets = assets or Assets(settings.assets_path, settings.max_megapixels)
        self._pool = self._new_pool()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="photo", initializer=give_way)

    async def run(self, work: Work, control: Control, stage: Stage, keep: Callable[[ProcessedImage], T]) -> T:
        loop = asyncio.get_running_loop()

        def whole() -> T:
            return keep(_process(work, self._models, self._assets, stage, control.check))

        future = loop.run_in_executor(self._pool, whole)
        try:
            return await asyncio.wait_for(asyncio.shield(future), control.seconds_left)
        except TimeoutError:
            control.stop()
            self._pool.shutdown(wait=False)
            self._pool = self._new_pool()
            future.add_done_callback(_forget)
            raise errors.TimedOut() from None
        except asyncio.CancelledError:
            control.stop()
            future.add_done_callback(_forget)
            raise

    async def close(self) -> bool:
        self._pool.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + LAST_WORD
        while any(thread.name.startswith("photo_") for thread in threading.enumerate()):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True


def _forget(future: "asyncio.Future[T]") -> None:
    """Look at the outcome of a thread that came too late, so that nobody reports it as unseen."""
    if not future.cancelled():
        future.exception()


def _process(work: Work, models: ModelStore, assets: Assets, stage: Stage, check: Callable[[], None]) -> ProcessedImage:
    context = Context(
        models=models,
        faces=models.faces,
        assets=assets.load,
        resolved_model=work.models,
        stage=stage,
        check=check,
        name=work.name,
        drawn=mask_of(work.drawn, work.max_megapixels) if work.drawn else None,
        known=_known(work),
        frame=work.crop,
    )
    return process_image(work.source, parsed_recipe(work.recipe), context, work.max_megapixels)


def _known(work: Work) -> Known | None:
    if work.mask is None and work.faces is None:
        return None
    return Known(mask_of(work.mask, work.max_megapixels) if work.mask else None, work.engine, work.faces)


@lru_cache(maxsize=64)
def parsed_recipe(recipe: str) -> Recipe:
    """The recipe in a JSON document. The photos of a job share one; checking it takes longer than a small photo."""
    return parse_recipe(recipe)


class ProcessRunner:
    """Spawned processes with a memory limit, killed at the deadline: for photos that nobody can vouch for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="runner")
        self._idle: list[_Child] = []

    async def run(self, work: Work, control: Control, stage: Stage, keep: Callable[[ProcessedImage], T]) -> T:
        control.check()
        child = await self._taking(work, control)
        loop = asyncio.get_running_loop()
        control.on_stop = child.kill
        future = loop.run_in_executor(self._threads, lambda: keep(child.converse(stage)))
        try:
            result = await asyncio.wait_for(asyncio.shield(future), control.seconds_left)
        except TimeoutError:
            child.kill()
            future.add_done_callback(_forget)
            raise errors.TimedOut() from None
        except WorkerDied:
            control.check()  # killed because it was told to stop
            raise
        except asyncio.CancelledError:
            child.kill()
            future.add_done_callback(_forget)
            raise
        finally:
            control.on_stop = None
            if child.is_free():
                self._idle.append(child)
        return result

    async def _taking(self, work: Work, control: Control) -> "_Child":
        """A process that has the work in hand, or a new one that will.

        One that was idle may have died, or be stopped: nothing that the photo did. Its time is not the photo's either.
        """
        while self._idle:
            child = self._idle.pop()
            if await self._took(child, work, control, TAKEN_WITHIN):
                return child
        child = _Child(self._context, self._settings)
        if not await self._took(child, work, control, STARTED_WITHIN):
            raise WorkerDied
        return child

    async def _took(self, child: "_Child", work: Work, control: Control, seconds: float) -> bool:
        """Whether the process says within `seconds` that it has the work; else it is killed."""
        control.on_stop = child.kill
        taken, began = False, time.monotonic()
        try:
            taken = await asyncio.get_running_loop().run_in_executor(self._threads, child.take, work, seconds)
        finally:
            if not taken:
                child.kill()
        control.deadline += time.monotonic() - began
        if not taken:
            control.check()
        return taken

    async def close(self) -> bool:
        for child in self._idle:
            child.kill()
        self._threads.shutdown(wait=False)
        return True


class _Child:
    """A spawned process and the pipe to it."""

    def __init__(self, context: multiprocessing.context.SpawnContext, settings: Settings) -> None:
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()
        self._busy = False

    def take(self, work: Work, seconds: float) -> bool:
        """Hand the work over; whether the process says within `seconds` that it has it."""
        self._busy = True
        try:
            self._pipe.send(work)
            return self._pipe.poll(seconds) and self._pipe.recv() == TAKEN
        except (EOFError, OSError):
            return False

    def converse(self, stage: Stage) -> ProcessedImage:
        """What becomes of the work that was taken; blocks. Raises what the process raised, and WorkerDied."""
        try:
            while True:
                said = self._pipe.recv()
                if isinstance(said, str):
                    stage(said)
                    continue
                self._busy = False
                if isinstance(said, errors.PhotoError):
                    raise said
                if not isinstance(said, ProcessedImage):
                    raise TypeError(type(said))
                return said
        except (EOFError, OSError) as error:
            raise WorkerDied from error

    def is_free(self) -> bool:
        return not self._busy and self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()


def _serve(pipe: Connection, settings: Settings) -> None:
    """The process's life: take work, say its stages, say its result. It ends with the server."""
    end_with_parent()
    limit_memory(settings.process_memory_bytes)
    memory.keep_freed()
    quiet_decoders()
    models = ModelStore(settings, kept_mattes(settings))
    assets = Assets(settings.assets_path, settings.max_megapixels)
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        pipe.send(TAKEN)
        try:
            pipe.send(_process(work, models, assets, pipe.send, lambda: None))
        except MemoryError:
            pipe.send(errors.OutOfMemory())
        except errors.PhotoError as error:
            error.__cause__ = None  # it may not survive the pipe, and stays in this process's memory anyway
            pipe.send(error)


def end_with_parent() -> None:
    """Have this process killed when the thread that started it ends, however that comes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def limit_memory(size: int) -> None:
    """Let this process have `size` bytes of memory at most, where the system can."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
