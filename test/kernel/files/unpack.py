"""Writes archives, good and hostile, by Python's own tarfile and zipfile: python unpack.py FOLDER."""

import io
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
big = bytes(range(256)) * 4096  # a MiB


def tar(name, entries, mode="w:gz"):
    with tarfile.open(folder / name, mode) as archive:
        for path, content, changes in entries:
            info = tarfile.TarInfo(path)
            info.size = 0 if content is None else len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, None if content is None else io.BytesIO(content))


def zipped(name, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(folder / name, "w", method) as archive:
        for path, content, mode in entries:
            info = zipfile.ZipInfo(path)
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, content)


tree = [
    ("./set/", None, {"type": tarfile.DIRTYPE}),
    ("./set/a.txt", b"first", {}),
    ("./set/deep/er/empty", b"", {}),
    ("set/" + "long name " * 15 + ".bin", big, {}),
    ("set/ü.txt", "grün".encode(), {}),
]
tar("good.tar.gz", tree)
tar("good.tar", tree, "w")
tar("gnu.tgz", tree)
link = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
hard = {"type": tarfile.LNKTYPE, "linkname": "a.txt"}
for name, entry in {
    "up": ("../out.txt", b"x", {}),
    "inner-up": ("set/../../out.txt", b"x", {}),
    "absolute": ("/tmp/lutnn-out.txt", b"x", {}),
    "backslash": ("set\\..\\out.txt", b"x", {}),
    "drive": ("C:/out.txt", b"x", {}),
    "control": ("a\x01b", b"x", {}),
    "symlink": ("set/link", None, link),
    "hardlink": ("set/hard", None, hard),
    "fifo": ("set/fifo", None, {"type": tarfile.FIFOTYPE}),
    "device": ("set/null", None, {"type": tarfile.CHRTYPE}),
    "twice": ("set/a.txt", b"again", {}),
    "deep": ("d/" * 40 + "x", b"x", {}),
}.items():
    tar(f"{name}.tar.gz", [("set/a.txt", b"first", {}), entry])
tar("bomb.tar.gz", [("zeros", bytes(64 << 20), {})])
tar("many.tar.gz", [(f"f{i}", b"", {}) for i in range(2000)])

plain = stat.S_IFREG | 0o644
zipped(
    "good.zip",
    [
        ("set/", "", stat.S_IFDIR | 0o755),
        ("set/a.txt", b"first", plain),
        ("set/deep/er/empty", b"", 0),
        ("set/big.bin", big, plain),
    ],
)
tar("half.tar", [("half.bin", big[: len(big) // 2 + 1], {})], "w")
zipped("big.zip", [("big.bin", big, plain)])
zipped("stored.zip", [("set/a.txt", b"first", plain)], zipfile.ZIP_STORED)
for name, entry in {
    "up": ("../out.txt", b"x", plain),
    "absolute": ("/tmp/lutnn-out.txt", b"x", plain),
    "backslash": ("set\\..\\..\\out.txt", b"x", plain),
    "drive": ("C:/out.txt", b"x", plain),
    "symlink": ("set/link", b"/etc/passwd", stat.S_IFLNK | 0o777),
    "fifo": ("set/fifo", b"", stat.S_IFIFO | 0o644),
}.items():
    zipped(f"{name}.zip", [("set/a.txt", b"first", plain), entry])
zipped("bomb.zip", [("zeros", bytes(64 << 20), plain)])
# A size that is a lie: the directory at the end says less than what the entry unpacks to.
lie = bytearray((folder / "bomb.zip").read_bytes())
at = lie.rindex(b"PK\x01\x02")
lie[at + 24 : at + 28] = (1000).to_bytes(4, "little")
(folder / "lie.zip").write_bytes(lie)
wrong = bytearray((folder / "stored.zip").read_bytes())
wrong[wrong.index(b"first")] ^= 1
(folder / "checksum.zip").write_bytes(wrong)
