"""OpenVINO and ONNX Runtime behind the few calls that rembg's sessions make of `onnxruntime.InferenceSession`."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from photo_processor import errors

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, InferRequest, Model  # type: ignore[import-untyped]

Tensor = NDArray[np.float32]
OPENVINO_SUFFIX = ".xml"  # of the form in which optimised networks are kept
EIGHT_BIT = "int8"
CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True)
class Input:
    """An input of a network: `shape` with None for a free dimension."""

    name: str
    shape: tuple[int | None, ...]


class Network(Protocol):
    """A loaded network. `run` may be called from several threads at once."""

    runtime: str

    def get_inputs(self) -> list[Input]:
        """The network's inputs."""
        ...

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        """The first output alone, float32, whatever `names` asks for: the others are the network's side outputs."""
        ...


class NotResizable(Exception):
    """The network runs at its own size alone."""


@dataclass(frozen=True)
class Place:
    """Where networks run. `runtime`: `auto`, `openvino`, `onnxruntime`. `device`: `auto`, `cpu`, `gpu`, `cuda`.

    `cache` is a folder for networks that OpenVINO has compiled; None keeps none.
    """

    runtime: str = "auto"
    device: str = "auto"
    cache: Path | None = None

    @property
    def chosen(self) -> str:
        """`openvino` or `onnxruntime`: the runtime of an ONNX file, where it can load it."""
        if self.runtime != "auto":
            return self.runtime
        if self.device == "cuda" or (self.device == "auto" and _has_cuda_build()):
            return "onnxruntime"
        return "openvino" if self.device == "gpu" or _prefers_openvino() else "onnxruntime"

    def check(self) -> None:
        """Raises DeviceUnavailable where the device is not there, or not one of the runtime. Imports the runtime."""
        if self.device == "cuda" and (self.chosen != "onnxruntime" or not _has_cuda()):
            raise errors.DeviceUnavailable("PHOTO_DEVICE=cuda, but ONNX Runtime finds no CUDA device here.")
        if self.device == "gpu" and (self.chosen != "openvino" or "GPU" not in _openvino_devices()):
            raise errors.DeviceUnavailable("PHOTO_DEVICE=gpu, but OpenVINO finds no graphics processor here.")


def load_network(path: Path, place: Place, side: int | None = None) -> Network:
    """The network in the file `path`, ONNX or OpenVINO's own `.xml`, at `side` px if given.

    Raises DeviceUnavailable, ModelBroken, and with `side` NotResizable.
    """
    place.check()
    if place.chosen == "openvino" or path.suffix == OPENVINO_SUFFIX:
        try:
            return OpenVinoNetwork(path, side, place)
        except (RuntimeError, ImportError) as problem:
            if place.runtime == "openvino" or place.device == "gpu" or path.suffix == OPENVINO_SUFFIX:
                raise errors.ModelBroken from problem
    if side is not None:
        raise NotResizable
    return _load_onnxruntime(path, place.device)


def runtime_of(path: Path, place: Place) -> str:
    """The name of what would run the network in the file `path`, without importing it where that takes long."""
    if path.suffix == OPENVINO_SUFFIX:
        return f"openvino-{EIGHT_BIT}"
    return place.chosen


def _prefers_openvino() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64") and importlib.util.find_spec("openvino") is not None


def _has_cuda_build() -> bool:
    """Whether ONNX Runtime is its build for CUDA, found out without importing it."""
    return bool(importlib.util.find_spec("onnxruntime")) and any(
        True for _ in importlib.metadata.distributions(name="onnxruntime-gpu")
    )


def _has_cuda() -> bool:
    import onnxruntime as ort  # type: ignore[import-untyped]

    return CUDA in ort.get_available_providers()


def _openvino_devices() -> list[str]:
    return [name.split(".")[0] for name in openvino().Core().available_devices]


