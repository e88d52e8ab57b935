"""Real ONNX networks: one of two nodes, the mean of the channels as the matte, near-free, for timings and plumbing;
and one of convolutions, for what is done to networks."""

import itertools
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def save(path: Path, side: int = 320) -> Path:
    """Write the network, (1, 3, side, side) float32 to (1, 1, side, side) float32, and return its path."""
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], ["output"]),
    ]
    return _save(path, "tiny", nodes, [helper.make_tensor("axes", TensorProto.INT64, [1], [1])], side)


def save_convolutional(path: Path, side: int = 320, channels: int = 48) -> Path:
    """A network that has something to quantize: smooths the photo by convolutions, and finds what is bright."""
    random = np.random.default_rng(1)
    widths = [3, channels, channels, 1]
    nodes, constants, last = [], [], "input"
    for number, (taken, given) in enumerate(itertools.pairwise(widths)):
        # Positive weights that sum to one keep each layer a weighted mean of the last.
        weights = random.uniform(0.2, 1.0, (given, taken, 5, 5)).astype(np.float32)
        weights /= weights.sum(axis=(1, 2, 3), keepdims=True)
        bias = np.full(
            given, 3.0 if number == 0 else 0.0, np.float32
        )  # photos are about 0; Relu wants what is positive
        constants += [numpy_helper.from_array(weights, f"w{number}"), numpy_helper.from_array(bias, f"b{number}")]
        nodes.append(helper.make_node("Conv", [last, f"w{number}", f"b{number}"], [f"c{number}"], pads=[2] * 4))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        last = f"r{number}"
    constants += [
        numpy_helper.from_array(np.float32(-3.3), "level"),
        numpy_helper.from_array(np.float32(30), "steepness"),
    ]
    nodes += [
        helper.make_node("Add", [last, "level"], ["above"]),
        helper.make_node("Mul", ["above", "steepness"], ["steep"]),
        helper.make_node("Sigmoid", ["steep"], ["output"]),
    ]
    return _save(path, "convolutional", nodes, constants, side)


def _save(path: Path, name: str, nodes: list[NodeProto], constants: list[TensorProto], side: int) -> Path:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, side, side])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
