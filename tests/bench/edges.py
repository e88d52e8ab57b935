"""`python -m tests.bench.edges`: how near the edges come to mattes that are known, against rembg's plain cutout.

A subject with a soft matte is laid on other backgrounds by that matte, so the photo's true matte is known px by px
whoever made it. Both sides find the subject with the same ISNet. With PHOTO_TESTDATA the portraits there join in.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from photo_processor.imaging.edges import decontaminated, refined
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.weights.rows import DEFAULT
from tests.bench import networks
from tests.bench.masks import Way, iou, rembg_way
from tests.bench.rows import Row
from tests.operation_examples import MASK
from tests.unit.test_edges import gradients, strands

FOUND = 0.93  # IoU from which on the subject counts as found: the edge says nothing where the subject is another
AROUND_PX = 6  # beyond the soft px of either matte, where edges are compared
SIDE = 1024  # px of the photos


@dataclass(frozen=True)
class Errors:
    """Of one photo: of the matte, of its gradient (sigma 1.4, x 1000), of the cutout's colours in levels."""

    absolute: float
    gradient: float
    colour: float


def subjects() -> Iterator[tuple[Pixels, Pixels]]:
    """(SIDE, SIDE, 3) uint8 colours and (SIDE, SIDE) uint8 matte of each."""
    fur = cv2.resize(data.chelsea()[100:250, 150:300], (SIDE, SIDE)) // 2
    yield np.asarray(fur, np.uint8), _sized(strands())
    with Image.open(MASK) as stored:
        matte = _sized(np.asarray(stored.convert("L")))
    yield decontaminated(_sized(data.astronaut()), matte), matte
    root = os.environ.get("PHOTO_TESTDATA")
    folder = Path(root) / "portraits" if root else None
    masks = {} if folder is None else {path.stem: path for path in folder.glob("mask*/*")}
    for path in [] if folder is None else sorted((folder / "images").iterdir()):
        if path.stem in masks:
            with Image.open(path) as photo, Image.open(masks[path.stem]) as stored:
                matte = _sized(np.asarray(stored.convert("L")))
                yield decontaminated(_sized(np.asarray(photo.convert("RGB"))), matte), matte


def backgrounds() -> Iterator[Pixels]:
    """(SIDE, SIDE, 3) uint8: plain, a gradient, stones, a table."""
    yield np.full((SIDE, SIDE, 3), (60, 160, 70), np.uint8)
    yield np.repeat(np.linspace(40, 230, SIDE).astype(np.uint8)[:, None, None], SIDE, 1).repeat(3, 2)
    yield np.dstack([_sized(data.gravel())] * 3)
    yield _sized(data.coffee()[:200, 350:])


def _sized(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def composites() -> Iterator[tuple[Pixels, Pixels, Pixels]]:
    """Photo, the subject's colours, its matte."""
    behind = list(backgrounds())
    for front, matte in subjects():
        share = matte[..., None].astype(np.float32) / 255
        for back in behind:
            yield np.rint(share * front + (1 - share) * back).astype(np.uint8), front, matte


def errors_of(alpha: Pixels, colours: Pixels, front: Pixels, truth: Pixels, band: np.ndarray) -> Errors:
    """What a cutout gets wrong in the `band` (H, W) of its edge; of the colours, as they look on magenta."""
    share, right = (plane[..., None].astype(np.float32) / 255 for plane in (alpha, truth))
    magenta = np.array((255, 0, 255), np.float32)
    off = np.abs(share * colours + (1 - share) * magenta - right * front - (1 - right) * magenta)
    return Errors(
        absolute=float((np.abs(alpha.astype(np.float32) - truth) / 255)[band].mean()),
        gradient=1000 * float(np.square(gradients(alpha) - gradients(truth))[band].mean()),
        colour=float(off[band].mean()),
    )


def band_of(*mattes: Pixels) -> np.ndarray:
    """(H, W): the px near one that any of the mattes calls soft."""
    soft = np.any([(matte > 8) & (matte < 247) for matte in mattes], axis=0).astype(np.uint8)
    side = 2 * AROUND_PX + 1
    return np.asarray(cv2.dilate(soft, np.ones((side, side), np.uint8)) > 0)


def measured(plain: Way, find: Way) -> tuple[list[Errors], list[Errors], int]:
    """The errors of rembg's plain cutouts and of ours, photo by photo; and how many photos there were."""
    theirs, ours, photos = [], [], 0
    for photo, front, truth in composites():
        photos += 1
        rough = plain(photo)
        if iou(rough > 127, truth > 127) < FOUND:
            continue
        alpha = refined(photo, find(photo))
        band = band_of(truth, rough)
        theirs.append(errors_of(rough, photo, front, truth, band))
        ours.append(errors_of(alpha, decontaminated(photo, alpha), front, truth, band))
    return theirs, ours, photos


def run(network: networks.Isnet | None, data_dir: Path) -> Iterator[Row]:
    """Every row of this part; none without ISNet's file."""
    if network is None:
        return
    models = networks.store(network, data_dir, optimised=False)
    theirs, ours, photos = measured(
        rembg_way(network, data_dir), lambda pixels: models.predict(DEFAULT, pixels, lambda _stage: None).alpha
    )
    yield Row("edges, photos whose subject was found", len(ours), f"of {photos}")
    for name, unit in (("absolute", "of 1"), ("gradient", "x 1000"), ("colour", "levels")):
        before, after = (statistics.mean(getattr(one, name) for one in side) for side in (theirs, ours))
        yield Row(f"edges, {name} error, against rembg's", after, unit, before, before / after, len(ours))


def main() -> None:
    network = networks.isnet()
    if network is None:
        sys.exit("this needs ISNet in build/models")
    with tempfile.TemporaryDirectory() as folder:
        for row in run(network, Path(folder)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
