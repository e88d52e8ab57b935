"""`python -m tests.bench.contact`: real portraits before and after `id_photo`, in build/contact.png, to be looked at.

The photos are those that PHOTO_TESTDATA names. Below each pair stand the codes of its review; none means that nothing
was flagged.
"""

import os
import sys
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.yunet import YuNet
from image_io import decode
from image_processor import ProcessedImage, process_image
from imaging.pictures import Pixels
from models import ModelStore
from operations import Context, parse_recipe
from operations.id_presets import ID_PRESETS, IdMeasures, IdPreset
from settings import Settings
from tests.server import ROOT

SHEET = ROOT / "build" / "contact.png"
HIGH, WIDE = 180, 160  # px of a picture on the sheet
TEXT = 34
PAIRS_A_ROW = 6
LEAST_HEAD = 60  # px of a face's height: smaller ones are no portraits
POSE = {"head_tilted", "head_turned", "face_cut_off", "no_face"}  # whose landmarks tell little
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


def sheet(testdata: Path, preset: IdPreset) -> Pixels:
    """(H, W, 3) uint8 RGB."""
    yunet = YuNet(testdata / "models" / "face_detection_yunet_2026may.onnx")
    store = ModelStore(Settings(model_dir=ROOT / "build" / "models", data_dir=ROOT / "build" / "data", offline=True))
    recipe = parse_recipe({"operations": [{"op": "id_photo", "preset": preset}]})
    cells, lines = [], []
    for path in photos(testdata, yunet):
        context = Context(models=store, faces=yunet.faces, resolved_model={"auto": store.auto_name()})
        done = process_image(path, recipe, context, 100)
        codes = [item.code for item in done.review]
        print(path.parent.parent.name, path.name, *codes, flush=True)
        if not set(codes) & POSE:
            lines.append(_eye_line(done, yunet))
        cells.append(_cell(decode(path, 100, lambda *_: None).pixels, done, codes))
    _tell(np.array([line for line in lines if line is not None]), ID_PRESETS[preset])
    while len(cells) % PAIRS_A_ROW:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[start : start + PAIRS_A_ROW]) for start in range(0, len(cells), PAIRS_A_ROW)]
    return np.asarray(np.vstack(rows), np.uint8)


def _eye_line(done: ProcessedImage, yunet: YuNet) -> tuple[float, float] | None:
    """Of a result, found anew: pupils above the lower edge, and from there to the mouth, in shares of the height."""
    result = cv2.imdecode(np.frombuffer(done.outputs[0].data, np.uint8), cv2.IMREAD_COLOR_RGB)
    faces = yunet.faces(np.asarray(result, np.uint8))
    if not faces or faces[0].landmarks is None:
        return None
    left, right, _, *mouth = faces[0].landmarks
    line = (left[1] + right[1]) / 2
    return 1 - line / len(result), ((mouth[0][1] + mouth[1][1]) / 2 - line) / len(result)


def _tell(lines: NDArray[np.float64], measures: IdMeasures) -> None:
    """How far the eye lines of the results lie from the one aimed at."""
    off = np.abs(lines[:, 0] - measures.eyes[1] / measures.height)
    most = np.percentile(off, 90)
    print(f"{len(lines)} heads, eye line off by {np.median(off):.4f} of the height, nine in ten by {most:.4f} at most")
    print(f"pupils to mouth {np.median(lines[:, 1]):.3f} of the height, deviation {lines[:, 1].std():.4f}")


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
    testdata = os.environ.get("PHOTO_TESTDATA")
    if not testdata:
        print("PHOTO_TESTDATA names no folder of photos", file=sys.stderr)
        return 1
    preset = cast(IdPreset, sys.argv[1] if len(sys.argv) > 1 else "icao_35x45")
    SHEET.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(SHEET), cv2.cvtColor(sheet(Path(testdata), preset), cv2.COLOR_RGB2BGR))
    print(SHEET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
