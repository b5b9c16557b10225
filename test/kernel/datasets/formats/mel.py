"""Writes melLibrosa.json: what librosa makes of a sound that mel.test.ts makes again from whole numbers.

    python3 -m venv V && V/bin/pip install librosa==0.11.0 && V/bin/python mel.py
"""

import json
from pathlib import Path

import librosa
import numpy as np

n = np.arange(16000, dtype=np.int64)
samples = ((7 * n * n + 13 * n) % 20011 - 10005) / 32768
spectrum = librosa.feature.melspectrogram(
    y=samples,
    sr=16000,
    n_fft=1024,
    hop_length=512,
    window="hann",
    center=True,
    pad_mode="reflect",
    power=2.0,
    n_mels=32,
    fmin=0.0,
    fmax=8000.0,
    htk=True,
    norm=None,
)
made = {"librosa": librosa.__version__, "shape": spectrum.shape, "values": [float(f"{v:.9g}") for v in spectrum.ravel()]}
Path(__file__).with_name("melLibrosa.json").write_text(json.dumps(made) + "\n")
