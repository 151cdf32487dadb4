"""Write the recorded ONNX files: `python make_onnx.py [FOLDER]`."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def make(folder: Path) -> None:
    """Write a plain model, and one with branches, a function, a custom domain, external data."""
    weight = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(3, 2), "weight")
    bias = helper.make_tensor("bias", TensorProto.INT64, [2], [-1, 7])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    nodes = [helper.make_node("MatMul", ["x", "weight"], ["y"])]
    graph = helper.make_graph(nodes, "plain", [x], [y], [weight, bias])
    model = helper.make_model(
        graph, producer_name="regtui", opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    helper.set_model_props(model, {"author": "ann"})
    onnx.save(model, folder / "onnx-plain.onnx")
    onnx.save(_rich(weight), folder / "onnx-rich.onnx")


def _rich(weight: TensorProto) -> onnx.ModelProto:
    inner = numpy_helper.from_array(np.ones(4, dtype=np.float16), "inner")
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT16, [4])
    custom = helper.make_node("Special", ["inner"], ["out"], domain="org.example")
    branch = helper.make_graph([custom], "then", [], [out], [inner])
    away = onnx.TensorProto(name="away", data_type=TensorProto.FLOAT, dims=[2, 2])
    away.data_location = TensorProto.EXTERNAL
    away.external_data.add(key="location", value="weights.bin")
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    node = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT16, [4])
    graph = helper.make_graph([node], "rich", [condition], [z], [weight, away])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("org.example", 1)]
    own = helper.make_function(
        "org.local", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets
    )
    return helper.make_model(graph, opset_imports=opsets, functions=[own], ir_version=9)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
