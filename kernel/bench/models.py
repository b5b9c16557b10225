"""What the benchmark of whole networks does in Python: python models.py quantize DENSE INT8
or, a process for each: python models.py row VARIANT FILE LIBRARY THREADS BATCH RUNS

Rows print JSON: wall and processor ms of each run, ms of making the session, the bytes by which the peak of resident
memory exceeds what was resident before the session was made (Linux; else null), and the watts that the processor's energy
counter says of all runs, with the reason where there is none to read.
"""
import glob
import json
import sys
import time

import numpy as np


def inputs_of(path, batch):
    """Names, shapes and whether they are whole numbers, of a file's inputs: images (batch, channels, height, width), tokens
    (batch, length)."""
    import onnx

    values = onnx.load(path, load_external_data=False).graph.input
    found = {}
    for value in values:
        shape = [d.dim_value or batch for d in value.type.tensor_type.shape.dim]
        found[value.name] = ([batch, *shape[1:]], value.type.tensor_type.elem_type != onnx.TensorProto.FLOAT)
    return found


def feeds(inputs, random):
    """Random values for inputs: numbers for images; words of a vocabulary, one segment and no padding for texts."""
    def values(name, shape, is_whole):
        if not is_whole:
            return random.standard_normal(shape).astype(np.float32)
        most = {"tokens": 1000, "segments": 1}.get(name)
        return np.ones(shape, np.int32) if most is None else random.integers(0, most, shape, np.int32)

    return {name: values(name, *rest) for name, rest in inputs.items()}


def quantize(dense, int8):
    """Static INT8 as QDQ: activations uint8, weights int8 and symmetric, a scale for each channel, batch norms folded first."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = int8 + ".prepared"
    quant_pre_process(dense, prepared, skip_symbolic_shape=True)
    inputs = inputs_of(dense, 1)

    class Examples(CalibrationDataReader):
        def __init__(self):
            random = np.random.default_rng(0)
            self.examples = iter([feeds(inputs, random) for _ in range(8)])

        def get_next(self):
            return next(self.examples, None)

    quantize_static(
        prepared,
        int8,
        Examples(),
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


def energy():
    """Joules that each processor has used by its counter, by file, with where it turns round; {} where there is none to read."""
    found = {}
    for folder in glob.glob("/sys/class/powercap/intel-rapl:*"):
        if folder.count(":") != 1:
            continue  # a part of a processor, which the whole counts too
        try:
            used, most = (int(open(f"{folder}/{name}").read()) for name in ("energy_uj", "max_energy_range_uj"))
        except OSError:
            continue
        found[folder] = (used / 1e6, most / 1e6)
    return found


def watts(before, after, seconds):
    """Mean power of all processors between two readings; None without readings."""
    if not before or before.keys() != after.keys():
        return None
    return sum((after[one][0] - before[one][0]) % before[one][1] for one in before) / seconds


def no_watts():
    """Why there is no energy to read."""
    if not glob.glob("/sys/class/powercap/intel-rapl:*"):
        return "this machine shows no energy counter (no intel-rapl in /sys/class/powercap)"
    return "the energy counter may not be read (energy_uj in /sys/class/powercap/intel-rapl:0 is for root)"


def session(variant, path, library, threads, inputs):
    """A function that runs a file once on a batch."""
    given = feeds(inputs, np.random.default_rng(0))
    if variant.startswith("openvino"):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({name: shape for name, (shape, _) in inputs.items()})
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", config).create_infer_request()
        return lambda: request.infer(given)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if variant.startswith("lut-native"):
        options.register_custom_ops_library(library)
    made = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: made.run(None, given)


def row(variant, path, library, threads, batch, runs):
    inputs = inputs_of(path, batch)
    import onnxruntime  # noqa: F401, so that its library is no part of the session's memory

    if variant.startswith("openvino"):
        import openvino  # noqa: F401
    before = memory("VmRSS")
    start = time.perf_counter()
    run = session(variant, path, library, threads, inputs)
    made = time.perf_counter() - start
    for _ in range(3):
        run()
    wall, processor = [], []
    joules, began = energy(), time.perf_counter()
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        run()
        wall.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - busy))
    power = watts(joules, energy(), time.perf_counter() - began)
    peak = memory("VmHWM")
    print(
        json.dumps(
            {
                "wallMs": wall,
                "processorMs": processor,
                "createMs": 1e3 * made,
                "peakBytes": None if peak is None else peak - before,
                "watts": power,
                "noWatts": no_watts() if power is None else None,
            }
        )
    )


command, *words = sys.argv[1:]
if command == "quantize":
    quantize(*words)
else:
    variant, path, library, threads, batch, runs = words
    row(variant, path, library, int(threads), int(batch), int(runs))
