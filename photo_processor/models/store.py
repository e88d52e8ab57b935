"""The models of this server: which there are, where they come from, and what they say of a photo."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace
from photo_processor.models.detection.detector import FaceDetector
from photo_processor.models.inference.mattes import MatteCache
from photo_processor.models.inference.predictor import Predictor
from photo_processor.models.inference.quantized import OptimisedFolder, is_installed
from photo_processor.models.inference.quantizer import Optimiser
from photo_processor.models.inference.runtimes import Place, runtime_of
from photo_processor.models.inference.segmenter import Segmenter
from photo_processor.models.inference.types import NO_HINTS, Hints, Pixels, State
from photo_processor.models.inference.types import Matte as Matte
from photo_processor.models.inference.types import ModelInfo as ModelInfo
from photo_processor.models.inference.types import Resolved as Resolved
from photo_processor.models.weights.download import fetch_model
from photo_processor.models.weights.folders import Found, ModelFolders
from photo_processor.models.weights.rows import (
    ALIASES,
    CUSTOM,
    DEFAULT,
    FACE_KINDS,
    FALLBACK_ENGINE,
    ROWS,
    STAND_INS,
    ModelRow,
)
from photo_processor.models.weights.transfer import SourceFailed
from photo_processor.schemas import FileError, FileWarning, ModelProgress, Quality
from photo_processor.settings import Settings

log = logging.getLogger(__name__)

AUTO = "auto"
FAILURE_KEPT_S = 60.0
NOTIFY_EVERY_S = 0.25


@dataclass
class _Download:
    task: asyncio.Task[None]
    received: int = 0
    total: int | None = None
    notified: float = 0.0


@dataclass
class _Failure:
    error: FileError
    at: float = field(default_factory=time.monotonic)

    def is_recent(self) -> bool:
        return time.monotonic() - self.at < FAILURE_KEPT_S


class ModelStore:
    """The models of one server. Coroutines and downloads belong to the event loop; `predict` to any thread."""

    def __init__(self, settings: Settings, mattes: MatteCache | None = None) -> None:
        self._settings = settings
        self._folders = ModelFolders(settings)
        self._detector = FaceDetector(self._folders)
        self._rows = {row.name: row for row in ROWS if _is_offered(row, settings)}
        self._downloads: dict[str, _Download] = {}
        self._failures: dict[str, _Failure] = {}
        self._sources: dict[str, str] = {}
        self._subscribers: list[Callable[[str], None]] = []
        self._place = Place(settings.runtime, settings.device, settings.compiled_path)
        self._device_error: FileError | None = None
        self._optimised = OptimisedFolder(settings.models_path)
        self.optimiser = Optimiser(self._optimised, self._notify)
        self._predictor = Predictor(self._folders, self._optimised if self._optimises else None, self._place, mattes)

    def names(self) -> tuple[str, ...]:
        """The names of the models offered here."""
        return tuple(self._rows)

    def canonical(self, name: str) -> str:
        """The name proper of a model or of `auto`. Raises UnknownModel."""
        name = ALIASES.get(name, name)
        if name != AUTO and name not in self._rows:
            raise errors.UnknownModel(f"There is no model named '{name[:64]}'.")
        return name

    def segmenter(self, name: str) -> str:
        """The name proper of a model that removes backgrounds, or of `auto`. Raises UnknownModel."""
        name = self.canonical(name)
        if name != AUTO and self._rows[name].kind in FACE_KINDS:
            raise errors.UnknownModel(f"The model '{name}' looks at faces; it removes no background.")
        return name

    def faces(self, pixels: Pixels) -> tuple[FoundFace, ...]:
        """The faces in (H, W, 3) uint8 RGB `pixels`, largest first. Thread-safe."""
        return self._detector.faces(pixels)

    @property
    def looks(self) -> int:
        """How often faces were looked for."""
        return self._detector.looks

    def rows(self) -> tuple[ModelInfo, ...]:
        """Every model offered here, with its present state."""
        return tuple(self.row(name) for name in self._rows)

    def row(self, name: str) -> ModelInfo:
        """One model with its present state. Raises UnknownModel."""
        row = self._row(name)
        found = self._folders.find(row)
        failure = self._failures.get(row.name)
        loaded = self._predictor.loaded(row)
        return ModelInfo(
            name=row.name,
            title=row.title,
            good_at=row.good_at,
            licence=row.licence,
            commercial_use=row.commercial_use,
            kind=row.kind,
            bytes=found.bytes if found else row.bytes,
            digest=row.digest,
            input_size=loaded.size if loaded else row.input_size,
            state=self._state(row, found),
            source=(self._sources.get(row.name) or found.source) if found else None,
            verified=found.known if found else None,
            progress=self.progress(row.name),
            error=self._device_error if found else failure.error if failure else None,
            runtime=self._runtime(row, found, loaded),
            optimisable=self._why_not_optimisable(row, found) is None and is_installed(),
            optimised=self.optimiser.state(row, found) if self._optimises else None,
        )

    def _runtime(self, row: ModelRow, found: Found | None, loaded: Segmenter | None) -> str | None:
        """What runs the model, or would run it now."""
        if row.kind == "classical" or (row.kind in FACE_KINDS and found):
            return "opencv"
        if found is None:
            return None
        return loaded.runtime if loaded else runtime_of(self._predictor.file(row, found), self._place)

    def _row(self, name: str) -> ModelRow:
        name = self.canonical(name)
        return self._rows[self.auto_name() if name == AUTO else name]

    def _state(self, row: ModelRow, found: Found | None) -> State:
        if row.kind == "classical":
            return "built_in"
        if found:
            return "installed"
        if row.name in self._downloads:
            return "downloading"
        return "failed" if row.name in self._failures else "missing"

    def auto_name(self) -> str:
        """What `auto` means now: the default network, else another one that is installed, else the classical engine."""
        installed = (name for name in (DEFAULT, *STAND_INS) if name in self._rows and self._is_installed(name))
        return next(installed, FALLBACK_ENGINE)

    def _is_installed(self, name: str) -> bool:
        row = self._rows[name]
        return row.kind == "classical" or self._folders.find(row) is not None

    async def ensure(self, name: str) -> Resolved:
        """The model for `name`, on this machine when this returns; waits for its download.

        Raises UnknownModel, and ModelUnavailable for a network asked for by name that cannot be had.
        """
        name = self.canonical(name)
        if name == AUTO:
            return await self._ensure_auto()
        if await self._has(name, retry=True):
            return Resolved(name)
        raise errors.ModelUnavailable(self._why_not(name))

    async def fetched(self, name: str) -> None:
        """Wait until no download of the model is under way."""
        if name in self._downloads:
            # `wait` neither passes a waiter's cancellation on to the download, nor the download's to the waiters.
            await asyncio.wait({self._downloads[name].task})

    async def _ensure_auto(self) -> Resolved:
        if await self._has(DEFAULT, retry=False):
            return Resolved(DEFAULT)
        name = self.auto_name()
        title = self._rows[name].title
        if self._rows[name].kind == "network":
            message = f"The default model is not on this machine; {title} was used instead."
            return Resolved(name, FileWarning(code="fallback_model", message=message))
        message = f"No network model is on this machine; the rough engine {title} was used instead."
        return Resolved(name, FileWarning(code="fallback_engine", message=message))

    async def _has(self, name: str, *, retry: bool) -> bool:
        """Whether the model is here, once a download that can be had is over.

        `retry` starts one even where the last one failed a moment ago; else each photo would wait for it.
        """
        row = self._rows[name]
        if row.kind == "classical":
            return True
        found = await asyncio.to_thread(self._folders.verify, row)
        if found is not None:
            return True
        failure = self._failures.get(name)
        if name not in self._downloads:
            if self._settings.offline or name == CUSTOM or (failure and failure.is_recent() and not retry):
                return False
            self.download(name)
        await self.fetched(name)
        return self._is_installed(name)

    def _why_not(self, name: str) -> str:
        title = f"The model '{name}' is not on this machine"
        if name == CUSTOM:
            return f"The file of the model 'custom' is not there: {self._settings.custom_model}."
        if self._settings.offline:
            return f"{title}, and downloads are switched off."
        failure = self._failures.get(name)
        return f"{title} and could not be fetched. {failure.error.message if failure else 'The server is stopping.'}"

    def download(self, name: str) -> None:
        """Start fetching a model, unless it is here or on its way. Call it on the event loop.

        Raises UnknownModel, DownloadDisabled.
        """
        row = self._row(DEFAULT if name == AUTO else name)
        if self._is_installed(row.name) or row.name in self._downloads:
            return
        if self._settings.offline:
            raise errors.DownloadDisabled("Downloads are switched off on this server.")
        if row.name == CUSTOM:
            raise errors.DownloadDisabled("The model 'custom' is a file of your own; put it where the setting says.")
        self._failures.pop(row.name, None)
        task = asyncio.get_running_loop().create_task(self._fetch(row), name=f"download {row.name}")
        self._downloads[row.name] = _Download(task)
        self._notify(row.name)

    async def _fetch(self, row: ModelRow) -> None:
        try:
            label = await fetch_model(row, self._folders.target(row), self._settings, self._reporter(row.name))
            self._sources[row.name] = label
            await asyncio.to_thread(self._folders.verify, row)
        except SourceFailed as problem:
            log.warning("the model %s could not be fetched: %s", row.name, problem)
            text = str(problem)
            hint = None if row.kind in FACE_KINDS else errors.ModelUnavailable.hint  # faces are found all the same
            error = FileError(code=errors.ModelUnavailable.code, message=f"{text[:1].upper()}{text[1:]}.", hint=hint)
            self._failures[row.name] = _Failure(error)
        finally:
            del self._downloads[row.name]
            self._notify(row.name)

    def _reporter(self, name: str) -> Callable[[int, int | None], None]:
        def report(received: int, total: int | None) -> None:
            state = self._downloads[name]
            state.received, state.total = received, total
            now = time.monotonic()
            if now - state.notified >= NOTIFY_EVERY_S or received == total:
                state.notified = now
                self._notify(name)

        return report

    async def check_device(self) -> None:
        """Look for the device that is set, so that the rows say where it is not there."""
        try:
            await asyncio.to_thread(self._place.check)
        except errors.DeviceUnavailable as problem:
            log.error("%s", problem.detail)
            self._device_error = FileError(code=problem.code, message=problem.detail, hint=problem.hint)

    @property
    def _optimises(self) -> bool:
        """Whether optimised networks are made and used here: they are OpenVINO's, for processors."""
        return self._settings.optimize != "off" and self._place.chosen == "openvino" and self._place.device != "gpu"

    def optimise(self, name: str) -> str:
        """Start optimising a network, unless that is under way or done; its name. Call it on the event loop.

        Raises UnknownModel, NotOptimizable, OptimizerMissing.
        """
        row = self._row(name)
        found = self._folders.find(row)
        reason = self._why_not_optimisable(row, found)
        if reason or found is None:
            raise errors.NotOptimizable(reason)
        self.optimiser.start(row, found)
        return row.name

    def _why_not_optimisable(self, row: ModelRow, found: Found | None) -> str | None:
        if not self._optimises:
            return "This server neither makes nor uses optimised networks: see PHOTO_OPTIMIZE, _RUNTIME and _DEVICE."
        if row.kind == "classical" or not row.convolutional:
            return f"The model '{row.name}' is of a kind that cannot be optimised."
        return None if found else f"The model '{row.name}' is not on this machine yet."

    def progress(self, name: str) -> ModelProgress | None:
        """How far the download of a model is; None where there is none. `auto` stands for the default."""
        name = DEFAULT if name == AUTO else ALIASES.get(name, name)
        state = self._downloads.get(name)
        if state is None:
            return None
        percentage = round(100 * state.received / state.total, 1) if state.total else None
        return ModelProgress(name=name, received=state.received, total=state.total, percentage=percentage)

    def subscribe(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback(name)` on the event loop when a model's state or progress changed; returns the way to stop."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def _notify(self, name: str) -> None:
        for callback in tuple(self._subscribers):
            callback(name)

    async def settled(self) -> None:
        """Wait until no download and no optimisation is under way."""
        while tasks := {*(state.task for state in self._downloads.values()), *self.optimiser.tasks}:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Stop the downloads, whose parts stay to go on with, and what is being optimised."""
        await self.optimiser.close()
        tasks = [state.task for state in self._downloads.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def predict(
        self,
        name: str,
        pixels: Pixels,
        stage: Callable[[str], None],
        quality: Quality = "best",
        hints: Hints = NO_HINTS,
    ) -> Matte:
        """The matte of (H, W, 3) uint8 RGB `pixels`, announcing what it does. Thread-safe; loads the model once.

        Its engine names the quality there was: only networks that run at other sizes have another than `best`.
        Within a rectangle of the `hints` a network looks at that alone; strokes are GrabCut's to follow.

        Raises UnknownModel, ModelUnavailable, ModelBroken.
        """
        row = self._rows[self.segmenter(self._row(name).name)]
        if row.kind == "network" and self._folders.find(row) is None:
            raise errors.ModelUnavailable(self._why_not(row.name))
        return self._predictor.predict(row, pixels, stage, quality, hints)

    @property
    def inferences(self) -> int:
        """How often a network or an engine was asked, and did not find its answer among the mattes."""
        return self._predictor.inferences


def _is_offered(row: ModelRow, settings: Settings) -> bool:
    if row.name == CUSTOM:
        return settings.custom_model is not None
    return row.commercial_use or settings.allow_noncommercial
