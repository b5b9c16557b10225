"""Runs files of random networks in Python: python runtimes.py FOLDER READER [READER …]

FOLDER holds a folder a network with functions.onnx and inlined.onnx, both with the values at lookups as outputs, plain.onnx
and plainInlined.onnx as they are saved, and an input.K.npy for each input. A reader writes READER.K.npy for each output:
`onnxruntime` of functions.onnx, `openvino` of inlined.onnx; `checker` checks the plain files in full and infers their shapes
strictly. Prints JSON: by reader the networks that it refused to load, with its reason.
"""
import json
import sys
from pathlib import Path

import numpy as np


def inputs_of(folder):
    return [np.load(folder / f"input.{k}.npy") for k in range(len(list(folder.glob("input.*.npy"))))]


def write(folder, reader, outputs):
    for k, value in enumerate(outputs):
        np.save(folder / f"{reader}.{k}.npy", np.ascontiguousarray(value))


def onnxruntime(folders):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    for folder in folders:
        session = ort.InferenceSession(str(folder / "functions.onnx"), options, providers=["CPUExecutionProvider"])
        feeds = {value.name: x for value, x in zip(session.get_inputs(), inputs_of(folder))}
        write(folder, "onnxruntime", session.run(None, feeds))
    return {}


def openvino(folders):
    import openvino as ov

    core = ov.Core()
    # In full precision: with AMX its default is bfloat16, in which numbers between the integers are others, and so are bytes.
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    refused = {}
    for folder in folders:
        try:
            compiled = core.compile_model(core.read_model(folder / "inlined.onnx"), "CPU", exact)
        except RuntimeError as error:
            refused[folder.name] = str(error).strip().splitlines()[-1]
            continue
        results = compiled(inputs_of(folder))
        write(folder, "openvino", [results[output] for output in compiled.outputs])
    return refused


def checker(folders):
    import onnx

    for folder in folders:
        for name in ["plain.onnx", "plainInlined.onnx"]:
            model = onnx.load(folder / name)
            onnx.checker.check_model(model, full_check=True)
            inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
            for output in inferred.graph.output:
                assert output.type.tensor_type.shape.dim[0].dim_param == "N", (folder, name, output)
    return {}


folders = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir())
readers = {"onnxruntime": onnxruntime, "openvino": openvino, "checker": checker}
print(json.dumps({reader: readers[reader](folders) for reader in sys.argv[2:]}))
