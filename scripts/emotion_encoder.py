#!/usr/bin/env python3
"""Makes models/emotion-encoder.onnx: the two convolutions and the first transformer layer of Smart Turn v3.2 (BSD-2, by
Daily; it began as OpenAI's Whisper tiny, MIT), for one second of log-mel frames (80 x 100) at a time.

Needs the turn model (`frontdesk models fetch`) and `pip install onnx onnxruntime scipy numpy`.

    python3 scripts/emotion_encoder.py ~/.cache/frontdesk/models/smart-turn-v3.2.onnx models/emotion-encoder.onnx
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

STATES, HEADS, FRAMES = 384, 6, 100
ENCODER, LAYER = "inner.encoder.", "inner.encoder.layers.0."
# Names that the exporter gave the layer's matrices.
MATRICES = {"q": "val_17", "k": "val_25", "v": "val_32", "o": "val_75", "f1": "val_79", "f2": "val_88"}


class Source:
    def __init__(self, path):
        self.tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}

    def bytes(self, name):
        """Weights in steps, and the size of a step by output."""
        steps, scale = self.tensors[name + "_quantized"], self.tensors[name + "_scale"]
        assert not self.tensors[name + "_zero_point"].any()
        return steps.astype(np.int8), scale.astype(np.float32)

    def matrix(self, name):
        steps, scale = self.bytes(name)
        return steps.astype(np.float32) * scale[None, :]

    def bias(self, name):
        return self.tensors[name + "_quantized"].astype(np.float32) * self.tensors[name + "_quantized_scale"]


class Graph:
    def __init__(self):
        self.nodes, self.tensors = [], []

    def constant(self, name, value, kind=np.float32):
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name))
        return name

    def node(self, operator, inputs, name, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def linear(self, x, name, weights, bias=None):
        out = self.node("MatMul", [x, self.constant(name + "_w", weights)], name + "_m")
        return out if bias is None else self.node("Add", [out, self.constant(name + "_b", bias)], name)

    def norm(self, x, name, source, key):
        scale = self.constant(name + "_w", source.tensors[LAYER + key + ".weight"])
        shift = self.constant(name + "_b", source.tensors[LAYER + key + ".bias"])
        return self.node("LayerNormalization", [x, scale, shift], name, axis=-1, epsilon=1e-5)


def build(source):
    g, x = Graph(), "mel"
    for name, stride in (("conv1", 1), ("conv2", 2)):
        # As the bytes they are; numbers again when the model is loaded.
        steps, scale = source.bytes(f"{ENCODER}{name}.weight")
        bias = g.constant(name + "_b", source.bias(f"{ENCODER}{name}.bias"))
        scale = g.constant(name + "_s", scale)
        weights = g.node("DequantizeLinear", [g.constant(name + "_q", steps, np.int8), scale], name + "_w", axis=0)
        x = g.node("Conv", [x, weights, bias], name, pads=[1, 1], strides=[stride], kernel_shape=[3])
        x = g.node("Gelu", [x], name + "_g")
    places = g.constant("places", source.tensors[ENCODER + "embed_positions.weight"][None, : FRAMES // 2])
    x = g.node("Add", [g.node("Transpose", [x], "turned", perm=[0, 2, 1]), places], "placed")

    h = g.norm(x, "norm1", source, "self_attn_layer_norm")
    split = g.constant("split", [1, FRAMES // 2, HEADS, STATES // HEADS], np.int64)
    whole = g.constant("whole", [1, FRAMES // 2, STATES], np.int64)
    bias = {k: source.tensors.get(f"{LAYER}self_attn.{k}_proj.bias") for k in ("q", "k", "v")}
    root = np.sqrt(STATES / HEADS)

    def heads(name, order):
        weights, b = source.matrix(MATRICES[name]), bias[name]
        if name == "q":
            weights, b = weights / root, b / root
        out = g.linear(h, name, weights, b)
        return g.node("Transpose", [g.node("Reshape", [out, split], name + "_r")], name + "_h", perm=order)

    q, k, v = heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1]), heads("v", [0, 2, 1, 3])
    share = g.node("Softmax", [g.node("MatMul", [q, k], "scores")], "share", axis=-1)
    heard = g.node("Transpose", [g.node("MatMul", [share, v], "heard")], "heard_t", perm=[0, 2, 1, 3])
    heard = g.node("Reshape", [heard, whole], "heard_r")
    out_bias = source.tensors[LAYER + "self_attn.out_proj.bias"]
    x = g.node("Add", [x, g.linear(heard, "o", source.matrix(MATRICES["o"]), out_bias)], "attended")
    h = g.norm(x, "norm2", source, "final_layer_norm")
    h = g.linear(h, "f1", source.matrix(MATRICES["f1"]), source.tensors[LAYER + "fc1.bias"])
    h = g.node("Gelu", [h], "f1_g")
    g.node("Add", [x, g.linear(h, "f2", source.matrix(MATRICES["f2"]), source.tensors[LAYER + "fc2.bias"])], "states")

    mel = helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, 80, FRAMES])
    states = helper.make_tensor_value_info("states", TensorProto.FLOAT, [1, FRAMES // 2, STATES])
    graph = helper.make_graph(g.nodes, "emotion-encoder", [mel], [states], g.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        whole = pathlib.Path(folder) / "whole.onnx"
        onnx.save(build(Source(sys.argv[1])), whole)
        # Seven bits: with eight, two products overflow sixteen bits on processors without VNNI, which then hear another voice.
        kinds = {"weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": True, "op_types_to_quantize": ["MatMul"]}
        quantize_dynamic(whole, sys.argv[2], **kinds)


if __name__ == "__main__":
    main()
