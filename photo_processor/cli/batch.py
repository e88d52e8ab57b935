"""Photos through a recipe without a server: the same threads, limits and models."""

import asyncio
import contextlib
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path

from image_processor import ProcessedImage
from photo_processor import errors
from photo_processor.cli.results import Plan
from photo_processor.intake.file_names import shortened
from photo_processor.intake.zip_reader import ArchiveReader
from photo_processor.models.inference.mattes import kept_mattes
from photo_processor.models.store import ModelStore
from photo_processor.models.weights.rows import FACE_MODELS
from photo_processor.queue.records import file_error
from photo_processor.recipes import assets_needed, looks_at_faces, models_needed
from photo_processor.schemas import Engine, FileError, FileWarning, Format, Frozen, Recipe, ReviewItem
from photo_processor.settings import Settings
from photo_processor.storage.local import translated, write_whole
from photo_processor.worker.admission import AdmittingRunner
from photo_processor.worker.runners import Control, ProcessRunner, Runner, ThreadRunner, Work, WorkerDied

log = logging.getLogger("photo.command")


class Written(Frozen):
    """A result on disk; `width`, `height` in px."""

    name: str
    path: str
    format: Format
    width: int
    height: int
    bytes: int


class Outcome(Frozen):
    """What became of a photo: a line of `--json`. `skipped`: its results were there already."""

    source: str
    status: str
    outputs: tuple[Written, ...] = ()
    engine: Engine | None = None
    warnings: tuple[FileWarning, ...] = ()
    review: tuple[ReviewItem, ...] = ()
    error: FileError | None = None
    seconds: float = 0.0


class Batch:
    """Processes photos by one recipe, as many at once as there are workers. An asynchronous context manager."""

    def __init__(self, settings: Settings, recipe: Recipe, told: Callable[[str], None]) -> None:
        """`told` is given what people should know meanwhile."""
        self._settings = settings
        self._recipe = recipe
        self._document = recipe.model_dump_json()
        self._told = told
        mattes = kept_mattes(settings) if settings.data_dir.is_dir() else None  # else no folder is made for them
        self._models = ModelStore(settings, mattes)
        runner: Runner = (
            ProcessRunner(settings) if settings.executor == "process" else ThreadRunner(settings, self._models)
        )
        self._runner = AdmittingRunner(runner, settings.megapixels_at_once)
        self._archives = ArchiveReader()
        self._resolved: Mapping[str, str] = {}
        self._warnings: tuple[FileWarning, ...] = ()
        self._controls: list[Control] = []

    async def __aenter__(self) -> "Batch":
        """Have the models, and the pictures that the recipe names. Raises errors.PhotoError."""
        try:
            await asyncio.to_thread(self._check_assets)
            unsubscribe = self._models.subscribe(self._progress)
            resolved, warnings = {}, []
            for name in sorted(models_needed(self._recipe)):
                found = await self._models.ensure(name)
                resolved[name] = found.name
                if found.fallback_warning is not None:
                    self._told(found.fallback_warning.message)
                    warnings.append(found.fallback_warning)
            if looks_at_faces(self._recipe):
                for name in FACE_MODELS:
                    with contextlib.suppress(errors.ModelUnavailable):  # faces are found without them too
                        await self._models.ensure(name)
            unsubscribe()
        except BaseException:
            await self._close()
            raise
        self._resolved, self._warnings = resolved, tuple(warnings)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        for control in self._controls:
            control.stop()
        await self._runner.close()
        await self._models.close()

    def _check_assets(self) -> None:
        from photo_processor.recipes.assets import Assets

        Assets(self._settings.assets_path, self._settings.max_megapixels).use(assets_needed(self._recipe))

    def _progress(self, name: str) -> None:
        progress = self._models.progress(name)
        if progress is not None:
            share = f" {progress.percentage:.0f} %" if progress.percentage is not None else ""
            self._told(f"downloading the model {name}{share}")

    async def run(self, plans: Iterable[Plan]) -> AsyncIterator[Outcome]:
        """What becomes of each photo, as it is done."""
        waiting = iter(plans)
        tasks: set[asyncio.Task[Outcome]] = set()
        try:
            while True:
                for plan in waiting:
                    tasks.add(asyncio.create_task(self._outcome(plan)))
                    if len(tasks) >= self._settings.workers:
                        break
                if not tasks:
                    return
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _outcome(self, plan: Plan) -> Outcome:
        """One photo; what fails fails alone."""
        if plan.source.error is not None:
            return _failed(plan, plan.source.error)
        if plan.done:
            return Outcome(source=plan.source.shown, status="skipped")
        began = time.monotonic()
        control = Control("", began + self._settings.file_seconds)
        self._controls.append(control)
        try:
            outcome = await self._processed(plan, control)
        except errors.PhotoError as error:
            return _failed(plan, error)
        except WorkerDied:
            return _failed(plan, errors.CrashedWorker())
        except asyncio.CancelledError:
            control.stop()
            raise
        except Exception as error:  # the boundary of one photo: a fault in its processing must not end the others'
            log.error("%s could not be processed", plan.source.shown, exc_info=error)
            return _failed(plan, errors.InternalError("The photo could not be processed."))
        finally:
            self._controls.remove(control)
        return outcome.model_copy(update={"seconds": round(time.monotonic() - began, 3)})

    async def _processed(self, plan: Plan, control: Control) -> Outcome:
        with contextlib.ExitStack() as stack:
            path = await asyncio.to_thread(self._on_disk, plan, stack)
            work = Work(path, self._document, self._resolved, self._settings.max_megapixels, name=plan.name)
            return await self._runner.run(work, control, lambda _stage: None, partial(self._keep, plan, control))

    def _on_disk(self, plan: Plan, stack: contextlib.ExitStack) -> Path:
        """The photo as a file: its own, or a copy out of its ZIP."""
        source = plan.source
        if source.entry is None:
            return source.path
        with translated(Path(tempfile.gettempdir())):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="photo-")))
            self._archives.unpack(source.path, source.entry, folder / "photo", self._settings.max_file_bytes)
        return folder / "photo"

    def _keep(self, plan: Plan, control: Control, processed: ProcessedImage) -> Outcome:
        """Write the results, each whole or not at all."""
        written = []
        for place, output in zip(cycle(plan.paths), processed.outputs, strict=False):
            path = place if output.face is None else _of_face(place, output.face)
            control.check()
            with translated(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, output.data)
            written.append(
                Written(
                    name=output.name,
                    path=str(path),
                    format=output.format,
                    width=output.width,
                    height=output.height,
                    bytes=len(output.data),
                )
            )
        return Outcome(
            source=plan.source.shown,
            status="completed",
            outputs=tuple(written),
            engine=processed.engine,
            warnings=self._warnings + processed.warnings,
            review=processed.review,
        )


def _of_face(place: Path, face: int) -> Path:
    return place.with_name(shortened(place.stem, f"-{face}{place.suffix}"))


def _failed(plan: Plan, error: errors.PhotoError) -> Outcome:
    return Outcome(source=plan.source.shown, status="failed", error=file_error(error))
