"""OpenVINO and ONNX Runtime behind the few calls that rembg's sessions make of `onnxruntime.InferenceSession`."""

import importlib.util
import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

import errors

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Model  # type: ignore[import-untyped]

Tensor = NDArray[np.float32]


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


def load_network(path: Path, runtime: str, side: int | None = None) -> Network:
    """The network in the ONNX file `path`, by `runtime` (`auto`, `openvino`, `onnxruntime`), at `side` px if given.

    Raises ModelBroken, and with `side` NotResizable.
    """
    if runtime == "openvino" or (runtime == "auto" and _prefers_openvino()):
        try:
            return OpenVinoNetwork(path, side)
        except (RuntimeError, ImportError) as problem:
            if runtime == "openvino":
                raise errors.ModelBroken from problem
    if side is not None:
        raise NotResizable
    return _load_onnxruntime(path)


def _prefers_openvino() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64") and importlib.util.find_spec("openvino") is not None


def _load_onnxruntime(path: Path) -> Network:
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
        return OnnxNetwork(path)
    except (EPFail, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, RuntimeException) as problem:
        raise errors.ModelBroken from problem


class OpenVinoNetwork:
    """A network on OpenVINO: on two x86 cores with AVX2, ISNet in half precision takes 2.1 s, on ONNX Runtime 4.6 s."""

    runtime = "openvino"

    def __init__(self, path: Path, side: int | None = None) -> None:
        # `import openvino` reports itself to a remote service, unless the package that does so cannot be imported.
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        from openvino import Core, Model
        from openvino.properties import hint  # type: ignore[import-untyped]

        core = Core()
        whole = core.read_model(path)
        # Each side output that is kept is computed and copied; without them the graph ends at the mask.
        network = Model([whole.output(0)], whole.get_parameters())
        if side is not None:
            _rescale(network, side)
        # Two streams give two photos at once 4 % more (2.13 s each against 2.23), and one alone half the speed.
        settings = {hint.performance_mode(): hint.PerformanceMode.LATENCY, hint.inference_precision(): "f32"}
        self._compiled: CompiledModel = core.compile_model(network, "CPU", settings)
        self._dtypes = {port.any_name: port.element_type.to_dtype() for port in self._compiled.inputs}
        self._inputs = [Input(port.any_name, _shape(port.partial_shape)) for port in self._compiled.inputs]
        self._requests = threading.local()

    def get_inputs(self) -> list[Input]:
        """The network's inputs."""
        return self._inputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        """The first output; a copy, since the request's own memory is used again."""
        request = self._request()
        request.infer({name: np.asarray(value, self._dtypes[name]) for name, value in feeds.items()})
        return [np.array(request.get_output_tensor(0).data, np.float32)]

    def _request(self) -> "InferRequest":
        """This thread's request: one request runs one inference at a time."""
        request: InferRequest | None = getattr(self._requests, "request", None)
        if request is None:
            request = self._compiled.create_infer_request()
            self._requests.request = request
        return request


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

    runtime = "onnxruntime"

    def __init__(self, path: Path) -> None:
        import onnxruntime as ort  # type: ignore[import-untyped]

        options = ort.SessionOptions()
        options.enable_cpu_mem_arena = False  # the arena keeps the peak of every shape it has seen
        options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        offered = ort.get_available_providers()
        self._session = ort.InferenceSession(path, options, [name for name in providers if name in offered])
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
