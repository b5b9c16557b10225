"""Starts the kernel "TypeScript (LUT-NN)": finds Node.js and the npm package `lutnn`, and becomes that process.

    python -m lutnn_kernel <connection file>
    python -m lutnn_kernel trust <folder>     lets notebooks in a project start the package of its node_modules

Opening a notebook starts its kernel before anybody has run a cell, so a package that lies beside a notebook, as a stranger's
project may bring it, is started only where its user has said so. (`import` in a cell takes it: whoever runs a cell wants that.)

A kernelspec that comes in a wheel cannot name them: they differ from machine to machine and from project to project.
What is missing is said in one sentence, in the notebook, where somebody reads it.
"""

import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path


class MissingError(Exception):
    """One sentence: what is missing, and the remedy."""


def package_folder(folder=None):
    """The folder of the npm package: LUTNN_PACKAGE, else the nearest trusted node_modules above `folder`, else that on PATH."""
    chosen = os.environ.get("LUTNN_PACKAGE")
    if chosen:
        if is_package(Path(chosen)):
            return Path(chosen)
        raise MissingError(
            f"LUTNN_PACKAGE must name the folder of the npm package lutnn (got {chosen}); in a checkout that is kernel"
        )
    folder = Path(folder or os.getcwd()).resolve()
    own = project_package(folder)
    if own and str(own) in trusted_packages():
        return own
    program = shutil.which("lutnn")
    if program:
        # A link into the package, or on Windows a script beside the node_modules that holds it.
        for candidate in [Path(program).resolve().parent.parent, Path(program).parent / "node_modules" / "lutnn"]:
            if is_package(candidate):
                return candidate
    if own:
        raise MissingError(
            f"The npm package lutnn is in {own.parent}, and opening a notebook does not start what lies beside it; if you trust "
            f"that project, run: python -m lutnn_kernel trust {shlex.quote(str(own.parent.parent))}, and restart the kernel"
        )
    raise MissingError(
        f"The kernel needs the npm package lutnn, which is neither in a node_modules of {folder} or above it nor on PATH; "
        "install it with npm, or let LUTNN_PACKAGE name its folder"
    )


def project_package(folder):
    """The package of the nearest node_modules of a folder or above it; None where there is none."""
    for above in [folder, *folder.parents]:
        if is_package(above / "node_modules" / "lutnn"):
            return above / "node_modules" / "lutnn"
    return None


def trust_file():
    from jupyter_core.paths import jupyter_config_dir

    return Path(jupyter_config_dir()) / "lutnn_trusted_packages.json"


def trusted_packages():
    """Folders of packages that notebooks beside them may start. A file that cannot be read trusts nothing."""
    try:
        packages = json.loads(trust_file().read_text("utf8"))
        return [path for path in packages if isinstance(path, str)] if isinstance(packages, list) else []
    except (OSError, ValueError):
        return []


def trust(folder):
    """Lets notebooks below `folder` start the package that they find; returns its folder."""
    package = project_package(Path(folder).resolve())
    if not package:
        raise MissingError(
            f"trust: the folder must have the npm package lutnn in its node_modules or above it (got {folder}); run npm install there"
        )
    path = trust_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    aside.write_text(json.dumps(sorted({*trusted_packages(), str(package)}), indent=2) + "\n", "utf8")
    aside.replace(path)
    return package


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


def check_version(package):
    """The package's first two numbers must be those of this wheel: panel and kernel, which talk to each other, are of one make."""
    found = str(json.loads((package / "package.json").read_text("utf8")).get("version"))
    try:
        wanted = importlib.metadata.version("lutnn")
    except importlib.metadata.PackageNotFoundError:  # this file was not installed, as in a checkout
        return
    release = ".".join(wanted.split(".")[:2])
    if found.split(".")[:2] != release.split("."):
        raise MissingError(
            f"The npm package lutnn must be of version {release}, as the JupyterLab extension beside it is (got {found} in "
            f"{package}); install lutnn@{release} with npm, or the Python package lutnn of version "
            f"{'.'.join(found.split('.')[:2])} with pip"
        )


def kernel_command(connection_file):
    """Program and arguments of the kernel."""
    package = package_folder()
    check_version(package)
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
    if len(sys.argv) == 3 and sys.argv[1] == "trust":
        try:
            print(f"notebooks beside it may start {trust(sys.argv[2])}")
        except MissingError as missing:
            sys.exit(f"lutnn_kernel: {missing}.")
        return
    if len(sys.argv) != 2:
        sys.exit("lutnn_kernel: one argument is needed, the connection file that Jupyter writes (or: trust FOLDER)")
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
