"""`python -m tests.bench.answers [model] [runtime]`: a network's greatest answers, of empty photos and of the others.

What `ModelRow.least_answer` is set by. The photos with a subject are those that PHOTO_TESTDATA names; the model is
looked for in the folder of PHOTO_TEST_MODELS.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from photo_processor.imaging.pictures import Pixels
from photo_processor.models.inference.runtimes import Input, Network, Place, Tensor, load_network
from photo_processor.models.inference.segmenter import Segmenter
from photo_processor.models.weights.rows import DEFAULT, ROWS
from tests.server import ROOT

FOLDERS = ("masks_people", "masks_fashion", "portraits", "masks_horses", "masks_scenes", "jewelry", "products")
EACH = 6
SIZE = (900, 1200)
PLAIN = ((255,) * 3, (215,) * 3, (128,) * 3, (0,) * 3, (40, 170, 60), (30, 60, 200), (200, 30, 30))


class Noting:
    """A network that keeps its greatest answer."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.runtime = network.runtime
        self.greatest = 0.0

    def get_inputs(self) -> list[Input]:
        return self._network.get_inputs()

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        answers = self._network.run(names, feeds)
        self.greatest = float(answers[0].max())
        return answers


def empty_photos() -> Iterator[Pixels]:
    """(H, W, 3) uint8: plain and noisy walls, gradients, fog, sky, paper."""
    random = np.random.default_rng(5)
    across, down = np.meshgrid(np.linspace(0, 1, SIZE[1]), np.linspace(0, 1, SIZE[0]))
    fog = cv2.GaussianBlur(random.normal(0, 1, SIZE).astype(np.float32), (0, 0), 60)
    fog /= fog.std()
    for colour in PLAIN:
        plain = np.full((*SIZE, 3), colour, np.uint8)
        yield plain
        yield np.clip(plain + random.normal(0, 6, plain.shape), 0, 255).astype(np.uint8)
    shapes = (
        60 + 140 * across, 90 + 120 * down, 230 - 180 * np.hypot(across - 0.5, down - 0.5), 200 + 8 * fog,
        170 + 25 * fog, 238 + 4 * fog + random.normal(0, 3, SIZE),
    )  # fmt: skip
    for shape in shapes:
        yield np.dstack([np.clip(shape, 0, 255).astype(np.uint8)] * 3)


def photos_with_subjects() -> Iterator[Pixels]:
    """(H, W, 3) uint8 of every folder."""
    root = os.environ.get("PHOTO_TESTDATA")
    for folder in FOLDERS if root else ():
        found = sorted((Path(root or "") / folder / "images").iterdir())
        for path in found[:: max(1, len(found) // EACH)][:EACH]:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.thumbnail((1600, 1600))
                yield np.asarray(upright)


def main(name: str = DEFAULT, runtime: str = "auto") -> None:
    row = next(row for row in ROWS if row.name == name)
    folder = Path(os.environ.get("PHOTO_TEST_MODELS", ROOT / "build" / "models"))
    network = Noting(load_network(folder / row.file, Place(runtime)))
    segmenter = Segmenter(row, network)

    def greatest(photos: Iterator[Pixels]) -> list[float]:
        answers = []
        for photo in photos:
            segmenter.answer(photo)
            answers.append(network.greatest)
        return sorted(answers)

    empty, others = greatest(empty_photos()), greatest(photos_with_subjects())
    print(f"{name}, {network.runtime}, limit {row.least_answer}")
    print(f"empty ({len(empty)}): at most {', '.join(f'{answer:.3f}' for answer in empty[:-4:-1])}")
    print(f"with a subject ({len(others)}): at least {', '.join(f'{answer:.3f}' for answer in others[:3])}")


if __name__ == "__main__":
    main(*sys.argv[1:])
