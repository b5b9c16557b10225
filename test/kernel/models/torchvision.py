"""ResNet18 and VGG11 with batch norm, made apart from the library: random weights under torchvision's names, written as
safetensors (the dense layer of VGG11, which torchvision has not, apart), and what ONNX Runtime computes with them from a
graph that this file lays out by hand.

torchvision.py FOLDER NETWORK WIDTH SIZE: FOLDER/weights.safetensors, FOLDER/head.safetensors, FOLDER/x.f32 (2, 3, SIZE, SIZE), FOLDER/y.f32 (2, 10),
and the graph itself, FOLDER/network.onnx.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder, network, width, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random = np.random.default_rng(5)
tensors, nodes = {}, []
count = 0


def add(op, inputs, **attributes):
    global count
    count += 1
    nodes.append(helper.make_node(op, inputs, [f"v{count}"], **attributes))
    return f"v{count}"


def normal(name, *shape, scale=1.0, around=0.0):
    tensors[name] = (around + scale * random.standard_normal(shape)).astype(np.float32)
    return name


def conv(x, name, channels, outputs, filter, stride=1, bias=False):
    pad = filter // 2
    weight = normal(f"{name}.weight", outputs, channels, filter, filter, scale=(2 / channels / filter**2) ** 0.5)
    inputs = [x, weight] + ([normal(f"{name}.bias", outputs)] if bias else [])
    return add("Conv", inputs, kernel_shape=[filter] * 2, strides=[stride] * 2, pads=[pad] * 4)


def norm(x, name, channels):
    weight = normal(f"{name}.weight", channels, scale=0.1, around=1)
    bias = normal(f"{name}.bias", channels, scale=0.1)
    mean = normal(f"{name}.running_mean", channels, scale=0.1)
    tensors[f"{name}.running_var"] = random.uniform(0.5, 2, channels).astype(np.float32)
    return add("BatchNormalization", [x, weight, bias, mean, f"{name}.running_var"], epsilon=1e-5)


def resnet18(x, form):
    if form == "imagenet":
        x = add("Relu", [norm(conv(x, "conv1", 3, width, 7, 2), "bn1", width)])
        x = add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    else:
        x = add("Relu", [norm(conv(x, "conv1", 3, width, 3), "bn1", width)])
    channels = width
    for stage in range(4):
        outputs = width * 2**stage
        for block in range(2):
            name = f"layer{stage + 1}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            y = add("Relu", [norm(conv(x, f"{name}.conv1", channels, outputs, 3, stride), f"{name}.bn1", outputs)])
            y = norm(conv(y, f"{name}.conv2", outputs, outputs, 3), f"{name}.bn2", outputs)
            if stride == 2:
                down = f"{name}.downsample"
                x = norm(conv(x, f"{down}.0", channels, outputs, 1, 2), f"{down}.1", outputs)
            x = add("Relu", [add("Add", [y, x])])
            channels = outputs
    return x, channels


def vgg11(x, form):
    # torchvision's has a pooling behind the first convolution, the paper's for small images has none.
    plan = [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"]
    place, channels = 0, 3
    for index, step in enumerate(plan):
        if step == "M":
            if index > 1 or form == "imagenet":
                x = add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
            place += 1
        else:
            outputs = width * step
            x = conv(x, f"features.{place}", channels, outputs, 3, bias=True)
            x = add("Relu", [norm(x, f"features.{place + 1}", outputs)])
            channels = outputs
            place += 3
    normal("classifier.0.weight", 4, 4)  # torchvision's own head, which the paper does without
    return x, channels


form = "imagenet" if size >= 64 else "cifar"
y, channels = (resnet18 if network == "resnet18" else vgg11)("x", form)
pooled = add("Flatten", [add("GlobalAveragePool", [y])])
weight, bias = normal("fc.weight", 10, channels, scale=channels**-0.5), normal("fc.bias", 10)
logits = add("Gemm", [pooled, weight, bias], transB=1)

graph = helper.make_graph(
    nodes,
    network,
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, size, size])],
    [helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["N", 10])],
    [numpy_helper.from_array(values, name) for name, values in tensors.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
x = random.standard_normal((2, 3, size, size)).astype(np.float32)
(result,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
x.tofile(folder / "x.f32")
result.tofile(folder / "y.f32")
(folder / "network.onnx").write_bytes(model.SerializeToString())

heads = [weight, bias] if network == "vgg11" else []
tensors["bn1.num_batches_tracked" if network == "resnet18" else "features.1.num_batches_tracked"] = np.array(7)


def write(file, names):
    header, data = {}, b""
    for name in names:
        values = tensors[name]
        dtype = "F32" if values.dtype == np.float32 else "I64"
        offsets = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": offsets}
        data += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / file).write_bytes(struct.pack("<Q", len(text)) + text + data)


write("weights.safetensors", [name for name in tensors if name not in heads])
write("head.safetensors", heads)
