"""Eight-bit post-training quantization of a network, compared with the original, in a process of its own.

`python -m photo_processor.models.inference.quantize_process NAME SOURCE FOLDER` prints a JSON line for each step
and leaves its files in FOLDER. Apart
from the server, since it takes some GB that only the end of a process gives back, and all the time it can get.
"""

import argparse
import importlib.metadata
import logging
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photo_processor.models.inference.calibration import calibration_crops, held_out_crops
from photo_processor.models.inference.quantized import Files, Record
from photo_processor.models.inference.runtimes import (
    Input,
    Place,
    Tensor,
    inputs_of,
    load_network,
    openvino,
    read_network,
)
from photo_processor.models.inference.segmenter import Segmenter
from photo_processor.models.inference.types import Pixels
from photo_processor.models.weights.folders import digest_of
from photo_processor.models.weights.rows import ROWS, ModelRow
from photo_processor.schemas import Frozen

SAMPLES = 60
CHECKED = 24
# Where the original is in doubt about much of what it finds, its mask is a matter of chance, and says nothing. On the
# crops that are left, ISNet reaches a mean of 0.994 and a least of 0.987, and loses nothing on photos with known masks.
MOST_DOUBT = 0.15  # px between the two, of those of the subject
LEAST_COMPARED = 3  # crops
LEAST_MEAN_IOU = 0.985
LEAST_IOU = 0.95
LEAST_GAIN = 1.05
CPU_INFO = Path("/proc/cpuinfo")
VNNI = frozenset({"amx_int8", "avx512_vnni", "avx_vnni", "asimddp", "i8mm"})
ROUNDS = 5  # inferences of each, by turns, of which the fastest counts
NICENESS = 10
STALE_S = 86_400.0  # seconds after which a folder that is only half written was left by a crash

PREFIX = ".optimising-"

Report = Callable[[str, float | None], None]


class Step(Frozen):
    """A line that the process prints: what it does, and how much of that is done, from 0 to 1, where it is known."""

    step: str
    share: float | None = None


@dataclass(frozen=True)
class Findings:
    """How the optimised network compares with the original: agreement by crop, and seconds for one inference."""

    ious: tuple[float, ...]
    seconds: float
    source_seconds: float

    @property
    def gain(self) -> float:
        """How many times as fast it is."""
        return self.source_seconds / self.seconds

    @property
    def fault(self) -> str | None:
        """Why the optimised network is not to be used; None where it is."""
        if len(self.ious) < LEAST_COMPARED:
            return "The original finds too little in the photos that it is compared on."
        if statistics.mean(self.ious) < LEAST_MEAN_IOU or min(self.ious) < LEAST_IOU:
            return "Its masks differ too much from the original's."
        return None if self.gain >= LEAST_GAIN else "It is no faster than the original on this machine."


def optimise(row: ModelRow, source: Path, folder: Path, report: Report, samples: int = SAMPLES) -> Record:
    """Quantize the network in `source`, compare it with that, and leave what became of it in `folder`."""
    files = Files.at(folder, row.name)
    files.remove()
    _sweep(folder)
    status = source.stat()
    with tempfile.TemporaryDirectory(dir=folder, prefix=PREFIX) as name:
        made = Path(name) / files.graph.name
        _quantize(row, source, made, report, samples)
        found = _compared(row, source, made, report)
        record = Record(
            outcome="rejected" if found.fault else "ready",
            reason=found.fault,
            source=digest_of(source, "sha256"),
            source_bytes=status.st_size,
            source_mtime_ns=status.st_mtime_ns,
            openvino=importlib.metadata.version("openvino"),
            nncf=importlib.metadata.version("nncf"),
            samples=samples,
            compared=len(found.ious),
            gain=round(found.gain, 2),
            seconds=round(found.seconds, 4),
            source_seconds=round(found.source_seconds, 4),
            iou=round(statistics.mean(found.ious), 4) if found.ious else None,
            least_iou=round(min(found.ious), 4) if found.ious else None,
        )
        if record.outcome == "ready":
            made.with_suffix(".bin").replace(files.weights)
            made.replace(files.graph)
        files.write(record)
    return record


def _sweep(folder: Path) -> None:
    """Delete what a crash left half written; a younger one may be another server's."""
    for path in folder.glob(f"{PREFIX}*"):
        if time.time() - path.stat().st_mtime > STALE_S:
            shutil.rmtree(path, ignore_errors=True)


