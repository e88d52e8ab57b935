"""What a model says of a photo: loaded once, asked once, its answer kept."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photo_processor import errors
from photo_processor.imaging.geometry import Box
from photo_processor.imaging.reduction import enlarged
from photo_processor.models.inference import classical
from photo_processor.models.inference.inference_thread import networks
from photo_processor.models.inference.long_photos import LOOKS, in_parts, is_long
from photo_processor.models.inference.mattes import MatteCache, matte_key
from photo_processor.models.inference.quantized import OptimisedFolder
from photo_processor.models.inference.runtimes import Network, NotResizable, Place, load_network, runtime_of
from photo_processor.models.inference.segmenter import Segmenter
from photo_processor.models.inference.types import NO_HINTS, Hints, Matte, Pixels
from photo_processor.models.weights.folders import Found, ModelFolders
from photo_processor.models.weights.rows import ModelRow
from photo_processor.schemas import Engine, Quality

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Loaded:
    """A model in memory, and the file that it was loaded from."""

    identity: str
    segmenter: Segmenter


class Predictor:
    """The models in memory. Thread-safe, but to be made by a thread that has not given way.

    `optimised` holds the forms that are taken for the originals; None takes the originals. `inferences` counts how
    often a network or an engine was asked, and did not find its answer among `mattes`.
    """

    def __init__(
        self, folders: ModelFolders, optimised: OptimisedFolder | None, place: Place, mattes: MatteCache | None
    ) -> None:
        self._folders = folders
        self._optimised = optimised
        self._place = place
        self._mattes = mattes
        self._lane = networks()
        self._counting = threading.Lock()
        self.inferences = 0
        self._segmenters: dict[tuple[str, Quality], _Loaded] = {}
        self._fixed: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}

    def loaded(self, row: ModelRow) -> Segmenter | None:
        """The model at its best, where it is in memory as its file is now."""
        loaded = self._segmenters.get((row.name, "best"))
        return loaded.segmenter if loaded and loaded.identity == self._identity(row) else None

    def file(self, row: ModelRow, found: Found) -> Path:
        """What is loaded for a model: its optimised form where there is one."""
        return (self._optimised.network(row, found) if self._optimised else None) or found.path

    def predict(
        self, row: ModelRow, pixels: Pixels, stage: Callable[[str], None], quality: Quality, hints: Hints
    ) -> Matte:
        """The matte of (H, W, 3) uint8 RGB `pixels`, announcing what it does; the best quality where it has no other.

        Within a rectangle of the `hints` a network looks at that alone; strokes are GrabCut's to follow.

        Raises ModelUnavailable, ModelBroken.
        """
        if quality not in row.sides or row.name in self._fixed:
            quality = "best"
        box = None if row.kind == "classical" else hints.rectangle
        if box is not None:
            part = np.ascontiguousarray(pixels[box[1] : box[1] + box[3], box[0] : box[0] + box[2]])
            matte = self._kept(row, part, stage, quality, NO_HINTS)
            return replace(matte, answer=_placed(matte.answer, box, pixels.shape), cutouts=None)
        matte = self._kept(row, pixels, stage, quality, hints if row.kind == "classical" else NO_HINTS)
        return replace(matte, size=(pixels.shape[1], pixels.shape[0]))

    def _kept(
        self, row: ModelRow, pixels: Pixels, stage: Callable[[str], None], quality: Quality, hints: Hints
    ) -> Matte:
        """The model's answer at its own size: the one kept from an earlier time, else a new one."""
        if self._mattes is None:
            return self._answer(row, pixels, stage, quality, hints)
        hinted = "" if hints.is_empty else f" {hints.digest}"
        looks = LOOKS if row.kind == "network" and is_long(pixels) else ""
        key = matte_key(pixels, f"{self._identity(row)} {quality}{hinted}{looks}")
        kept = self._mattes.get(key)
        if kept is None:
            kept = self._answer(row, pixels, stage, quality, hints)
            self._mattes.put(key, kept)
        return replace(kept, cutouts=self._mattes.cutouts(key))

    def _identity(self, row: ModelRow) -> str:
        """What changes whenever the answers of a model may."""
        found = self._folders.find(row)
        if found is None:
            return f"{row.name} {classical.VERSION}"
        path = self.file(row, found)
        status = path.stat()
        least = "" if row.least_answer is None else f" {row.least_answer:g}"
        return f"{row.name} {runtime_of(path, self._place)} {status.st_size} {status.st_mtime_ns}{least}"

    def _answer(
        self, row: ModelRow, pixels: Pixels, stage: Callable[[str], None], quality: Quality, hints: Hints
    ) -> Matte:
        if row.kind == "classical":
            stage("removing background")
            self._count()
            engine = Engine(model=row.name, runtime="opencv", quality="best")
            return Matte(classical.ENGINES[row.name](pixels, hints), engine)
        segmenter, quality = self._segmenter(row, stage, quality)
        stage("removing background")
        self._count()
        engine = Engine(model=row.name, runtime=segmenter.runtime, quality=quality)
        if not is_long(pixels):
            alpha, took = segmenter.timed_answer(pixels)
            return Matte(alpha, engine, took)
        timings: dict[str, float] = {}

        def look(part: Pixels) -> Pixels:
            answer, took = segmenter.timed_answer(part)
            for name, seconds in took.items():
                timings[name] = round(timings.get(name, 0.0) + seconds, 4)
            return answer

        return Matte(in_parts(pixels, look), engine, timings)

    def _count(self) -> None:
        with self._counting:
            self.inferences += 1

    def _segmenter(self, row: ModelRow, stage: Callable[[str], None], quality: Quality) -> tuple[Segmenter, Quality]:
        """The loaded model, and the quality it has: where its network runs at one size alone, `best`."""
        if (row.name, quality) not in self._segmenters:
            stage("loading the model")
        with self._locks.setdefault(row.name, threading.Lock()):
            if row.name not in self._fixed:
                try:
                    return self._loaded(row, quality), quality
                except NotResizable:
                    self._fixed.add(row.name)
            return self._loaded(row, "best"), "best"

    def _loaded(self, row: ModelRow, quality: Quality) -> Segmenter:
        identity = self._identity(row)
        loaded = self._segmenters.get((row.name, quality))
        if loaded is None or loaded.identity != identity:
            found = self._folders.find(row)
            if found is None:
                raise errors.ModelUnavailable(f"The model '{row.name}' is not on this machine.")
            self._unload(row, identity)
            side = row.sides.get(quality)
            loaded = _Loaded(identity, Segmenter(row, self._network(row, found, side), side))
            self._segmenters[(row.name, quality)] = loaded
        return loaded.segmenter

    def _unload(self, row: ModelRow, identity: str) -> None:
        """Forget what was loaded of a file that is no longer the model's."""
        for key, loaded in list(self._segmenters.items()):
            if key[0] == row.name and loaded.identity != identity:
                del self._segmenters[key]

    def _network(self, row: ModelRow, found: Found, side: int | None) -> Network:
        path = self.file(row, found)
        try:
            return self._lane.call(load_network, path, self._place, side)
        except errors.ModelBroken as problem:
            if self._optimised is None or path == found.path:
                raise
            log.warning("the optimised form of %s cannot be loaded and is thrown away", row.name, exc_info=problem)
            self._optimised.files(row).remove()
            return self._lane.call(load_network, found.path, self._place, side)


def _placed(alpha: Pixels, box: Box, shape: tuple[int, ...]) -> Pixels:
    """(H, W) uint8 of a photo of that `shape`: `alpha`, at whatever size, within `box`, and 0 around it."""
    x, y, width, height = box
    whole = np.zeros(shape[:2], np.uint8)
    whole[y : y + height, x : x + width] = enlarged(alpha, width, height)
    return whole
