"""Executes a notebook through a real kernel and tells its progress as JSON lines on stdout.

    run_notebook.py NOTEBOOK OUTPUT_FOLDER KERNEL_NAME FORMULA_TRANSLATOR…

Writes NAME.ipynb (executed) and NAME.html into the folder, also when a cell fails: then with what ran so far.
Events: refused {reason} (nothing is run or written), start {cells}, cell {index, title}, progress {text}, done {index, seconds}, error {index, source, ename,
evalue, traceback}, written {paths, summary}. The exit status is 1 when a cell
failed or the kernel died, 2 when the notebook or the kernel's name was refused.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from notebook_page import notebook_page


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def titles(cells):
    """For each cell the sentence of the Markdown above it, else its first line."""
    sentence = ""
    result = []
    for cell in cells:
        if cell.cell_type == "markdown":
            text = " ".join(line for line in cell.source.splitlines() if line and not line.startswith(("#", "$$", "|")))
            heading = re.search(r"^#+ (.*)$", cell.source, re.M)
            text = re.sub(r"[*_`$]|\[|\]\([^)]*\)", "", text)
            sentence = re.split(r"(?<=[.?]) ", text.strip())[0].rstrip(":") or (heading.group(1) if heading else "")
        result.append(sentence or cell.source.split("\n")[0])
        if cell.cell_type == "code":
            sentence = ""
    return result


class TellingClient(NotebookClient):
    """A notebook client that also tells what displays are updated while a cell runs."""

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "update_display_data":
            text = msg["content"]["data"].get("text/plain", "")
            if text and "\n" not in text:
                tell("progress", text=text)
        return super().process_message(msg, cell, cell_index)


def write_whole(path, text):
    aside = path.with_name(path.name + ".partial")
    with open(aside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def summary(notebook):
    """The text of the last output that shows something."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            text = output.get("data", {}).get("text/plain") or (output.get("text") if output.get("name") == "stdout" else None)
            if text:
                return text
    return ""


def refusal_of(kernel):
    """Why there is no such kernel, or an empty text."""
    known = sorted(KernelSpecManager().find_kernel_specs())
    if kernel in known:
        return ""
    return f"the kernel must be one that Jupyter knows, {', '.join(known)} (got {kernel}); lutnn kernel install adds ours"


def main(source, folder, kernel, *translator):
    source = Path(source).resolve()
    folder = Path(folder).resolve()
    refusal = refusal_of(kernel)
    if refusal:
        tell("refused", reason=refusal)
        return 2
    try:
        notebook = nbformat.read(source, as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        tell("refused", reason=f"the file must be a valid notebook (got {source.name}: {reason})")
        return 2
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        tell("refused", reason=f"the folder for the results must be one that can be made (got {folder}: {error.strerror})")
        return 2
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    names = titles(notebook.cells)
    started = {}

    def on_start(cell, cell_index):
        if cell_index in code:
            started[cell_index] = time.perf_counter()
            tell("cell", index=code.index(cell_index), title=names[cell_index])

    def on_executed(cell, cell_index, execute_reply):
        if cell_index in code and execute_reply["content"]["status"] == "ok":
            tell("done", index=code.index(cell_index), seconds=time.perf_counter() - started[cell_index])

    tell("start", cells=len(code))
    client = TellingClient(
        notebook,
        kernel_name=kernel,
        timeout=None,
        resources={"metadata": {"path": str(source.parent)}},
        on_cell_start=on_start,
        on_cell_executed=on_executed,
    )
    status = 0
    try:
        client.execute(env={**os.environ, "LUTNN_OUT": str(folder)})
    except CellExecutionError as error:
        failed = max(started)
        outputs = [o for o in notebook.cells[failed].outputs if o.output_type == "error"]
        traceback = "\n".join(outputs[-1].traceback) if outputs else ""
        tell(
            "error",
            index=code.index(failed),
            source=notebook.cells[failed].source,
            ename=error.ename,
            evalue=error.evalue,
            traceback=traceback,
        )
        status = 1
    except DeadKernelError as error:
        tell("error", index=code.index(max(started)) if started else 0, source="", ename="kernel died", evalue=str(error), traceback="")
        status = 1
    executed = folder / source.name
    page = folder / (source.stem + ".html")
    write_whole(executed, nbformat.writes(notebook))
    write_whole(page, notebook_page(notebook, source.stem, translator))
    tell("written", paths=[str(executed), str(page)], summary=summary(notebook))
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
