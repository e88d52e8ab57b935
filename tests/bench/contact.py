"""`python -m tests.bench.contact`: real portraits before and after `id_photo`, in build/contact-1.png and so on, to be
looked at. `haar`, `plain` (without Face Mesh) or another preset's name behind it takes that.

The photos are those that PHOTO_TESTDATA names. Below each pair stand its number and the codes of its review; none means
that nothing was flagged. Each result is then measured by itself: eyes and chin are looked for in it anew, and where its
subject ends tells the crown, so that head and eye line are those of the picture that an office gets. They are drawn
into it.
"""

import io
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_processor import ProcessedImage, process_image
from photo_processor.imaging.decode import decode
from photo_processor.imaging.faces import Head, head_of
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.detection.detector import found_by
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.detection.yunet import YuNet
from photo_processor.models.store import ModelStore
from photo_processor.operations import Context
from photo_processor.operations.id_presets import ID_PRESETS, IdMeasures, IdPreset
from photo_processor.recipes import parse_recipe
from photo_processor.settings import Settings
from tests.bench.faces import Find, yunet_file
from tests.server import ROOT

FOLDER = ROOT / "build"
HIGH, WIDE = 200, 180  # px of a picture on the sheet
TEXT = 34
PAIRS_A_ROW = 5
PAIRS_A_PAGE = 20
LEAST_HEAD = 60  # px of a face's height: smaller ones are no portraits
MARK = 90  # px on each side of the middle: crown, eyes, chin
EDGES = {"body_cut_off", "low_resolution", "cutout_unsure"}  # what is flagged of a head that is well placed
FOLDERS = {"portraits": 18, "faces_named": 15, "masks_people": 30}


def photos(testdata: Path, yunet: YuNet) -> list[Path]:
    """Portraits: photos whose largest face is large enough."""
    found = []
    for folder, most in FOLDERS.items():
        usable = [path for path in sorted((testdata / folder / "images").iterdir()) if _is_portrait(path, yunet)]
        found += usable[:most]
    return found


def _is_portrait(path: Path, yunet: YuNet) -> bool:
    faces = yunet.faces(decode(path, 100, lambda *_: None).pixels)
    return bool(faces) and faces[0].height >= LEAST_HEAD


def cells(paths: list[Path], preset: IdPreset, make: Find, measure: Find) -> Iterator[Pixels]:
    """Before and after of each portrait, its head measured anew; prints what was flagged, at last how the heads lie."""
    store = ModelStore(Settings(model_dir=ROOT / "build" / "models", data_dir=ROOT / "build" / "data", offline=True))
    operation = {"op": "id_photo", "preset": preset, "background": "transparent"}
    recipe = parse_recipe({"operations": [operation]})
    measured: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number, path in enumerate(paths, 1):
        context = Context(models=store, faces=make, resolved_model={"auto": store.auto_name()})
        done = process_image(path, recipe, context, 100)
        codes = [item.code for item in done.review]
        after, alpha = _result(done)
        head = _head(after, alpha, measure)
        told = ""
        if head is not None:
            found = 1 - head.eyes[1] / len(after), head.height / len(after)
            measured[not set(codes) - EDGES].append(found)
            told = f"eyes {found[0]:.4f} head {found[1]:.4f}"
        print(number, path.parent.parent.name, path.name, *codes, told, flush=True)
        yield _cell(decode(path, 100, lambda *_: None).pixels, after, head, [f"{number}.", *codes])
    for fine, heads in measured.items():
        _tell("unflagged" if fine else "flagged", np.array(heads), ID_PRESETS[preset])


def _result(done: ProcessedImage) -> tuple[Pixels, Pixels]:
    """(H, W, 3) uint8 RGB of the result before white, and its (H, W) uint8 alpha."""
    with Image.open(io.BytesIO(done.outputs[0].data)) as stored:
        picture = stored.convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(white.convert("RGB")), np.asarray(picture.getchannel("A"))


def _head(after: Pixels, alpha: Pixels, find: Find) -> Head | None:
    """The head of a result, found anew."""
    faces = find(after)
    return head_of(faces[0], alpha) if faces and faces[0].landmarks is not None else None


def _tell(which: str, heads: NDArray[np.float64], measures: IdMeasures) -> None:
    """How far eye lines and heads lie from what was aimed at."""
    if not len(heads):
        return
    aims = measures.eyes[1] / measures.height, measures.head[1] / measures.height
    for name, column, aim in zip(("eye line", "head"), heads.T, aims, strict=True):
        off = np.abs(column - aim)
        print(
            f"{which}: {len(off)} heads, {name} off by {np.median(off):.4f} of the height, nine in ten by "
            f"{np.percentile(off, 90):.4f} at most, all by {off.max():.4f}; {np.mean(off <= 0.01):.0%} within 0.01"
        )


def _cell(before: Pixels, after: Pixels, head: Head | None, codes: list[str]) -> Pixels:
    if head is not None:
        after = after.copy()
        for down in (-head.crown, 0.0, head.chin):
            x, y = (round(at) for at in head.at(0.0, down))
            cv2.line(after, (x - MARK, y), (x + MARK, y), (255, 0, 255), 2)
    cell = np.full((HIGH + TEXT, 2 * WIDE, 3), 60, np.uint8)
    for column, picture in ((0, before), (WIDE, after)):
        factor = min(HIGH / picture.shape[0], (WIDE - 4) / picture.shape[1])
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        cell[: small.shape[0], column : column + small.shape[1]] = small
    for line, words in enumerate((codes[:2], codes[2:])):
        place = (4, HIGH + 14 + 15 * line)
        cv2.putText(cell, " ".join(words), place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 210, 90), 1, cv2.LINE_AA)
    return cell


def main() -> int:
    testdata, weights = os.environ.get("PHOTO_TESTDATA"), yunet_file()
    if not testdata or weights is None:
        print("PHOTO_TESTDATA names no folder of photos", file=sys.stderr)
        return 1
    yunet = YuNet(weights)
    mesh = None if "plain" in sys.argv else FaceMesh(ROOT / "build" / "models" / "face-mesh.tflite")
    preset = cast(IdPreset, next((name for name in sys.argv[1:] if name in ID_PRESETS), "icao_35x45"))
    make = partial(found_by, None if "haar" in sys.argv else yunet, mesh)
    measure = partial(found_by, yunet, mesh)
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = list(cells(photos(Path(testdata), yunet), preset, make, measure))
    for page, start in enumerate(range(0, len(every), PAIRS_A_PAGE), 1):
        path = FOLDER / f"contact-{page}.png"
        cv2.imwrite(str(path), cv2.cvtColor(_page(every[start : start + PAIRS_A_PAGE]), cv2.COLOR_RGB2BGR))
        print(path)
    return 0


def _page(every: list[Pixels]) -> Pixels:
    every = every + [np.zeros_like(every[0])] * (-len(every) % PAIRS_A_ROW)
    rows = [np.hstack(every[start : start + PAIRS_A_ROW]) for start in range(0, len(every), PAIRS_A_ROW)]
    return np.asarray(np.vstack(rows), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
