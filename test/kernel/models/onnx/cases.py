"""Writes small ONNX files as exporters write them, for fromOnnx.test.ts: cases.py FOLDER. Prints their names and options."""

import json
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

folder = Path(sys.argv[1])
cases = []
random = np.random.default_rng(1)


class Graph:
    """Collects nodes and weights; every method returns the name of what it adds."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, *dims, name=None, scale=0.5, positive=False):
        values = random.standard_normal(dims).astype(np.float32) * scale
        return self.constant(np.abs(values) + 0.5 if positive else values, name)

    def constant(self, values, name=None):
        self.count += 1
        name = name or f"c{self.count}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def number(self, value):
        return self.constant(np.array(value, np.float32))

    def __call__(self, op, *inputs, outputs=1, name=None, **attributes):
        self.count += 1
        made = [f"v{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), made, name=name or f"{op}_{self.count}", **attributes))
        return made[0] if outputs == 1 else made


def case(name, build, dims=("N", 4, 7, 9), opset=17, dtype=TensorProto.FLOAT, shape=None, ir=8):
    """One file. build(graph, x) gives the names of outputs."""
    graph = Graph()
    outputs = build(graph, "x")
    outputs = [outputs] if isinstance(outputs, str) else outputs
    made = helper.make_graph(
        graph.nodes,
        "case",
        [helper.make_tensor_value_info("x", dtype, list(dims))],
        [helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in outputs],
        graph.weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    save(model, folder / f"{name}.onnx")
    cases.append({"name": name, **({"inputShape": shape} if shape else {})})


def chain(*steps):
    def build(graph, x):
        for step in steps:
            x = step(graph, x)
        return x

    return build


def conv(filters, channels, size, group=1, bias=True, rank=2, **attributes):
    """A convolution with `channels` for each group."""
    sizes = size if isinstance(size, tuple) else (size,) * rank

    def build(g, x):
        inputs = [x, g.weight(filters, channels, *sizes)] + ([g.weight(filters)] if bias else [])
        return g("Conv", *inputs, group=group, **attributes)

    return build


def op(name, **attributes):
    return lambda g, x: g(name, x, **attributes)


def norm(channels, **attributes):
    def build(g, x):
        moments = [g.weight(channels), g.weight(channels), g.weight(channels), g.weight(channels, positive=True)]
        return g("BatchNormalization", x, *moments, **attributes)

    return build


# Convolutions.
case("conv_same", conv(5, 4, 3, pads=[1, 1, 1, 1]))
case("conv_stride_2_like_torch", conv(5, 4, 3, pads=[1, 1, 1, 1], strides=[2, 2]), ("N", 4, 8, 10))
case("conv_uneven", conv(5, 4, (3, 2), pads=[2, 0, 1, 3], strides=[2, 1], bias=False))
case("conv_dilated", conv(5, 4, 3, pads=[2, 2, 2, 2], dilations=[2, 2]))
case("conv_dilated_steps", conv(5, 4, 3, pads=[2, 2, 2, 2], dilations=[2, 2], strides=[2, 2]))
case("conv_groups", conv(6, 2, 3, group=2, pads=[1, 1, 1, 1]))
case("conv_depthwise", conv(4, 1, 3, group=4, pads=[1, 1, 1, 1], strides=[2, 2]))
case("conv_depthwise_uneven_steps", conv(4, 1, 3, group=4, pads=[1, 1, 1, 1], strides=[2, 1]))
case("conv_depthwise_multiplier", conv(8, 1, 3, group=4))
case("conv_same_upper", conv(5, 4, 3, auto_pad="SAME_UPPER", strides=[2, 2]))
case("conv_same_lower", conv(5, 4, 2, auto_pad="SAME_LOWER"))
case("conv_valid", conv(5, 4, 3, auto_pad="VALID"))
case("conv1d", conv(5, 4, 3, rank=1, pads=[1, 1]), ("N", 4, 9))
case("conv1d_uneven", conv(5, 4, 3, rank=1, pads=[2, 0], strides=[2]), ("N", 4, 9))
case("conv1d_depthwise", conv(4, 1, 3, rank=1, group=4, pads=[1, 1], strides=[2]), ("N", 4, 9))
case("conv1d_groups", conv(6, 2, 3, rank=1, group=2, pads=[1, 1]), ("N", 4, 9))
case("conv_transpose", lambda g, x: g("ConvTranspose", x, g.weight(4, 3, 2, 2), g.weight(3), strides=[2, 2]))
case("conv_transpose_pads", lambda g, x: g("ConvTranspose", x, g.weight(4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]))
case("conv_transpose_wide_steps", lambda g, x: g("ConvTranspose", x, g.weight(4, 3, 2, 2), strides=[3, 3]))

# What stands behind convolutions.
for opset in (7, 9, 14, 15):
    case(f"batch_norm_opset_{opset}", chain(conv(5, 4, 3, bias=False), norm(5), op("Relu")), opset=opset)
case("batch_norm_of_rows", norm(6), ("N", 6))
case("batch_norm_of_sequences", norm(4), ("N", 4, 6))
case("batch_norm_first", chain(norm(4), conv(5, 4, 3)))
case("paddle_bias", chain(conv(5, 4, 1, bias=False), lambda g, x: g("Add", x, g("Reshape", g.weight(5), g.ints(1, 5, 1, 1)))))
case("folded_norm", chain(conv(5, 4, 1, bias=False), lambda g, x: g("Add", g("Mul", x, g.weight(1, 5, 1, 1)), g.weight(5, 1, 1))))
case("instance_norm", lambda g, x: g("InstanceNormalization", x, g.weight(4), g.weight(4)))

# Activations, inside and alone.
for name, attributes in {
    "Relu": {}, "Sigmoid": {}, "Tanh": {}, "Softplus": {}, "Softsign": {}, "Selu": {}, "Elu": {"alpha": 1.0},
    "LeakyRelu": {"alpha": 0.2}, "HardSigmoid": {}, "ThresholdedRelu": {"alpha": 0.3}, "HardSwish": {}, "Exp": {},
    "Abs": {}, "Neg": {}, "Erf": {},
}.items():
    case(f"activation_{name}", chain(conv(5, 4, 1), op(name, **attributes)))
case("activation_HardSigmoid_6", op("HardSigmoid", alpha=1 / 6, beta=0.5))
case("activation_Mish", op("Mish"), opset=18)
case("activation_Gelu", op("Gelu"), opset=20)
case("activation_Gelu_tanh", op("Gelu", approximate="tanh"), opset=20)
case("prelu_channels", lambda g, x: g("PRelu", x, g.weight(4, 1, 1)))
case("prelu_one", lambda g, x: g("PRelu", x, g.weight(1)))
case("relu6_opset_7", op("Clip", min=0.0, max=6.0), opset=7)
case("relu6", lambda g, x: g("Clip", x, g.number(0), g.number(6)))
case("clip_both", lambda g, x: g("Clip", x, g.number(-0.3), g.number(0.4)))
case("clip_below", lambda g, x: g("Clip", x, g.number(-0.3)))
case("clip_zero", lambda g, x: g("Clip", x, g.number(0)))
case("square_root_of_square", lambda g, x: g("Sqrt", g("Mul", x, x)))
case("logarithm", lambda g, x: g("Log", g("Add", g("Abs", x), g.number(1))))
case("power", lambda g, x: g("Pow", g("Abs", x), g.number(1.5)))
case("hard_swish_paddle", chain(conv(5, 4, 1), lambda g, x: g("Div", g("Mul", x, g("Clip", g("Add", x, g.number(3)), g.number(0), g.number(6))), g.number(6))))
case("hard_swish_torch", lambda g, x: g("Mul", x, g("Div", g("Clip", g("Add", x, g.number(3)), g.number(0), g.number(6)), g.number(6))))
case("hard_swish_by_sigmoid", lambda g, x: g("Mul", x, g("HardSigmoid", x, alpha=1 / 6, beta=0.5)))
case("swish", lambda g, x: g("Mul", g("Sigmoid", x), x))
case("swish_paddle", lambda g, x: g("Mul", x, g("Sigmoid", g("Mul", x, g.number(1)))))
case("gelu_erf_torch", lambda g, x: g("Mul", g("Mul", x, g("Add", g("Erf", g("Div", x, g.number(2 ** 0.5))), g.number(1))), g.number(0.5)))
case("gelu_tanh_tf", lambda g, x: g("Mul", x, g("Mul", g("Add", g("Tanh", g("Mul", g("Add", x, g("Mul", g("Pow", x, g.number(3)), g.number(0.044715))), g.number((2 / np.pi) ** 0.5))), g.number(1)), g.number(0.5))))
case("mish_written_out", lambda g, x: g("Mul", x, g("Tanh", g("Softplus", x))))
case("softmax_opset_9", op("Softmax"), ("N", 6), opset=9)
case("softmax_opset_9_over_all", op("Softmax", axis=1), ("N", 3, 4), opset=9)
case("softmax_channels", op("Softmax", axis=1))
case("softmax_last", op("Softmax"), ("N", 3, 6))
case("log_softmax", op("LogSoftmax", axis=-1), ("N", 6))
case("softmax_written_out", lambda g, x: (lambda e: g("Div", e, g("ReduceSum", e, g.ints(1), keepdims=1)))(g("Exp", g("Sub", x, g("ReduceMax", x, axes=[1], keepdims=1)))), ("N", 6))

# Arithmetic and spreading.
case("number_minus_x", lambda g, x: g("Sub", g.number(1), x))
case("number_over_x", lambda g, x: g("Div", g.number(2), g("Add", g("Abs", x), g.number(1))))
case("x_minus_channels", lambda g, x: g("Sub", x, g.weight(4, 1, 1)))
case("x_over_channels", lambda g, x: g("Div", x, g.weight(1, 4, 1, 1, positive=True)))
case("positions_added", lambda g, x: g("Add", x, g.weight(1, 3, 6)), ("N", 3, 6))
case("row_added_behind", lambda g, x: g("Add", x, g.weight(1, 9)))
case("constant_of_higher_rank", lambda g, x: g("Reshape", g("Mul", g("Unsqueeze", x, g.ints(1)), g.weight(1, 3, 6)), g.ints(0, -1)), ("N", 6))
case("two_branches", lambda g, x: g("Add", conv(4, 4, 3, pads=[1, 1, 1, 1])(g, x), x))
case("difference_of_branches", lambda g, x: g("Sub", conv(4, 4, 1)(g, x), x))
case("quotient_of_branches", lambda g, x: g("Div", x, g("Add", g("Abs", conv(4, 4, 1)(g, x)), g.number(1))))
case("twice", lambda g, x: g("Add", x, x))
case("twice_joined", lambda g, x: g("Concat", x, x, axis=1))
case("excitation", lambda g, x: g("Mul", x, g("Sigmoid", conv(4, 4, 1)(g, g("GlobalAveragePool", x)))))
case("excitation_by_mean", lambda g, x: g("Mul", x, g("Sigmoid", g("Unsqueeze", g("Unsqueeze", g("Gemm", g("ReduceMean", x, axes=[2, 3], keepdims=0), g.weight(4, 4)), g.ints(2)), g.ints(3)))))
case("rows_and_columns", lambda g, x: g("Mul", g("ReduceMean", x, axes=[2]), g("ReduceMax", x, axes=[3])))
case("maximum_of_values", lambda g, x: g("Max", x, g("Neg", x)))
case("minimum_of_number", lambda g, x: g("Min", x, g.number(0.25)))
case("mean_and_sum", lambda g, x: g("Sum", x, g("Mean", x, g("Relu", x)), g("Abs", x)))

# Pooling.
case("max_pool_torch", chain(conv(5, 4, 1), op("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])))
case("max_pool_ceiling", op("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1))
case("max_pool_ceiling_padded", op("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1), ("N", 4, 8, 10))
case("max_pool_1d", op("MaxPool", kernel_shape=[3], strides=[2], pads=[1, 1]), ("N", 4, 10))
for counted in (0, 1):
    case(f"average_pool_{counted}", op("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=counted), ("N", 4, 8, 10))
    case(f"average_pool_uneven_{counted}", op("AveragePool", kernel_shape=[3, 2], strides=[2, 1], pads=[0, 1, 2, 0], count_include_pad=counted))
    case(f"average_pool_ceiling_{counted}", op("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=counted), ("N", 4, 8, 10), opset=19)
case("average_pool_1d", op("AveragePool", kernel_shape=[2], strides=[2]), ("N", 4, 10))
case("global_pools", lambda g, x: g("Concat", g("GlobalAveragePool", x), g("GlobalMaxPool", x), axis=1))
case("global_max_pool_1d", op("GlobalMaxPool"), ("N", 4, 10))

# Reductions.
case("reduce_opset_18", lambda g, x: g("ReduceMean", x, g.ints(1), keepdims=0), opset=18)
case("reduce_sum_min", lambda g, x: g("Sub", g("ReduceSum", x, g.ints(-1)), g("ReduceMin", x, axes=[-1])))
case("reduce_l2", lambda g, x: g("Div", x, g("ReduceL2", x, axes=[1])))
case("layer_norm", lambda g, x: g("LayerNormalization", x, g.weight(6), g.weight(6), epsilon=1e-5), ("N", 3, 6))
case("layer_norm_two_axes", lambda g, x: g("LayerNormalization", x, g.weight(3, 6), g.weight(3, 6), axis=1), ("N", 3, 6))


def layer_norm(g, x, size):
    d = g("Sub", x, g("ReduceMean", x, axes=[-1]))
    v = g("ReduceMean", g("Pow", d, g.number(2)), axes=[-1])
    return g("Add", g("Mul", g("Div", d, g("Sqrt", g("Add", v, g.number(1e-5)))), g.weight(size, name=f"norm{g.count}.weight")), g.weight(size))


case("layer_norm_written_out", lambda g, x: layer_norm(g, x, 6), ("N", 3, 6))

# Matrices.
case("gemm", lambda g, x: g("Gemm", x, g.weight(6, 5), g.weight(5)), ("N", 6))
case("gemm_transposed", lambda g, x: g("Gemm", x, g.weight(5, 6), g.weight(1, 5), transB=1, alpha=0.5, beta=2.0), ("N", 6))
case("matmul_bias", lambda g, x: g("Add", g("MatMul", x, g.weight(6, 5)), g.weight(5)), ("N", 3, 6))
case("matmul_of_image_rows", lambda g, x: g("MatMul", x, g.weight(9, 5)))
case("matmul_bias_read_twice", lambda g, x: (lambda p: g("Mul", g("Add", p, g.weight(5)), p))(g("MatMul", x, g.weight(6, 5))), ("N", 6))


def attention(g, x, heads=2, length=5, size=8):
    """As PyTorch and Paddle export it: shapes read from values."""
    batch = g("Gather", g("Shape", x), g.constant(np.array(0, np.int64)), axis=0)
    target = g("Concat", g("Unsqueeze", batch, g.ints(0)), g.ints(length, heads, size // heads), axis=0)
    back = g("Concat", g("Unsqueeze", batch, g.ints(0)), g.ints(-1, size), axis=0)

    def split(perm):
        y = g("Add", g("MatMul", x, g.weight(size, size)), g.weight(size))
        return g("Transpose", g("Reshape", y, target), perm=perm)

    scores = g("Div", g("MatMul", split([0, 2, 1, 3]), split([0, 2, 3, 1])), g.number((size / heads) ** 0.5))
    read = g("MatMul", g("Softmax", scores, axis=-1), split([0, 2, 1, 3]))
    y = g("Reshape", g("Transpose", read, perm=[0, 2, 1, 3]), back)
    return layer_norm(g, g("Add", g("Add", g("MatMul", y, g.weight(size, size)), g.weight(size)), x), size)


def fused_attention(g, x, heads=2, length=5, size=8):
    """Query, key and value from one product, the batch behind them for a while."""
    y = g("Reshape", g("MatMul", x, g.weight(size, 3 * size)), g.ints(0, length, 3, heads, size // heads))
    y = g("Transpose", y, perm=[2, 0, 3, 1, 4])
    q, k, v = (g("Squeeze", g("Slice", y, g.ints(i), g.ints(i + 1), g.ints(0)), g.ints(0)) for i in range(3))
    read = g("MatMul", g("Softmax", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2]))), v)
    return g("Reshape", g("Transpose", read, perm=[0, 2, 1, 3]), g.ints(0, length, size))


case("attention", attention, ("N", 5, 8))
case("attention_fused", fused_attention, ("N", 5, 8))


def bert(g, x):
    """Tokens, positions, a layer, the first token's pooler."""
    rows = g("Gather", g.weight(11, 8, name="embeddings.word_embeddings.weight"), x)
    y = attention(g, layer_norm(g, g("Add", rows, g.weight(1, 5, 8)), 8))
    first = g("Gather", y, g.constant(np.array(0, np.int64)), axis=1)
    return g("Tanh", g("Gemm", first, g.weight(3, 8, name="pooler.dense.weight"), g.weight(3), transB=1))


