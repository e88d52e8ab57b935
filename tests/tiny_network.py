"""A real ONNX network of two nodes: the mean of the channels as the matte. Near-free, for timings and plumbing."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def save(path: Path, side: int = 320) -> Path:
    """Write the network, (1, 3, side, side) float32 to (1, 1, side, side) float32, and return its path."""
    size = [1, 3, side, side]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=1),
            helper.make_node("Sigmoid", ["mean"], ["output"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, side, side])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