def _quantize(row: ModelRow, source: Path, target: Path, report: Report, samples: int) -> None:
    """Write the network of `source` with 8-bit weights and activations to `target`."""
    runtime = openvino()  # its telemetry is out of the way from here on; nncf sends through the same package
    import nncf  # type: ignore[import-not-found, import-untyped, unused-ignore]

    nncf.set_log_level(logging.ERROR)
    # A copy: nncf follows the original's nodes into side outputs that are cut off.
    network = read_network(runtime.Core(), source).clone()
    feed = _Feed(row, inputs_of(network))
    taken = 0

    def prepared(crop: Pixels) -> dict[str, Tensor]:
        nonlocal taken
        taken += 1
        report("calibrating", min(1.0, taken / samples))
        return feed.of(crop)

    crops = nncf.Dataset(list(calibration_crops(samples)), prepared)
    # Asymmetric activations: with symmetric ones ISNet loses .017 of its mean IoU where subjects are small.
    smaller = nncf.quantize(
        network,
        crops,
        subset_size=samples,
        preset=nncf.QuantizationPreset.MIXED,
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=_overflow_fix()),
    )
    runtime.save_model(smaller, target)


def _overflow_fix() -> str:
    """Which layers leave a bit of their weights unused: nncf's word for all of them, or for the first alone.

    Processors without instructions for 8-bit products (VNNI) add two of them in 16 bits, which may overflow: there a
    network of large weights kept to an IoU of 0.81 with the original.
    """
    try:
        flags = CPU_INFO.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        flags = []
    return "first_layer_only" if VNNI.intersection(flags) else "enable"


class _Feed:
    """What a network is fed for a photo, as its segmenter prepares it."""

    runtime = "none"

    def __init__(self, row: ModelRow, inputs: list[Input]) -> None:
        self._inputs = inputs
        self._fed: dict[str, Tensor] = {}
        self._segmenter = Segmenter(row, self)

    def get_inputs(self) -> list[Input]:
        return self._inputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        self._fed = dict(feeds)
        return [np.zeros((1, 1, 1, 1), np.float32)]

    def of(self, pixels: Pixels) -> dict[str, Tensor]:
        self._segmenter.answer(pixels)
        return self._fed


def _compared(row: ModelRow, source: Path, made: Path, report: Report) -> Findings:
    compared = replace(row, least_answer=None)  # answers are compared, not what is made of the faintest
    original, smaller = (Segmenter(compared, load_network(path, Place("openvino"))) for path in (source, made))
    ious = []
    crop = None
    for number, crop in enumerate(held_out_crops(CHECKED)):
        report("checking", number / CHECKED)
        mask = original.answer(crop)
        if not _is_doubtful(mask):
            ious.append(agreement(mask, smaller.answer(crop)))
    report("measuring", None)
    assert crop is not None
    # By turns, so that other work on the machine slows both down.
    pairs = [(_seconds(smaller, crop), _seconds(original, crop)) for _ in range(ROUNDS)]
    return Findings(tuple(ious), min(pair[0] for pair in pairs), min(pair[1] for pair in pairs))


def _is_doubtful(mask: Pixels) -> bool:
    """Whether the network is in doubt about much of what it finds."""
    subject = np.count_nonzero(mask > 127)
    doubtful = np.count_nonzero((mask > 32) & (mask < 223))
    return bool(doubtful >= MOST_DOUBT * subject)


def _seconds(segmenter: Segmenter, pixels: Pixels) -> float:
    start = time.perf_counter()
    segmenter.answer(pixels)
    return time.perf_counter() - start


def agreement(mask: Pixels, other: Pixels) -> float:
    """Intersection over union of two mattes, binarised; 1 where both are empty."""
    one, two = mask > 127, other > 127
    union = np.count_nonzero(one | two)
    return 1.0 if union == 0 else float(np.count_nonzero(one & two) / union)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's life; it ends with its parent, whose end of the pipe at its standard input closes then."""
    parser = argparse.ArgumentParser(prog="python -m photo_processor.models.inference.quantize_process")
    parser.add_argument("name", choices=[row.name for row in ROWS])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    options = parser.parse_args(arguments)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    [row] = (row for row in ROWS if row.name == options.name)
    options.folder.mkdir(parents=True, exist_ok=True)
    optimise(row, options.source, options.folder, _say, options.samples)
    return 0


def _say(step: str, share: float | None) -> None:
    print(Step(step=step, share=share).model_dump_json(), flush=True)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered read could not be left at the exit
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
