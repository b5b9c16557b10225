"""
Writes small data sets in their true formats, and what a reader must make of them: python make.py FOLDER.

Independent of the library: MAT by scipy, JPEG, PNG, PPM and resizing by Pillow, WAV by wave, tables by csv, the rest by
numpy. What is expected stands in expected.json, float32 arrays beside it.
"""

import csv
import json
import sys
import wave
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

root = Path(sys.argv[1])
random = np.random.default_rng(7)
expected = {}


def put(name, values, labels):
    np.asarray(values, np.float32).tofile(root / f"{name}.f32")
    expected[name] = {"shape": list(np.shape(values)), "targets": [float(label) for label in labels]}


def normal(pixels, mean, deviation):
    return ((np.asarray(pixels, np.float64) / 255 - mean) / deviation).astype(np.float32)


def folder(*parts):
    path = root.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def picture(height, width, channels=3):
    """Smooth, so that decoders of JPEG agree, with noise enough to tell places apart."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 90 * np.sin(x / (9 + 5 * c) + c + random.random()) * np.cos(y / (11 + 3 * c)) for c in range(channels)]
    return np.stack(waves, -1).astype(np.uint8)


def resized(image, size):
    """Along rows, then along columns, as Pillow did until version 12; since then it takes the cheaper order."""
    width, height = size
    between = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return between.resize((width, height), Image.Resampling.BILINEAR)


# CIFAR-10: a label and three planes.
mean, deviation = [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]
inside = folder("cifar-10", "cifar-10-batches-bin")
counts = {f"data_batch_{n}.bin": n for n in range(1, 6)} | {"test_batch.bin": 7}
train = ([], [])
for name, count in counts.items():
    pixels = random.integers(0, 256, (count, 3, 32, 32), np.uint8)
    labels = random.integers(0, 10, count, np.uint8)
    (inside / name).write_bytes(b"".join(bytes([label]) + image.tobytes() for label, image in zip(labels, pixels)))
    values = normal(pixels.transpose(0, 2, 3, 1), mean, deviation)
    if name == "test_batch.bin":
        put("cifar-10-test", values, labels)
    else:
        train[0].append(values)
        train[1].extend(labels)
put("cifar-10-train", np.concatenate(train[0]), train[1])

# SVHN: MAT of version 5, packed and not, with more in it than is read.
for part, count, packed, kind in [("train", 11, True, np.float64), ("test", 5, False, np.uint8)]:
    pixels = random.integers(0, 256, (32, 32, 3, count), np.uint8)
    digits = np.concatenate([[0], random.integers(0, 10, count - 1)])
    more = {"note": "a text", "cells": np.array([1, "x"], object), "wave": np.array([1j, 2]), "A": np.eye(3)}
    content = more | {"X": pixels, "y": np.where(digits == 0, 10, digits).astype(kind)[:, None]}
    scipy.io.savemat(folder("svhn") / f"{part}_32x32.mat", content, do_compression=packed)
    put(f"svhn-{part}", normal(pixels.transpose(3, 0, 1, 2), mean, deviation), digits)

# GTSRB: PPM of many sizes, tables with semicolons.
mean, deviation = [0.3337, 0.3064, 0.3171], [0.2672, 0.2564, 0.2629]
titles = ["Filename", "Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId"]


def signs(path, table, count, label):
    rows, values, labels = [], [], []
    for n in range(count):
        height, width = random.integers(15, 90, 2)
        pixels = random.integers(0, 256, (height, width, 3), np.uint8)
        own = label if label is not None else int(random.integers(0, 43))
        Image.fromarray(pixels).save(path / f"{n:05}.ppm")
        rows.append([f"{n:05}.ppm", width, height, 5, 5, width - 5, height - 5, own])
        values.append(normal(resized(Image.fromarray(pixels), (32, 32)), mean, deviation))
        labels.append(own)
    with open(table, "w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([titles, *rows])
    return values, labels


values, labels = [], []
for label in [0, 14, 42]:
    path = folder("gtsrb", "GTSRB", "Training", f"{label:05}")
    made = signs(path, path / f"GT-{label:05}.csv", 4, label)
    values += made[0]
    labels += made[1]
put("gtsrb-train", values, labels)
put("gtsrb-test", *signs(folder("gtsrb", "GTSRB", "Final_Test", "Images"), root / "gtsrb/GT-final_test.csv", 6, None))

# Speech Commands: WAV, and mel spectrograms by numpy's own transform.
words = """backward bed bird cat dog down eight five follow forward four go happy house learn left marvin nine no off on
one right seven sheila six stop three tree two up visual wow yes zero""".split()


def mel_power(samples):
    padded = np.pad(np.concatenate([samples, np.zeros(16000 - len(samples))]), 512, mode="reflect")
    frames = np.stack([padded[start : start + 1024] for start in range(0, len(padded) - 1023, 512)])
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1024) / 1024))
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 34) / 2595) - 1)
    frequencies = np.linspace(0, 8000, 513)
    up = (frequencies[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    down = (edges[2:, None] - frequencies[None]) / np.diff(edges)[1:, None]
    return (np.maximum(0, np.minimum(up, down)) @ power.T)[..., None]


parts = {"train": [], "validation": [], "test": []}
for n, word in enumerate(words):
    for speaker in range(3):
        if word not in ("bed", "zero") and speaker > 0:
            continue
        length = int(random.choice([16000, 15999, 12345, 8000]))
        time = np.arange(length) / 16000
        tone = 0.5 * np.sin(2 * np.pi * (200 + 170 * n) * time) + 0.05 * random.standard_normal(length)
        samples = (tone * 20000).astype("<i2")
        name = f"{word}/{speaker:08x}_nohash_0.wav"
        folder("speech-commands", word)
        with wave.open(str(root / "speech-commands" / name), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        part = ["train", "validation", "test"][speaker] if word in ("bed", "zero") else "train"
        parts[part].append((name, mel_power(samples / 32768), n))
for part, name in [("validation", "validation_list.txt"), ("test", "testing_list.txt")]:
    (root / "speech-commands" / name).write_text("".join(f"{file}\n" for file, *_ in parts[part]))
folder("speech-commands", "_background_noise_")
for part, rows in parts.items():
    put(f"speech-commands-{part}", [row[1] for row in rows], [row[2] for row in rows])

# UTKFace: JPEG, in colour, grey, progressive, and for printing.
mean, deviation = [0.5961, 0.4561, 0.3903], [0.2592, 0.2312, 0.2268]
faces = []
for n in range(20):
    height, width = (200, 200) if n < 12 else random.integers(120, 300, 2)
    image = Image.fromarray(picture(height, width)).convert("L" if n == 3 else "CMYK" if n == 5 else "RGB")
    name = f"{random.integers(0, 117)}_{n % 2}_{n % 5}_2017011619{n:04}.jpg.chip.jpg"
    path = folder("utkface") / name
    image.save(path, "JPEG", quality=95, progressive=n == 4)
    with Image.open(path) as read:
        pixels = resized(read.convert("RGB"), (200, 200))
    faces.append((name, normal(pixels, mean, deviation), int(name.split("_")[0])))
faces.sort(key=lambda face: face[0])
put("utkface", [face[1] for face in faces], [face[2] for face in faces])

# ImageNet: folders, a list whose order is not that of the names, JPEG and a PNG of that name.
mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
synsets = {"n02084071": "dog, domestic dog", "n01440764": "tench, Tinca tinca", "n03000001": "thing"}
folder("imagenet")
(root / "imagenet/synset_words.txt").write_text("".join(f"{key} {text}\n" for key, text in synsets.items()))
for part, each in [("train", 3), ("val", 2)]:
    values, labels = [], []
    for label, synset in enumerate(synsets):
        for n in range(each):
            height, width = [(300, 411), (500, 333), (256, 256)][(n + label) % 3]
            path = folder("imagenet", part, synset) / f"{synset}_{n}.JPEG"
            image = Image.fromarray(picture(height, width))
            image.save(path, "PNG" if n == 1 and label == 1 else "JPEG", quality=95)
            with Image.open(path) as read:
                short = min(read.size)
                size = tuple(int(256 * side / short) for side in read.size)
                scaled = resized(read.convert("RGB"), size)
            left, top = (round((side - 224) / 2) for side in scaled.size)
            values.append(normal(scaled.crop((left, top, left + 224, top + 224)), mean, deviation))
            labels.append(label)
    put(f"imagenet-{part}", values, labels)

# Transforms alone.
pixels = random.integers(0, 256, (21, 34, 3), np.uint8)
image = Image.fromarray(pixels)
put("picture", pixels, [])
for height, width in [(7, 11), (42, 68), (21, 5), (64, 34), (1, 1), (20, 33)]:
    put(f"resize-{height}-{width}", resized(image, (width, height)), [])
padded = np.pad(pixels, ((4, 4), (4, 4), (0, 0)), mode="reflect")
for top, left in [(0, 0), (3, 8), (8, 1)]:
    put(f"crop-{top}-{left}", padded[top : top + 21, left : left + 20], [])
put("mirror", pixels[:, ::-1], [])
for degrees in [-15, -7.5, 3, 15]:
    put(f"rotate-{degrees}", image.rotate(degrees, Image.Resampling.NEAREST), [])

(root / "expected.json").write_text(json.dumps(expected))
