"""`python -m tests.bench.contact`: real portraits before and after `id_photo`, in build/contact-1.png and so on, to be
looked at. `haar` or another preset's name behind it takes that.

The photos are those that PHOTO_TESTDATA names. Below each pair stand its number and the codes of its review; none means
that nothing was flagged. Each result is then measured by itself: YuNet looks for the face in it anew, and what is not
white tells the crown, so that head and eye line are those of the picture that an office gets.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.haar import haar_faces
from engines.yunet import YuNet
from image_io import decode
from image_processor import ProcessedImage, process_image
from imaging.faces import head_of
from imaging.pictures import Pixels
from models import ModelStore
from operations import Context, parse_recipe
from operations.id_presets import ID_PRESETS, IdMeasures, IdPreset
from settings import Settings
from tests.bench.faces import Find, yunet_file
from tests.server import ROOT

FOLDER = ROOT / "build"
HIGH, WIDE = 200, 180  # px of a picture on the sheet
TEXT = 34
PAIRS_A_ROW = 5
PAIRS_A_PAGE = 20
LEAST_HEAD = 60  # px of a face's height: smaller ones are no portraits
HALF_WHITE = 215  # of hair before white: where half of a px is hair
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


def cells(testdata: Path, preset: IdPreset, make: Find, yunet: YuNet) -> Iterator[Pixels]:
    """Before and after of each portrait; prints what was flagged, and at last how the heads lie."""
    store = ModelStore(Settings(model_dir=ROOT / "build" / "models", data_dir=ROOT / "build" / "data", offline=True))
    operation = {"op": "id_photo", "preset": preset, "background": "#ffffff"}
    recipe = parse_recipe({"operations": [operation]})
    measured: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number, path in enumerate(photos(testdata, yunet), 1):
        context = Context(models=store, faces=make, resolved_model={"auto": store.auto_name()})
        done = process_image(path, recipe, context, 100)
        codes = [item.code for item in done.review]
        found = _measured(done, yunet)
        if found is not None:
            measured[not set(codes) - EDGES].append(found)
        told = "" if found is None else f"eyes {found[0]:.4f} head {found[1]:.4f}"
        print(number, path.parent.parent.name, path.name, *codes, told, flush=True)
        yield _cell(decode(path, 100, lambda *_: None).pixels, done, [f"{number}.", *codes])
    for fine, heads in measured.items():
        _tell("unflagged" if fine else "flagged", np.array(heads), ID_PRESETS[preset])


def _measured(done: ProcessedImage, yunet: YuNet) -> tuple[float, float] | None:
    """Of a result, found anew: pupils above the lower edge, and chin to crown, in shares of the height."""
    result = np.asarray(cv2.imdecode(np.frombuffer(done.outputs[0].data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
    faces = yunet.faces(result)
    if not faces or faces[0].landmarks is None:
        return None
    person = np.where(result.min(axis=2) < HALF_WHITE, 255, 0).astype(np.uint8)
    head = head_of(faces[0], person)
    return 1 - head.eyes[1] / len(result), head.height / len(result)


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


def _cell(before: Pixels, done: ProcessedImage, codes: list[str]) -> Pixels:
    after = cv2.imdecode(np.frombuffer(done.outputs[0].data, np.uint8), cv2.IMREAD_COLOR_RGB)
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
    preset = cast(IdPreset, next((name for name in sys.argv[1:] if name in ID_PRESETS), "icao_35x45"))
    make = haar_faces if "haar" in sys.argv else yunet.faces
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = list(cells(Path(testdata), preset, make, yunet))
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
