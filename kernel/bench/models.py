"""What the benchmark of whole networks does in Python: python models.py quantize DENSE INT8
or, a process for each: python models.py row VARIANT FILE LIBRARY THREADS BATCH RUNS

Rows print JSON: wall and processor ms of each run, ms of making the session, and the bytes by which the peak of resident
memory exceeds what was resident before the session was made (Linux; else null).
"""
import json
import sys
import time

import numpy as np


def fixed_input(path, batch):
    """Name and shape (batch, channels, height, width) of a file's input."""
    import onnx

    value = onnx.load(path).graph.input[0]
    shape = [d.dim_value or batch for d in value.type.tensor_type.shape.dim]
    return value.name, [batch, *shape[1:]]


def quantize(dense, int8):
    """Static INT8 as QDQ: activations uint8, weights int8 and symmetric, a scale for each channel, batch norms folded first."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = int8 + ".prepared"
    quant_pre_process(dense, prepared, skip_symbolic_shape=True)
    name, shape = fixed_input(dense, 1)

    class Images(CalibrationDataReader):
        def __init__(self):
            random = np.random.default_rng(0)
            self.images = iter([{name: random.standard_normal(shape).astype(np.float32)} for _ in range(8)])

        def get_next(self):
            return next(self.images, None)

    quantize_static(
        prepared,
        int8,
        Images(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
    )


def memory(key):
    """Bytes of one of the kernel's marks of this process, None where there are none."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key + ":"))
    except OSError:
        return None


def session(variant, path, library, threads, name, shape):
    """A function that runs a file once on an image batch."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    if variant.startswith("openvino"):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({model.inputs[0]: shape})
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", config).create_infer_request()
        return lambda: request.infer({0: x})
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if variant == "lut-native":
        options.register_custom_ops_library(library)
    made = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: made.run(None, {name: x})


def row(variant, path, library, threads, batch, runs):
    name, shape = fixed_input(path, batch)
    import onnxruntime  # noqa: F401, so that its library is no part of the session's memory

    if variant.startswith("openvino"):
        import openvino  # noqa: F401
    before = memory("VmRSS")
    start = time.perf_counter()
    run = session(variant, path, library, threads, name, shape)
    made = time.perf_counter() - start
    for _ in range(3):
        run()
    wall, processor = [], []
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        run()
        wall.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - busy))
    peak = memory("VmHWM")
    print(
        json.dumps(
            {
                "wallMs": wall,
                "processorMs": processor,
                "createMs": 1e3 * made,
                "peakBytes": None if peak is None else peak - before,
            }
        )
    )


command, *words = sys.argv[1:]
if command == "quantize":
    quantize(*words)
else:
    variant, path, library, threads, batch, runs = words
    row(variant, path, library, int(threads), int(batch), int(runs))
