"""Faces: the time of detection and of `id_photo`, and what both detectors find on annotated photos.

`python -m tests.bench.faces` prints recall and false alarms, on the photos that PHOTO_TESTDATA names (`faces_boxes`),
as docs/faces.md has them; a detector's name behind it, only that one's. `make bench` takes the times of both; YuNet's
where its file is in build/models, or in the folder that PHOTO_MODEL_DIR or PHOTO_TESTDATA names.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from photo_processor.imaging.decode import decode
from photo_processor.imaging.faces import FoundFace
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.models.detection.closeup import turned_back
from photo_processor.models.detection.detector import found_by
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.detection.yunet import YuNet
from photo_processor.operations import Context
from photo_processor.operations.id_photo import IdPhoto
from tests.bench import photos
from tests.bench.rows import Row
from tests.operation_examples import MASK
from tests.server import ROOT
from tests.unit.test_remove_background import KnownMatte

ROUNDS = 9
LOOK_BAR = 0.06  # seconds that a look for faces may take of 12 MP,
ID_BAR = 0.25  # and of processor time an ID photo with its checks, its matte known
SAME = 0.4  # intersection over union with a face that was annotated
SIZES = ((10, 24), (24, 48), (48, 96), (96, 10_000))  # px of the shorter side of the annotated box
LABELS = ("without_mask", "with_mask")
TILTS = (0, 15, 30, 45, 90)
TILTED_FROM = 48  # px
NOBODY = ("jewelry", "masks_mugs_coarse", "meters", "text_slides")  # folders of photos without people
Box = tuple[float, float, float, float]
Find = Callable[[Pixels], tuple[FoundFace, ...]]


def detectors() -> Iterator[tuple[str, Find]]:
    """Haar, and YuNet where its file is; what they find as Face Mesh measures it, where its file is in build/models."""
    path, points = yunet_file(), ROOT / "build" / "models" / "face-mesh.tflite"
    mesh = FaceMesh(points) if points.is_file() else None
    if path is not None:
        yield "yunet", partial(found_by, YuNet(path), mesh)
    yield "haar", partial(found_by, None, mesh)


def yunet_file() -> Path | None:
    """Where YuNet's weights lie on this machine; None where they do not."""
    places = [ROOT / "build" / "models" / "yunet.onnx"]
    if own := os.environ.get("PHOTO_MODEL_DIR"):
        places.append(Path(own) / "yunet.onnx")
    if testdata := os.environ.get("PHOTO_TESTDATA"):
        places.append(Path(testdata) / "models" / "face_detection_yunet_2026may.onnx")
    return next((path for path in places if path.is_file()), None)


def run() -> Iterator[Row]:
    """Detection and `id_photo` of a 12 MP portrait, whose matte is known; against what they may take."""
    whole = slice(0, 384)  # rows of the astronaut: as wide as a camera's photos
    photo = np.asarray(cv2.resize(data.astronaut()[whole], photos.LARGE, interpolation=cv2.INTER_CUBIC), np.uint8)
    nobody = np.asarray(cv2.resize(data.coffee(), photos.LARGE, interpolation=cv2.INTER_CUBIC), np.uint8)
    with Image.open(MASK) as stored:
        matte = cv2.resize(np.asarray(stored.convert("L"))[whole], photos.LARGE, interpolation=cv2.INTER_CUBIC)
    known = KnownMatte(np.asarray(matte, np.uint8))
    for name, find in detectors():
        wall, processor = _taken(partial(find, photo))
        yield _row(f"faces of 12 MP, {name}", wall, LOOK_BAR)
        yield _row(f"faces of 12 MP, {name}, processor", processor)
        wall, processor = _taken(partial(find, nobody))
        yield _row(f"faces of 12 MP, {name}, none there", wall)
        wall, processor = _taken(partial(_id_photo, photo, known, find))
        yield _row(f"id_photo of 12 MP, {name}", wall)
        yield _row(f"id_photo of 12 MP, {name}, processor", processor, ID_BAR)


def _row(name: str, seconds: float, bar: float | None = None) -> Row:
    return Row(name, seconds, "s", bar, None if bar is None else bar / seconds, ROUNDS)


def _id_photo(photo: Pixels, known: KnownMatte, find: Find) -> Picture:
    return IdPhoto().apply(Picture(photo), Context(models=known, faces=find))


