"""`python -m tests.bench.masks [photos]`: how well each quality agrees with hand-made masks, against rembg's own way.

The folders of masks are found by PHOTO_TESTDATA: `images/` and `masks/` (or `mask_ALL/`), of the same names.
"""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from photo_processor.models.weights.rows import DEFAULT
from photo_processor.schemas import Quality
from tests.bench import networks, single
from tests.bench.http import rembg_of
from tests.bench.rows import Row

FOLDERS = ("masks_people", "masks_fashion", "portraits", "masks_horses", "masks_scenes")
QUALITIES: tuple[Quality, ...] = ("best", "balanced", "fast")
PHOTOS = 40  # of each folder
FEW = 12  # in `make bench`

Pixels = np.ndarray
Way = Callable[[Pixels], Pixels]
Scores = Sequence[tuple[float, float]]  # rembg's and ours


def ways(network: networks.Isnet, data: Path) -> Mapping[str, Way]:
    """What makes a matte, (H, W) uint8 of (H, W, 3) uint8 RGB, by name."""
    networks.optimise(network, data)
    found: dict[str, Way] = {"rembg": rembg_way(network, data)}
    for optimised in (False, True):
        models = networks.store(network, data, optimised=optimised)
        for quality in QUALITIES:
            found[f"{quality}{', optimised' if optimised else ''}"] = partial(ours, models, quality)
    return found


def rembg_way(network: networks.Isnet, data: Path) -> Way:
    """rembg's own way to a matte, (H, W) uint8, on the same weights in single precision."""
    folder = Path(tempfile.mkdtemp(dir=data))
    remove = rembg_of(single.save(network.file, folder / network.file.name), isnet=True)

    def matte(pixels: Pixels) -> Pixels:
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG", compress_level=1)
        return np.asarray(Image.open(io.BytesIO(remove(out.getvalue()))))[..., 3]

    return matte


def ours(models: networks.ModelStore, quality: Quality, pixels: Pixels) -> Pixels:
    """The matte, (H, W) uint8, as the server finds it."""
    return models.predict(DEFAULT, pixels, lambda _stage: None, quality).alpha


def pairs(folder: Path, count: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Photo and mask, `count` of them, evenly over the folder."""
    masks = {path.stem: path for path in folder.glob("mask*/*")}
    photos = sorted(path for path in (folder / "images").iterdir() if path.stem in masks)
    for path in photos[:: max(1, len(photos) // count)][:count]:
        with Image.open(path) as photo, Image.open(masks[path.stem]) as mask:
            yield np.asarray(photo.convert("RGB")), np.asarray(mask.convert("L").resize(photo.size)) > 127


def iou(mask: Pixels, truth: Pixels) -> float:
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def run(network: networks.Isnet | None, data: Path) -> Iterator[Row]:
    """Rows of the optimised network's masks against rembg's; none without the folders of masks, or without ISNet."""
    root = os.environ.get("PHOTO_TESTDATA")
    if network is None or not root:
        return
    networks.optimise(network, data)
    theirs, own = rembg_way(network, data), partial(ours, networks.store(network, data, optimised=True), "best")
    means = []
    for folder in FOLDERS:
        found = [
            (iou(theirs(photo) > 127, truth), iou(own(photo) > 127, truth))
            for photo, truth in pairs(Path(root) / folder, FEW)
        ]
        yield _row(folder.removeprefix("masks_"), found)
        means.append(_means(found))
    yield _row("all folders", means)


def _row(what: str, found: Scores) -> Row:
    before, after = _means(found)
    name = f"masks of {what}, ISNet optimised, against rembg's"
    return Row(name, after, "mean IoU", before, after / before, len(found))


def _means(found: Scores) -> tuple[float, float]:
    before, after = zip(*found, strict=True)
    return statistics.mean(before), statistics.mean(after)


def main(count: int = PHOTOS) -> None:
    network = networks.isnet()
    root = os.environ.get("PHOTO_TESTDATA")
    if network is None or not root:
        sys.exit("this needs ISNet in build/models, and PHOTO_TESTDATA")
    with tempfile.TemporaryDirectory() as data:
        measured = ways(network, Path(data))
        print("| | " + " | ".join(measured) + " |\n" + "| --- " * (len(measured) + 1) + "|", flush=True)
        seconds: dict[str, list[float]] = {name: [] for name in measured}
        means: dict[str, list[float]] = {name: [] for name in measured}
        for folder in FOLDERS:
            scores: dict[str, list[float]] = {name: [] for name in measured}
            for photo, truth in pairs(Path(root) / folder, count):
                for name, way in measured.items():
                    start = time.perf_counter()
                    scores[name].append(iou(way(photo) > 127, truth))
                    seconds[name].append(time.perf_counter() - start)
            for name, values in scores.items():
                means[name].append(statistics.mean(values))
            _print(f"{folder.removeprefix('masks_')}, {len(values)}", [column[-1] for column in means.values()])
        _print("mean", [statistics.mean(values) for values in means.values()])
        _print("seconds", [statistics.median(values) for values in seconds.values()])


def _print(title: str, values: list[float]) -> None:
    print(f"| {title} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
