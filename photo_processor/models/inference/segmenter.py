"""rembg's preparation of a photo and its reading of the answer, on networks of ours.

The only module that loads rembg.
"""

import importlib.util
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from PIL import Image

from photo_processor import errors
from photo_processor.imaging.reduction import by_whole_steps, enlarged
from photo_processor.models.inference.inference_thread import networks
from photo_processor.models.inference.runtimes import Input, Network, Tensor
from photo_processor.models.inference.types import Pixels
from photo_processor.models.weights.rows import DEFAULT, ModelRow

DIS_SIZE_PX = 1024
ROOM = 1.25  # times the network's size that whole steps leave, at least
U2NET_SIZE_PX = 320

_LOADING = threading.Lock()  # `cache` lets two threads in at once


class RembgSession(Protocol):
    """What is used of rembg's sessions: they prepare a photo for their network and read its answer as a mask."""

    model_name: str
    inner_session: Network
    normalize: Callable[..., dict[str, Tensor]]

    def predict(self, img: Image.Image) -> list[Image.Image]:
        """Masks of mode L in the size of `img`."""
        ...


class Segmenter:
    """A rembg session on a network of ours. `size` is the network's side in px. Thread-safe once made."""

    def __init__(self, row: ModelRow, network: Network, side: int | None = None) -> None:
        self.runtime = network.runtime
        port = network.get_inputs()[0]
        session_name = row.session
        self.size = side or row.input_size or _side_of(port) or U2NET_SIZE_PX
        if session_name is None:
            session_name = DEFAULT if self.size >= DIS_SIZE_PX else "u2net"
        # Without its `__init__`, which downloads the model and opens it in ONNX Runtime.
        with _LOADING:
            kind = rembg_sessions()[session_name]
        session = cast(RembgSession, object.__new__(kind))
        session.model_name = row.name
        self._checked = _Checked(network, row.least_answer)
        session.inner_session = self._checked
        session.normalize = partial(_normalize, port.name)
        self._session = session

    def matte(self, pixels: Pixels) -> Pixels:
        """(H, W) uint8 matte of (H, W, 3) uint8 RGB `pixels`; all 0 where the network finds nothing."""
        return enlarged(self.answer(pixels), pixels.shape[1], pixels.shape[0])

    def answer(self, pixels: Pixels) -> Pixels:
        """The same at the network's own size."""
        return self.timed_answer(pixels)[0]

    def timed_answer(self, pixels: Pixels) -> tuple[Pixels, dict[str, float]]:
        """`answer`, and the seconds of `Matte.timings`."""
        began = time.perf_counter()
        try:
            mask = np.asarray(self._session.predict(_shrunk(pixels, self.size))[0])
        except _FlatAnswer:
            mask = np.zeros((self.size, self.size), np.uint8)
        fed, started, ended = self._checked.moments()
        timings = {"shrink_s": fed - began, "wait_s": started - fed, "network_s": ended - started}
        return mask, {name: round(taken, 4) for name, taken in timings.items()}


def _side_of(port: Input) -> int | None:
    return port.shape[-1] if len(port.shape) == 4 else None


def _shrunk(pixels: Pixels, side: int) -> Image.Image:
    """`pixels` at the network's size, so that rembg's own Lanczos has nothing left to do.

    By whole steps first: with these 12 MP take 0.07 s, Lanczos alone 0.21 s, and the masks agree to IoU 0.995. By area
    alone it takes 0.03 s, but thin subjects then come out differently, IoU 0.88.
    """
    nearly = by_whole_steps(pixels, int(ROOM * side), int(ROOM * side))
    return Image.fromarray(nearly).resize((side, side), Image.Resampling.LANCZOS)


def _normalize(
    name: str,
    image: Image.Image,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    _size: tuple[int, int],
) -> dict[str, Tensor]:
    """What rembg's own does, in float32 and without its copies: 15 ms against 110 ms at 1024 px."""
    pixels = np.asarray(image)
    scale = 1.0 / (max(float(pixels.max()), 1e-6) * np.asarray(std, np.float32))
    offset = np.asarray(mean, np.float32) / np.asarray(std, np.float32)
    planes = np.multiply(pixels.transpose(2, 0, 1), scale[:, None, None], dtype=np.float32) - offset[:, None, None]
    return {name: np.ascontiguousarray(planes[None], np.float32)}


class _FlatAnswer(Exception):
    """The network answered the same everywhere, or with next to nothing: a stretch would make a subject of it."""


class _Checked:
    """A network whose answer is fit for rembg's arithmetic. Raises _FlatAnswer, ModelBroken.

    Photos take turns, each on all processors: two at once are no faster together, and take the memory of two.
    """

    def __init__(self, network: Network, least: float | None) -> None:
        self._network = network
        self._least = -math.inf if least is None else least
        self._lane = networks()
        self._turn = threading.Lock()
        self._moments = threading.local()
        self.runtime = network.runtime

    def moments(self) -> tuple[float, float, float]:
        """When this thread's last photo was fed, had its turn, and was answered; seconds of `time.perf_counter`."""
        last: tuple[float, float, float] = self._moments.last
        return last

    def get_inputs(self) -> list[Input]:
        return self._network.get_inputs()

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        fed = time.perf_counter()
        with self._turn:
            started = time.perf_counter()
            answers = self._lane.call(self._network.run, names, feeds)
            self._moments.last = fed, started, time.perf_counter()
        low, high = float(answers[0].min()), float(answers[0].max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise errors.ModelBroken("The model answered with no numbers.")
        if low == high or high < self._least:
            raise _FlatAnswer
        return answers


@cache
def rembg_sessions() -> Mapping[str, type]:
    """rembg's session classes by name.

    rembg itself is not imported: its `__init__` brings in pymatting, whose functions numba compiles at the first
    import on a machine for 78 s. `rembg.sessions` needs nothing of the rest, so it is loaded under a name of its own,
    in 0.6 s, most of it scipy; a plain `import rembg` elsewhere is not touched.
    """
    package = importlib.util.find_spec("rembg")
    if package is None or not package.submodule_search_locations:
        raise ImportError("rembg is not installed")
    folder = Path(package.submodule_search_locations[0]) / "sessions"
    spec = importlib.util.spec_from_file_location(
        "_rembg_sessions", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError("rembg's sessions cannot be found")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return cast(Mapping[str, type], module.sessions)
