"""Starts the kernel "TypeScript (LUT-NN)": finds Node.js and the npm package `lutnn`, and becomes that process.

    python -m lutnn_kernel <connection file>

A kernelspec that comes in a wheel cannot name them: they differ from machine to machine and from project to project.
What is missing is said in one sentence, in the notebook, where somebody reads it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


class MissingError(Exception):
    """One sentence: what is missing, and the remedy."""


def package_folder(folder=None):
    """The folder of the npm package: LUTNN_PACKAGE, else the nearest node_modules above `folder`, else that on PATH."""
    chosen = os.environ.get("LUTNN_PACKAGE")
    if chosen:
        if is_package(Path(chosen)):
            return Path(chosen)
        raise MissingError(
            f"LUTNN_PACKAGE must name the folder of the npm package lutnn (got {chosen}); in a checkout that is kernel"
        )
    folder = Path(folder or os.getcwd()).resolve()
    for above in [folder, *folder.parents]:
        if is_package(above / "node_modules" / "lutnn"):
            return above / "node_modules" / "lutnn"
    program = shutil.which("lutnn")
    if program:
        # A link into the package, or on Windows a script beside the node_modules that holds it.
        for candidate in [Path(program).resolve().parent.parent, Path(program).parent / "node_modules" / "lutnn"]:
            if is_package(candidate):
                return candidate
    raise MissingError(
        f"The kernel needs the npm package lutnn, which is neither in a node_modules of {folder} or above it nor on PATH; "
        "install it with npm, or let LUTNN_PACKAGE name its folder"
    )


def is_package(folder):
    try:
        return json.loads((folder / "package.json").read_text("utf8"))["name"] == "lutnn"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def node_program(package):
    """Node.js from PATH, of a version that the package runs in."""
    node = shutil.which("node")
    supported = json.loads((package / "package.json").read_text("utf8"))["engines"]["node"]
    if not node:
        raise MissingError(
            f"The kernel needs Node.js ({supported}), and there is no node on PATH; install it, or add its folder to the "
            "PATH that Jupyter is started with"
        )
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    oldest, too_new = (tuple(map(int, bound.split("."))) for bound in re.findall(r"[\d.]+", supported))
    found = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if not oldest <= found < too_new:
        raise MissingError(
            f"The kernel needs Node.js {supported} (got {version or 'one that does not start'} at {node}); put another one "
            "first on the PATH that Jupyter is started with"
        )
    return node


def kernel_command(connection_file):
    """Program and arguments of the kernel."""
    package = package_folder()
    if not (package / "lib" / "jupyter" / "main.js").is_file():
        raise MissingError(f"The npm package lutnn is not built (in {package}); run npm run setup in its checkout")
    return [node_program(package), str(package / "bin" / "lutnn.js"), "kernel", connection_file]


def serve(sentence, connection_file):
    """A kernel that answers each cell with the sentence as an error."""
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.kernelbase import Kernel

    class SayingKernel(Kernel):
        implementation = "lutnn"
        implementation_version = "0"
        banner = sentence
        language_info = {"name": "typescript", "mimetype": "text/typescript", "file_extension": ".ts"}

        async def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
            error = {"ename": "KernelIsMissing", "evalue": sentence, "traceback": [sentence]}
            self.send_response(self.iopub_socket, "error", error)
            return {"status": "error", "execution_count": self.execution_count, **error}

    IPKernelApp.launch_instance(["-f", connection_file], kernel_class=SayingKernel)


def main():
    if len(sys.argv) != 2:
        sys.exit("lutnn_kernel: one argument is needed, the connection file that Jupyter writes")
    try:
        command = kernel_command(sys.argv[1])
    except MissingError as missing:
        print(f"lutnn_kernel: {missing}.", file=sys.stderr)
        serve(f"{missing}.", sys.argv[1])
        return
    if os.name == "nt":  # where exec would leave Jupyter with a process that has ended
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
