"""What the benchmark of whole networks does in Python: python models.py quantize DENSE INT8
or, a process for each: python models.py row VARIANT FILE LIBRARY THREADS BATCH RUNS

Rows print JSON: wall and processor ms of each run, ms of making the session, the bytes by which the peak of resident
memory exceeds what was resident before the session was made (Linux; else null), of native lookups ms by operator, and the
watts that the processor's energy counter says of all runs, with the reason where there is none to read.
"""
import glob
import json
import sys
import time

import numpy as np


def inputs_of(path, batch, seed=0):
    """A file's inputs by name: normal numbers, or of int32 ones, which are a token, a segment and a mask alike."""
    import onnx

    random = np.random.default_rng(seed)
    made = {}
    for value in onnx.load(path, load_external_data=False).graph.input:
        tensor = value.type.tensor_type
        shape = [batch, *[d.dim_value for d in tensor.shape.dim][1:]]
        is_float = tensor.elem_type == onnx.TensorProto.FLOAT
        made[value.name] = random.standard_normal(shape).astype(np.float32) if is_float else np.ones(shape, np.int32)
    return made


def quantize(dense, int8):
    """Static INT8 as QDQ: activations uint8, weights int8 and symmetric, a scale for each channel, batch norms folded first.
    Of transformers the products with weights alone, which is faster than all that can be quantised."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = int8 + ".prepared"
    quant_pre_process(dense, prepared, skip_symbolic_shape=True)
    examples = [inputs_of(dense, 1, seed) for seed in range(8)]
    has_tokens = any(value.dtype == np.int32 for value in examples[0].values())

    class Examples(CalibrationDataReader):
        def __init__(self):
            self.examples = iter(examples)

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
        op_types_to_quantize=["MatMul", "Gemm"] if has_tokens else None,
        extra_options={"WeightSymmetric": True, "ActivationSymmetric": False, "MatMulConstBOnly": has_tokens},
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


def onnxruntime_session(variant, path, library, threads, record=None):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if record:
        options.enable_profiling = True
        options.profile_file_prefix = record
    if variant.startswith("lut-native"):
        options.register_custom_ops_library(library)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def session(variant, path, library, threads, inputs):
    """A function that runs a file once on its inputs."""
    if variant.startswith("openvino"):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({one: inputs[one.any_name].shape for one in model.inputs})
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", config).create_infer_request()
        return lambda: request.infer(inputs)
    made = onnxruntime_session(variant, path, library, threads)
    return lambda: made.run(None, inputs)


def parts(variant, path, library, threads, inputs, runs):
    """ms by operator, each node's least of some runs, as ONNX Runtime records them: [operator, nodes, ms], the slowest first."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        recorded = onnxruntime_session(variant, path, library, threads, os.path.join(folder, "record"))
        for _ in range(runs):
            recorded.run(None, inputs)
        with open(recorded.end_profiling()) as file:
            events = json.load(file)
    least = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            key = (event["name"], event["args"]["op_name"])
            least[key] = min(least.get(key, event["dur"]), event["dur"])
    operators = {operator for _, operator in least}
    times = {one: [time for (_, operator), time in least.items() if operator == one] for one in operators}
    return sorted(([one, len(all), sum(all) / 1e3] for one, all in times.items()), key=lambda part: -part[2])


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
    is_native = variant.startswith("lut-native")
    print(
        json.dumps(
            {
                "wallMs": wall,
                "processorMs": processor,
                "createMs": 1e3 * made,
                "peakBytes": None if peak is None else peak - before,
                "operators": parts(variant, path, library, threads, inputs, runs) if is_native else None,
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
