"""BERT's forward pass by numpy alone: python bert.py FOLDER TOKENS.json PREFIX -> hidden states and pooled, as JSON.

FOLDER holds model.safetensors and config.json; the input has "tokens", "segments" and "mask" (N, length).
"""
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np

folder, inputs, prefix = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
raw = (folder / "model.safetensors").read_bytes()
size = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8 : 8 + size])
config = json.loads((folder / "config.json").read_text())


def tensor(name):
    entry = header[prefix + name]
    begin, end = entry["data_offsets"]
    assert entry["dtype"] == "F32"
    data = np.frombuffer(raw[8 + size + begin : 8 + size + end], np.float32)
    return data.reshape(entry["shape"]).astype(np.float64)


def linear(x, name):
    return x @ tensor(name + ".weight").T + tensor(name + ".bias")


def norm(x, name):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
    return scaled * tensor(name + ".weight") + tensor(name + ".bias")


erf = np.vectorize(math.erf)
tokens, segments, mask = (np.array(inputs[name]) for name in ("tokens", "segments", "mask"))
count, length = tokens.shape
heads, width = config["num_attention_heads"], config["hidden_size"]
x = tensor("embeddings.word_embeddings.weight")[tokens]
x = x + tensor("embeddings.position_embeddings.weight")[:length]
x = x + tensor("embeddings.token_type_embeddings.weight")[segments]
x = norm(x, "embeddings.LayerNorm")
for i in range(config["num_hidden_layers"]):
    own = f"encoder.layer.{i}."
    split = [
        linear(x, own + f"attention.self.{part}").reshape(count, length, heads, -1).transpose(0, 2, 1, 3)
        for part in ("query", "key", "value")
    ]
    scores = split[0] @ split[1].transpose(0, 1, 3, 2) / math.sqrt(width // heads)
    scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    read = (shares / shares.sum(-1, keepdims=True)) @ split[2]
    read = read.transpose(0, 2, 1, 3).reshape(count, length, width)
    y = norm(linear(read, own + "attention.output.dense") + x, own + "attention.output.LayerNorm")
    inner = linear(y, own + "intermediate.dense")
    inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
    x = norm(linear(inner, own + "output.dense") + y, own + "output.LayerNorm")
result = {"hidden": x, "mean": (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)}
if prefix + "pooler.dense.weight" in header:
    result["pooled"] = np.tanh(linear(x[:, 0], "pooler.dense"))
print(json.dumps({name: value.tolist() for name, value in result.items()}))
