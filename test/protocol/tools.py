"""What the tools around a kernel do with it, each as a function that returns JSON. Run by tools.test.ts:

    python tools.py <function>

in an empty folder, with JUPYTER_PATH naming a kernelspec "lutnn".
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import nbformat

KERNEL = {"kernelspec": {"name": "lutnn", "display_name": "TypeScript (LUT-NN)", "language": "typescript"}}


def write(path, *sources, tags=()):
    notebook = nbformat.v4.new_notebook(metadata=KERNEL)
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for cell, tag in zip(notebook.cells, tags):
        cell.metadata.tags = [tag]
    nbformat.write(notebook, path)


def outputs(path):
    cells = nbformat.read(path, 4).cells
    return [
        [output.get("text") or output.get("data", {}).get("text/plain") or output.get("ename") for output in cell.outputs]
        for cell in cells
    ]


def nbclient():
    from nbclient import NotebookClient

    write("a.ipynb", "const x: number = 20;", 'console.log("one"); x * 2.1', "x.nope")
    notebook = nbformat.read("a.ipynb", 4)
    client = NotebookClient(notebook, allow_errors=True, timeout=120)
    client.execute()
    nbformat.write(notebook, "a.ipynb")
    return {"outputs": outputs("a.ipynb"), "language": notebook.metadata.language_info}


def nbconvert():
    from nbconvert.exporters import HTMLExporter, ScriptExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    write("b.ipynb", "const words: string[] = ['<a>', 'b'];", "words.length")
    notebook, _ = ExecutePreprocessor(timeout=120).preprocess(nbformat.read("b.ipynb", 4))
    html, _ = HTMLExporter().from_notebook_node(notebook)
    script, resources = ScriptExporter().from_notebook_node(notebook)
    return {
        "keyword": bool(re.search(r'<span class="kd?r?">const</span>', html)),
        "type": bool(re.search(r'<span class="k[a-z]*">string</span>', html)),
        "string": "&lt;a&gt;" in html,
        "script": script,
        "extension": resources["output_extension"],
    }


def papermill():
    import papermill as pm

    write(
        "c.ipynb",
        'let rate = 0.1; // how fast\nlet name: string = "a";\nlet sizes = [1];',
        "console.log(JSON.stringify([rate, name, sizes, more, nothing]), rate > 0.2)",
        tags=["parameters"],
    )
    inspected = pm.inspect_notebook("c.ipynb")
    parameters = {
        "rate": 0.5,
        "name": 'quote " backslash \\ é 😀 newline\n',
        "sizes": [1, 2.5, float("inf")],
        "more": {"a-b": {"c": True}, "d": [None, False]},
        "nothing": None,
    }
    pm.execute_notebook("c.ipynb", "d.ipynb", parameters=parameters, progress_bar=False)
    return {"inspected": inspected, "printed": outputs("d.ipynb")[-1]}


def console():
    import pexpect

    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "jupyter", "console", "--kernel", "lutnn", "--simple-prompt"],
        encoding="utf-8",
        timeout=90,
        env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
    )
    seen = []

    def line(text, expected):
        terminal.sendline(text)
        terminal.expect(expected)
        seen.append(expected)

    terminal.expect(r"In \[1\]: ")
    line("6 * 7", r"Out\[1\]: 42")
    line("nowhere", r"Cannot find name 'nowhere'")
    terminal.expect(r"In \[3\]: ")
    terminal.sendline("for (;;) {}")
    time.sleep(1)
    terminal.sendintr()
    terminal.expect("AbortError")
    seen.append("interrupted")
    terminal.expect(r"In \[4\]: ")
    line('"after " + "it"', r"'after it'")
    terminal.sendeof()
    terminal.expect(["really want to exit", pexpect.EOF])
    terminal.sendline("y")
    terminal.expect(pexpect.EOF)
    return seen


def restart():
    """A crash is seen and a restart works, by hand and by Jupyter's own restarter."""
    from jupyter_client.ioloop import IOLoopKernelManager
    from tornado.ioloop import IOLoop

    manager = IOLoopKernelManager(kernel_name="lutnn")
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def value(code):
        found = []
        client.execute_interactive(
            code,
            timeout=60,
            output_hook=lambda message: found.append(message["content"].get("data", {}).get("text/plain")),
        )
        return [text for text in found if text]

    before = value("const x = 1; process.pid")
    client.execute("process.abort()")
    restarted = []
    manager.add_restart_callback(lambda: restarted.append(True), "restart")
    deadline = time.time() + 60
    while not restarted and time.time() < deadline:
        IOLoop.current().run_sync(lambda: __import__("asyncio").sleep(0.2))
    client.wait_for_ready(timeout=60)
    after = value("process.pid")
    forgotten = value("1 + 1")
    manager.restart_kernel()
    client.wait_for_ready(timeout=60)
    by_hand = value("process.pid")
    client.stop_channels()
    manager.shutdown_kernel()
    return {"restarted": restarted, "different": len({*before, *after, *by_hand}), "works": forgotten}


def server():
    """What JupyterLab's stop and restart buttons do: requests to the server, which owns the kernel."""
    import websocket

    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter",
            "server",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            "--IdentityProvider.token=secret",
            "--no-browser",
            "--allow-root",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        port = None
        for text in process.stderr:
            match = re.search(r"http://127\.0\.0\.1:(\d+)/", text)
            if match:
                port = match[1]
                break
        # What the server goes on to say must not fill the pipe.
        import threading

        threading.Thread(target=process.stderr.read, daemon=True).start()

        def post(path, body=None):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/{path}",
                data=json.dumps(body or {}).encode(),
                headers={"Authorization": "token secret", "Content-Type": "application/json"},
                method="POST",
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()

        # It says where it is before it listens.
        deadline = time.time() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=10).close()
                break
            except OSError:
                assert time.time() < deadline, "the server does not listen"
                time.sleep(0.2)

        kernel = json.loads(post("kernels", {"name": "lutnn"})[1])["id"]
        socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?token=secret", timeout=60
        )

        def execute(code, number):
            header = {"msg_id": f"m{number}", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
            content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
            socket.send(
                json.dumps(
                    {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
                )
            )

        def until(number, wanted):
            while True:
                message = json.loads(socket.recv())
                if message["parent_header"].get("msg_id") == f"m{number}" and message["msg_type"] == wanted:
                    return message["content"]

        stopped = []
        for number, code in enumerate(
            ['console.log("on"); for (;;) {}', 'await null; console.log("on"); for (;;) {}', 'console.log("on"); await new Promise(() => {})']
        ):
            execute(code, 2 * number)
            until(2 * number, "stream")
            status, _ = post(f"kernels/{kernel}/interrupt")
            stopped.append([status, until(2 * number, "execute_reply")["ename"]])
            execute("6 * 7", 2 * number + 1)
            stopped[-1].append(until(2 * number + 1, "execute_result")["data"]["text/plain"])
        restarted = post(f"kernels/{kernel}/restart")[0]
        execute("6 * 7", 100)
        until(100, "execute_result")
        return {"stopped": stopped, "restarted": restarted}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