def _taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of processor time, the median of the rounds."""
    work()
    times = []
    for _ in range(ROUNDS):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    walls, processors = zip(*times, strict=True)
    return float(np.median(walls)), float(np.median(processors))


@dataclass
class Tally:
    """Faces found of those there are, and what was found besides."""

    found: int = 0
    wanted: int = 0
    alarms: int = 0
    photos: int = 0

    def __str__(self) -> str:
        return f"{self.found / max(1, self.wanted):.2f} of {self.wanted}"


@dataclass(frozen=True)
class Annotated:
    """A photo and the boxes of its faces by label, in px."""

    pixels: Pixels
    boxes: dict[str, list[Box]] = field(default_factory=dict)

    def all_boxes(self) -> list[Box]:
        return [box for boxes in self.boxes.values() for box in boxes]


def annotated(testdata: Path) -> Iterator[Annotated]:
    """The photos of `faces_boxes`."""
    listing = json.loads((testdata / "faces_boxes" / "faces.json").read_text())
    for name, entry in listing.items():
        boxes: dict[str, list[Box]] = {}
        for face in entry["faces"]:
            boxes.setdefault(face["label"], []).append(tuple(map(float, face["bbox_xywh"])))
        yield Annotated(decode(testdata / "faces_boxes" / "images" / name, 100, lambda *_: None).pixels, boxes)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(0.0, across) * max(0.0, down)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def boxes_of(faces: Sequence[FoundFace]) -> list[Box]:
    return [(face.x, face.y, face.width, face.height) for face in faces]


def by_size(testdata: Path, find: Find) -> tuple[dict[tuple[str, tuple[int, int]], Tally], Tally]:
    """Recall by label and size, and how many boxes lie on no annotated face."""
    tallies = {(label, size): Tally() for label in LABELS for size in SIZES}
    whole = Tally()
    for photo in annotated(testdata):
        found = boxes_of(find(photo.pixels))
        whole.photos += 1
        whole.alarms += sum(max((overlap(box, one) for one in photo.all_boxes()), default=0) < SAME for box in found)
        for label in LABELS:
            for box in photo.boxes.get(label, []):
                size = next((size for size in SIZES if size[0] <= min(box[2:]) < size[1]), None)
                if size is not None:
                    tally = tallies[label, size]
                    tally.wanted += 1
                    tally.found += any(overlap(box, one) >= SAME for one in found)
    return tallies, whole


def by_tilt(testdata: Path, find: Find, degrees: float) -> Tally:
    """Recall of bare faces in photos turned by `degrees`, to either side in turn; a face is found by its middle."""
    tally = Tally()
    for number, photo in enumerate(annotated(testdata)):
        wanted = [box for box in photo.boxes.get("without_mask", []) if min(box[2:]) >= TILTED_FROM]
        if not wanted:
            continue
        framed = cv2.copyMakeBorder(photo.pixels, *(4 * [max(photo.pixels.shape) // 4]), cv2.BORDER_REPLICATE)
        room = max(photo.pixels.shape) // 4
        turned, back = turned_back(np.asarray(framed, np.uint8), degrees * (-1) ** number)
        middles = [back(*face.middle) for face in find(turned)]
        for x, y, width, height in wanted:
            tally.wanted += 1
            tally.found += any(
                x < across - room < x + width and y < down - room < y + height for across, down in middles
            )
    return tally


def alarms(testdata: Path, find: Find) -> Tally:
    """Faces seen in photos without people."""
    tally = Tally()
    for folder in NOBODY:
        for path in sorted((testdata / folder / "images").iterdir()):
            tally.photos += 1
            tally.alarms += len(find(decode(path, 100, lambda *_: None).pixels))
    return tally


def report(testdata: Path, name: str, find: Find) -> None:
    tallies, whole = by_size(testdata, find)
    for (label, size), tally in tallies.items():
        print(f"{name:<6} {label:<13} {size[0]:>3} to {size[1]:>5} px  {tally}", flush=True)
    print(f"{name:<6} on no annotated face: {whole.alarms} in {whole.photos} photos", flush=True)
    nobody = alarms(testdata, find)
    print(f"{name:<6} in photos without people: {nobody.alarms} in {nobody.photos} photos", flush=True)
    for degrees in TILTS:
        print(f"{name:<6} turned by {degrees:>2} degrees  {by_tilt(testdata, find, degrees)}", flush=True)


def main() -> int:
    folder = os.environ.get("PHOTO_TESTDATA")
    if not folder:
        print("PHOTO_TESTDATA names no folder of photos", file=sys.stderr)
        return 1
    testdata = Path(folder)
    for name, find in detectors():
        if name in (sys.argv[1:] or [name]):
            report(testdata, name, find)
    return 0


if __name__ == "__main__":
    sys.exit(main())
