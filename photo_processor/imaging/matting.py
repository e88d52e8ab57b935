"""Closed-form matting (Levin, Lischinski, Weiss 2008) by pymatting, in a band around the edge and at a reduced size.

pymatting itself is not imported: its `__init__` has numba compile every function it holds, for over a minute on a
machine that has not done so before. The three modules that this needs take 5 s, once in a process.
"""

import importlib.util
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from photo_processor.imaging.edges import refined, subject_room
from photo_processor.imaging.pictures import Pixels

WORK_PX = 640  # longest side of what is solved: up to 310 MB and about 2 s; twice that takes four times as much of both
SURE = (12, 243)  # levels from which on the network is believed
BAND_SHARE = 0.012  # of the longest side: how far from the edge what it says is doubted
MOST_UNKNOWN = 0.45  # share of the px; a matte that is nowhere sure gives the solver nothing to go by
EPSILON = 1e-6
TOLERANCE = 1e-4  # of the conjugate gradient: finer changes no level
ROUNDS = 400  # of it, at most

_LOADING = threading.Lock()
_SOLVING = threading.Lock()  # for its memory: two at once would take twice as much


class CannotMatte(Exception):
    """Why the closed form was not solved; the text is for people."""


@dataclass(frozen=True)
class _Solver:
    laplacian: Callable[..., Any]
    preconditioner: Callable[..., Any]
    solve: Callable[..., Any]


def matted(pixels: Pixels, matte: Pixels, check: Callable[[], None] = lambda: None) -> Pixels:
    """(H, W) uint8: `matte` with its edge found anew in (H, W, 3) uint8 RGB `pixels`, then at full size `refined`.

    Raises CannotMatte, and what `check` raises between the steps.
    """
    result = matte.copy()
    room = subject_room(matte)
    part, old = pixels[room], matte[room]
    factor = min(1.0, WORK_PX / max(old.shape))
    size = max(3, round(old.shape[1] * factor)), max(3, round(old.shape[0] * factor))
    small, first = (np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA)) for plane in (part, old))
    trimap = _trimap(np.asarray(first, np.uint8))
    with _SOLVING:
        check()
        solved = _solved(np.asarray(small, np.uint8), trimap)
    check()
    full = cv2.resize(solved, (old.shape[1], old.shape[0]), interpolation=cv2.INTER_CUBIC)
    result[room] = np.clip(np.rint(255 * full), 0, 255)
    return refined(pixels, result) if factor < 1 else result


def _trimap(matte: Pixels) -> NDArray[np.float64]:
    """1 where the subject is for sure, 0 where it is not, 0.5 between. Raises CannotMatte."""
    reach = max(2, round(BAND_SHARE * max(matte.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = cv2.erode(cv2.inRange(matte, SURE[1], 255), disc, borderType=cv2.BORDER_REPLICATE)
    outside = cv2.erode(cv2.inRange(matte, 0, SURE[0]), disc, borderType=cv2.BORDER_REPLICATE)
    trimap = np.full(matte.shape, 0.5)
    trimap[inside > 0], trimap[outside > 0] = 1.0, 0.0
    unknown = float((trimap == 0.5).mean())
    if not inside.any() or not outside.any() or unknown == 0:
        raise CannotMatte("the subject has no edge in the photo")
    if unknown > MOST_UNKNOWN:
        raise CannotMatte("the model is too unsure where the subject ends")
    return trimap


def _solved(pixels: Pixels, trimap: NDArray[np.float64]) -> NDArray[np.float32]:
    """(h, w) from 0 to 1. Raises CannotMatte."""
    solver = _solver()
    known = (trimap != 0.5).ravel()
    answer = trimap.ravel().copy()
    matrix = solver.laplacian(pixels.astype(np.float64) / 255, epsilon=EPSILON, is_known=known)
    rows = matrix[~known]
    try:
        inner = rows[:, ~known]
        right = -rows[:, known].dot(trimap.ravel()[known])
        answer[~known] = solver.solve(inner, right, M=solver.preconditioner(inner), rtol=TOLERANCE, maxiter=ROUNDS)
    except ValueError as problem:  # what pymatting raises where it finds no solution
        raise CannotMatte("no solution was found in time") from problem
    return np.clip(answer.reshape(trimap.shape), 0, 1).astype(np.float32)


def _solver() -> _Solver:
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> _Solver:
    """pymatting's functions. Raises CannotMatte where they cannot be had."""
    try:
        package = importlib.util.find_spec("pymatting")
        if package is None or not package.submodule_search_locations:
            raise ImportError("pymatting is not installed")
        from numba import config

        folder = Path(package.submodule_search_locations[0])
        with tempfile.TemporaryDirectory() as scratch:
            # Its own cache would hold names of ours, which break pymatting elsewhere.
            kept, config.CACHE_DIR = config.CACHE_DIR, scratch  # type: ignore[attr-defined]
            try:
                laplacian = _module(folder / "laplacian" / "cf_laplacian.py").cf_laplacian
                preconditioner = _module(folder / "preconditioner" / "ichol.py").ichol
                solve = _module(folder / "solver" / "cg.py").cg
            finally:
                config.CACHE_DIR = kept  # type: ignore[attr-defined]
    except (ImportError, OSError, RuntimeError, AttributeError) as problem:
        raise CannotMatte("pymatting cannot be loaded here") from problem
    return _Solver(laplacian, preconditioner, solve)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_pymatting_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