case("bert", bert, ("N", 5), dtype=TensorProto.INT64)
case("one_hot_by_comparison", lambda g, x: g("MatMul", g("Cast", g("Equal", g("Unsqueeze", x, g.ints(2)), g.constant(np.arange(7, dtype=np.int32).reshape(1, 1, 7))), to=1), g.weight(7, 3)), ("N", 5), dtype=TensorProto.INT32)
case("one_hot", lambda g, x: g("MatMul", g("OneHot", x, g.ints(7), g.constant(np.array([0, 1], np.float32))), g.weight(7, 3)), ("N", 5), dtype=TensorProto.INT64)
case("mask_as_numbers", lambda g, x: g("Mul", g("Sub", g.number(1), g("Cast", x, to=1)), g.number(-10)), ("N", 5), dtype=TensorProto.INT64)

# Shapes.
case("flatten_dense", chain(conv(3, 4, 3), op("Flatten"), lambda g, x: g("Gemm", x, g.weight(105, 5), g.weight(5))))
case("reshape_zero_minus", chain(conv(3, 4, 3), lambda g, x: g("Reshape", x, g.ints(0, -1))))
case("reshape_by_shape", chain(conv(3, 4, 3), lambda g, x: g("Reshape", x, g("Concat", g("Slice", g("Shape", x), g.ints(0), g.ints(2), g.ints(0)), g.ints(-1), axis=0))))
case("reshape_fixed_batch", chain(conv(3, 4, 3), lambda g, x: g("Reshape", x, g.ints(1, -1))), (1, 4, 7, 9))
case("reshape_batch_left_open", lambda g, x: g("Reshape", x, g.ints(-1, 12)), ("N", 3, 4))
case("shuffled_channels", chain(lambda g, x: g("Reshape", g("Transpose", g("Reshape", x, g.ints(0, 2, 2, 7, 9)), perm=[0, 2, 1, 3, 4]), g.ints(0, 4, 7, 9)), conv(3, 4, 1)))
case("pooled_and_squeezed", chain(op("GlobalAveragePool"), lambda g, x: g("Squeeze", x, g.ints(2, 3)), lambda g, x: g("Gemm", x, g.weight(4, 5))))
case("squeeze_opset_11", chain(op("GlobalAveragePool"), op("Squeeze", axes=[2, 3])), opset=11)
case("image_to_sequence", chain(conv(5, 4, (7, 1)), lambda g, x: g("Transpose", g("Squeeze", x, g.ints(2)), perm=[0, 2, 1]), lambda g, x: g("MatMul", x, g.weight(5, 3))))
case("channels_last_file", chain(lambda g, x: g("Transpose", x, perm=[0, 3, 1, 2]), conv(5, 4, 3), lambda g, x: g("Transpose", x, perm=[0, 2, 3, 1])), ("N", 7, 9, 4))
case("scaled_before_transposed", chain(lambda g, x: g("Div", x, g.number(255)), lambda g, x: g("Transpose", x, perm=[0, 3, 1, 2]), conv(5, 4, 3)), ("N", 7, 9, 4))
case("slices", lambda g, x: g("Add", g("Slice", x, g.ints(0, 1), g.ints(2, 2**62), g.ints(1, 3)), g("Slice", x, g.ints(-2, 0), g.ints(2**62, -1), g.ints(1, 3))))
case("slice_steps", lambda g, x: g("Slice", x, g.ints(1, -1), g.ints(7, -(2**62)), g.ints(2, 3), g.ints(2, -3)))
case("slice_opset_9", op("Slice", starts=[1], ends=[3], axes=[1]), opset=9)
case("gather_of_value", lambda g, x: g("Gather", x, g.ints(3, 1), axis=1))
case("split_sizes", lambda g, x: list(g("Split", x, g.ints(1, 3), axis=1, outputs=2)))
case("split_even_opset_11", lambda g, x: g("Mul", *g("Split", x, axis=1, outputs=2)), opset=11)
case("split_opset_18", lambda g, x: g("Mul", *g("Split", x, axis=1, num_outputs=2, outputs=2)), opset=18)
case("concat_space", lambda g, x: g("Concat", x, conv(4, 4, 1)(g, x), axis=-1))
case("pad_image", lambda g, x: g("Pad", x, g.ints(0, 0, 1, 0, 0, 0, 2, 1)))
case("pad_number", lambda g, x: g("Pad", x, g.ints(0, 1, 1, 0, 0, 0, 2, 1), g.number(0.5)))
case("pad_opset_9", op("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.25), opset=9)
case("pad_axes_opset_18", lambda g, x: g("Pad", x, g.ints(1, 2), "", g.ints(-1)), opset=18)
case("expand", lambda g, x: g("Expand", g("ReduceMean", x, axes=[2]), g.ints(1, 4, 3, 9)))
case("expand_by_shape", lambda g, x: g("Mul", x, g("Expand", g("ReduceMean", x, axes=[2, 3]), g("Shape", x))))
case("tile", lambda g, x: g("Tile", g("ReduceMean", x, axes=[2]), g.ints(1, 1, 3, 1)))
case("dropout_opset_7", chain(op("Dropout", ratio=0.4), conv(3, 4, 1)), opset=7)
case("dropout", chain(lambda g, x: g("Dropout", x, g.number(0.4)), conv(3, 4, 1)))
case("upsample_opset_9", lambda g, x: g("Upsample", x, g.constant(np.array([1, 1, 2, 3], np.float32))), opset=9)
case("resize_torch_nearest", lambda g, x: g("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"))
case("resize_default_nearest", lambda g, x: g("Resize", x, "", g.constant(np.array([1, 1, 2, 4], np.float32))))
case("resize_sizes", lambda g, x: g("Resize", x, "", "", g.ints(1, 4, 14, 18), mode="linear", coordinate_transformation_mode="asymmetric"), (1, 4, 7, 9))
case("image_without_channels", op("Flatten"), ("N", 2, 3, 5))

# Constants and lengths.
case("constants_in_nodes", lambda g, x: (g.nodes.append(helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(random.standard_normal((4, 3)).astype(np.float32)))), g("MatMul", x, "w"))[1], ("N", 4))
case("half_precision_weights", lambda g, x: g("Gemm", x, g("Cast", g.constant(random.standard_normal((4, 3)).astype(np.float16)), to=1)), ("N", 4))
case("double_precision_weights", lambda g, x: g("Gemm", x, g("Cast", g.constant(random.standard_normal((4, 3))), to=1)), ("N", 4))
case("weights_of_one_value", lambda g, x: g("Conv", x, g("ConstantOfShape", g.ints(2, 4, 3, 3), value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.1]))))
case("open_sizes", chain(conv(5, 4, 3), op("Flatten")), ("N", 4, "H", "W"), shape=[6, 8, 4])
case("open_sizes_unnamed", conv(5, 4, 3), (None, 4, None, None), shape=[6, 8, None])
case("two_outputs", lambda g, x: [g("Relu", x), g("GlobalAveragePool", x)])
case("input_as_output", lambda g, x: [g("Identity", x), g("Relu", x)])

print(json.dumps(cases))
