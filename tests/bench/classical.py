"""`python -m tests.bench.classical [photos]`: mean IoU of the engines without a network, beside ISNet's.

The folders of masks are found by PHOTO_TESTDATA, as `tests.bench.masks` finds them.
"""

import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from photo_processor.models.inference.classical import ENGINES
from photo_processor.models.inference.types import NO_HINTS, Hints
from tests.bench import networks
from tests.bench.masks import FOLDERS, Pixels, Way, iou, ours, pairs

PHOTOS = 24  # of each folder


def _boxed(truth: Pixels) -> Hints:
    """What a person would draw: the box of the subject, a fiftieth of the sides wider."""
    rows, columns = truth.any(axis=1).nonzero()[0], truth.any(axis=0).nonzero()[0]
    slack_y, slack_x = truth.shape[0] // 50, truth.shape[1] // 50
    top, left = max(0, int(rows[0]) - slack_y), max(0, int(columns[0]) - slack_x)
    bottom, right = int(rows[-1]) + 1 + slack_y, int(columns[-1]) + 1 + slack_x
    return Hints((left, top, min(right, truth.shape[1]) - left, min(bottom, truth.shape[0]) - top))


def main(count: int = PHOTOS) -> None:
    network = networks.isnet()
    root = os.environ.get("PHOTO_TESTDATA")
    if network is None or not root:
        sys.exit("this needs ISNet in build/models, and PHOTO_TESTDATA")
    with tempfile.TemporaryDirectory() as data:
        isnet: Way = partial(ours, networks.store(network, Path(data), optimised=False), "best")
        names = ["isnet-general-use", *ENGINES, "grabcut, in a box"]
        print("| | " + " | ".join(names) + " |\n" + "| --- " * (len(names) + 1) + "|", flush=True)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for folder in FOLDERS:
            scores: dict[str, list[float]] = {name: [] for name in names}
            for photo, truth in pairs(Path(root) / folder, count):
                boxed = _boxed(truth)
                for name in names:
                    start = time.perf_counter()
                    if name == names[0]:
                        found = isnet(photo)
                    else:
                        found = ENGINES[name.partition(",")[0]](photo, boxed if "," in name else NO_HINTS)
                    seconds[name].append(time.perf_counter() - start)
                    scores[name].append(iou(found > 127, truth))
            _print(f"{folder.removeprefix('masks_')}, {len(scores[names[0]])}", map(statistics.mean, scores.values()))
        _print("seconds", map(statistics.median, seconds.values()))


def _print(title: str, values: "map[float]") -> None:
    print(f"| {title} | " + " | ".join(f"{value:.2f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