def openvino() -> ModuleType:
    """The package `openvino`. Its import reports itself to a remote service, unless what does so cannot be imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return importlib.import_module("openvino")


def _load_onnxruntime(path: Path, device: str) -> Network:
    from onnxruntime.capi.onnxruntime_pybind11_state import (  # type: ignore[import-untyped]
        EPFail,
        Fail,
        InvalidArgument,
        InvalidGraph,
        InvalidProtobuf,
        NoSuchFile,
        RuntimeException,
    )

    try:
        return OnnxNetwork(path, device)
    except (EPFail, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, RuntimeException) as problem:
        raise errors.ModelBroken from problem


class OpenVinoNetwork:
    """A network on OpenVINO: on two x86 cores with AVX2, ISNet in half precision takes 2.1 s, on ONNX Runtime 4.6 s."""

    def __init__(self, path: Path, side: int | None = None, place: Place = Place()) -> None:
        core = openvino().Core()
        network = read_network(core, path)
        if side is not None:
            _rescale(network, side)
        device = "GPU" if place.device == "gpu" else "CPU"
        optimised = path.suffix == OPENVINO_SUFFIX
        precision = "f32" if optimised else _precision(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
        self.runtime = f"openvino-{EIGHT_BIT if optimised else precision}".removesuffix("-f32")
        # Two streams give two photos at once 4 % more (2.13 s each against 2.23), and one alone half the speed.
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        if place.cache is not None and optimised:  # 1 s less for 45 MB; others win 0.3 s for 177 MB
            settings["CACHE_DIR"] = str(_cache_of(place.cache))
        compiled: CompiledModel = core.compile_model(network, device, settings)
        self._dtypes = {port.any_name: port.element_type.to_dtype() for port in compiled.inputs}
        self._inputs = inputs_of(compiled)
        self._request: InferRequest = compiled.create_infer_request()
        self._turn = threading.Lock()

    def get_inputs(self) -> list[Input]:
        """The network's inputs."""
        return self._inputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        """The first output; a copy, since the request's own memory is used again. One inference at a time."""
        cast = {name: np.asarray(value, self._dtypes[name]) for name, value in feeds.items()}
        with self._turn:
            self._request.infer(cast)
            return [np.array(self._request.get_output_tensor(0).data, np.float32)]


def _cache_of(folder: Path) -> Path:
    """The part of `folder` for this version of OpenVINO; those of others are deleted."""
    own = folder / importlib.metadata.version("openvino")
    for path in folder.glob("*"):
        if path != own:
            shutil.rmtree(path, ignore_errors=True)
    return own


def _precision(capabilities: Sequence[str]) -> str:
    """Half the bits where the processor computes with them: ISNet then takes 0.5 of the time, masks agree to 0.998."""
    return "bf16" if "BF16" in capabilities else "f32"


def read_network(core: "Core", path: Path) -> "Model":
    """The network in a file with its first output alone: each side output that is kept is computed and copied."""
    whole = core.read_model(path)
    network: Model = openvino().Model([whole.output(0)], whole.get_parameters())
    return network


def inputs_of(network: "CompiledModel | Model") -> list[Input]:
    """The inputs of a network of OpenVINO."""
    return [Input(port.any_name, _shape(port.partial_shape)) for port in network.inputs]


def _rescale(network: "Model", side: int) -> None:
    """Make `network` take and give `side` x `side` px: its input, and the sizes that its Resize nodes name.

    Raises NotResizable.
    """
    from openvino import PartialShape, opset13

    own = _shape(network.input(0).partial_shape)[-1]
    if own is None:
        raise NotResizable
    for node in network.get_ops():
        if node.get_type_name() != "Interpolate":
            continue
        wanted = node.input_value(1).get_node()
        for port in wanted.inputs():
            sizes = port.get_source_output().get_node()
            if sizes.get_type_name() == "Constant" and sizes.data.shape == (2,):
                scaled = opset13.constant(sizes.data * side // own, sizes.get_element_type())
                port.replace_source_output(scaled.output(0))
    try:
        # `reshape` would first check the new sizes against the old input.
        network.get_parameters()[0].set_partial_shape(PartialShape([1, 3, side, side]))
        network.validate_nodes_and_infer_types()
    except RuntimeError as problem:
        raise NotResizable from problem
    if _shape(network.output(0).partial_shape)[-2:] != (side, side):
        raise NotResizable


def _shape(partial: object) -> tuple[int | None, ...]:
    return tuple(dimension.get_length() if dimension.is_static else None for dimension in partial)  # type: ignore[attr-defined]


class OnnxNetwork:
    """A network on ONNX Runtime, on CUDA where its build has it."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.enable_cpu_mem_arena = False  # the arena keeps the peak of every shape it has seen
        options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        wanted = ["CPUExecutionProvider"] if device == "cpu" else [CUDA, "CPUExecutionProvider"]
        offered = ort.get_available_providers()
        self._session = ort.InferenceSession(path, options, [name for name in wanted if name in offered])
        on_cuda = CUDA in self._session.get_providers()
        if device == "cuda" and not on_cuda:  # it falls back to the processor with no more than a line on stderr
            raise errors.DeviceUnavailable("PHOTO_DEVICE=cuda, but the network could not be loaded on CUDA.")
        self.runtime = "onnxruntime-cuda" if on_cuda else "onnxruntime"
        self._output = self._session.get_outputs()[0].name
        self._dtypes = {
            port.name: np.dtype(np.float16 if port.type == "tensor(float16)" else np.float32)
            for port in self._session.get_inputs()
        }

    def get_inputs(self) -> list[Input]:
        """The network's inputs."""
        return [
            Input(port.name, tuple(side if isinstance(side, int) else None for side in port.shape))
            for port in self._session.get_inputs()
        ]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        """The first output."""
        cast = {name: np.asarray(value, self._dtypes[name]) for name, value in feeds.items()}
        return [np.asarray(self._session.run([self._output], cast)[0], np.float32)]
