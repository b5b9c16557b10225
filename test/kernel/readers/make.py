"""Small files of every format that readers of data sets take, for mutating: python make.py FOLDER."""

import csv
import io
import sys
import tarfile
import wave
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

root = Path(sys.argv[1])
random = np.random.default_rng(3)

files = {"set/a.txt": b"first", "set/deep/b.bin": bytes(range(256)) * 3, "set/empty": b""}
with tarfile.open(root / "a.tar", "w") as archive:
    for path, content in files.items():
        info = tarfile.TarInfo(path)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
with zipfile.ZipFile(root / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for path, content in files.items():
        archive.writestr(path, content)

images = random.integers(0, 256, (32, 32, 3, 2), np.uint8)
content = {"note": "a text", "X": images, "y": np.array([[10.0], [3.0]])}
scipy.io.savemat(root / "packed.mat", content, do_compression=True)
scipy.io.savemat(root / "plain.mat", content)

picture = Image.fromarray(random.integers(0, 256, (18, 24, 3), np.uint8))
picture.save(root / "a.ppm")
picture.save(root / "a.jpg", quality=80)
picture.save(root / "progressive.jpg", quality=80, progressive=True)
picture.save(root / "a.png")

with wave.open(str(root / "a.wav"), "wb") as file:
    file.setparams((1, 2, 16000, 0, "NONE", ""))
    file.writeframes(random.integers(-9000, 9000, 300, np.int16).tobytes())

with open(root / "signs.csv", "w", newline="") as file:
    rows = [[f"{n:05}.ppm", 30, 30, 5, 5, 25, 25, n] for n in range(9)]
    csv.writer(file, delimiter=";").writerows(["Filename Width Height Roi.X1 Roi.Y1 Roi.X2 Roi.Y2 ClassId".split(), *rows])
(root / "list.txt").write_text("".join(f"bed/{n:08x}_nohash_0.wav\n" for n in range(9)))
(root / "synsets.txt").write_text("".join(f"n0144076{n} tench {n}, Tinca tinca\n" for n in range(9)))
labels = random.integers(0, 10, 2, np.uint8)
(root / "batch.bin").write_bytes(b"".join(bytes([label]) + random.bytes(3072) for label in labels))
