"""ISNet's half-precision file in single precision, as rembg's own release is: ONNX Runtime computes in that alone, and
would turn every layer's answer into half precision and back."""

from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, TensorProto, numpy_helper


def save(source: Path, target: Path) -> Path:
    """Write the network of `source` to `target`, the same weights in float32."""
    model = onnx.load(str(source))
    graph = model.graph
    for initializer in graph.initializer:
        _widen(initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "value" and attribute.HasField("t"):
                _widen(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
    _widen_types(graph)
    onnx.save(model, str(target))
    return target


def _widen(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        wide = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def _widen_types(graph: GraphProto) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
