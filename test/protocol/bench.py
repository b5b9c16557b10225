"""Times the kernels named on the command line with one client, jupyter_client, and prints JSON.

Run by bench.mjs. One measurement starts a kernel, waits for its kernel_info_reply, runs a first cell, then empty cells,
then completions; the import is timed as the first cell of another kernel. Kernels take turns, so that a busy moment of
the machine hits them alike; medians are reported. Loops (a JSON file of names and cells) are timed by the cells
themselves, at the top level and in a block in turns; the least of each is reported.
"""

import argparse
import json
import os
import statistics
import time

import psutil
from jupyter_client.manager import KernelManager

CELLS = {
    "python3": {"first": "1", "empty": "", "import": None, "complete": "pri", "declare": "pass"},
    "default": {
        "first": "1",
        "empty": "",
        "import": 'import * as lutnn from "lutnn"; Object.keys(lutnn).length',
        "complete": "conso",
        "declare": "const unit = 1;",
    },
}
TIMEOUT = 120


def start(kernel):
    begin = time.perf_counter()
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    while True:
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=0.05)
            break
        except Exception:
            assert manager.is_alive(), f"{kernel} died"
            assert time.perf_counter() - begin < TIMEOUT, f"{kernel} does not answer"
    ready = time.perf_counter() - begin
    # Without a welcome message it is the first busy status that says that iopub is connected.
    client.wait_for_ready(timeout=TIMEOUT)
    return manager, client, ready


def stop(manager, client):
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def reply(client, message_id):
    while True:
        message = client.get_shell_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") == message_id:
            return message


def cell(client, code):
    """Seconds from the request to the idle status."""
    begin = time.perf_counter()
    message_id = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "status":
            if message["content"]["execution_state"] == "idle":
                break
    elapsed = time.perf_counter() - begin
    content = reply(client, message_id)["content"]
    assert content["status"] == "ok", (code, content)
    return elapsed


def result(client, code):
    """The number that a cell's last expression gives."""
    message_id = client.execute(code)
    value = None
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT)
        if message["parent_header"].get("msg_id") != message_id:
            continue
        if message["msg_type"] == "execute_result":
            value = float(message["content"]["data"]["text/plain"])
        if message["content"].get("execution_state") == "idle":
            break
    content = reply(client, message_id)["content"]
    assert content["status"] == "ok", (code, content)
    return value


def measure_loops(kernel, loops, rounds):
    manager, client, _ = start(kernel)
    try:
        rows = []
        for loop in loops:
            times = [(result(client, loop["top"]), result(client, loop["block"])) for _ in range(rounds)]
            top, block = (min(each) for each in zip(*times))
            rows.append({"name": loop["name"], "topMs": top, "blockMs": block})
        return rows
    finally:
        stop(manager, client)


def complete(client, code):
    begin = time.perf_counter()
    content = reply(client, client.complete(code, len(code)))["content"]
    assert content["matches"], code
    return time.perf_counter() - begin


def measure(kernel, cells):
    codes = CELLS.get(kernel, CELLS["default"])
    manager, client, ready = start(kernel)
    try:
        first = cell(client, codes["first"])
        cell(client, codes["declare"])
        for _ in range(5):
            cell(client, codes["empty"])
        empty = [cell(client, codes["empty"]) for _ in range(cells)]
        complete(client, codes["complete"])
        completions = [complete(client, codes["complete"]) for _ in range(cells)]
        process = psutil.Process(manager.provisioner.process.pid)
        resident = sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])
    finally:
        stop(manager, client)
    imported = None
    if codes["import"]:
        manager, client, _ = start(kernel)
        try:
            imported = cell(client, codes["import"])
        finally:
            stop(manager, client)
    return {
        "readySeconds": ready,
        "firstCellSeconds": first,
        "emptyCellMs": 1000 * statistics.median(empty),
        "firstImportSeconds": imported,
        "completionMs": 1000 * statistics.median(completions),
        "residentBytes": resident,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kernels", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--loops", help="JSON file of loops, which the first kernel runs")
    parser.add_argument("--loop-rounds", type=int, default=9)
    options = parser.parse_args()
    rounds = {kernel: [] for kernel in options.kernels}
    for _ in range(options.rounds):
        for kernel in options.kernels:
            rounds[kernel].append(measure(kernel, options.cells))
    rows = []
    for kernel, results in rounds.items():
        row = {"kernel": kernel}
        for name in results[0]:
            values = [result[name] for result in results]
            row[name] = None if values[0] is None else statistics.median(values)
        rows.append(row)
    loops = []
    if options.loops:
        with open(options.loops, encoding="utf8") as file:
            loops = measure_loops(options.kernels[0], json.load(file), options.loop_rounds)
    result = {"rounds": options.rounds, "cells": options.cells, "cpus": os.cpu_count(), "rows": rows, "loops": loops}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
