"""Jupyter's own conformance suite, with every part of it switched on that a kernel without a pager can have.

Run by conformance.test.ts: JUPYTER_PATH holds a kernelspec named "lutnn".
"""

import json
import unittest

import jupyter_kernel_test
from jupyter_kernel_test import msgspec_v5


class LutnnKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "lutnn"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = 'console.log("hello, world");'
    code_stderr = 'console.error("to the other stream");'
    completion_samples = [
        {"text": "consol", "matches": {"console"}},
        {"text": "(3).toPre", "matches": {"toPrecision"}},
    ]
    complete_code_samples = ["1", "const x = 1;", "await Promise.resolve(1)", "function f() {\n  return 1;\n}"]
    incomplete_code_samples = ["function f() {", "const xs = [1,", "/* not closed", "`over\nlines"]
    invalid_code_samples = ["const = 1;", "let x = );", '"not closed\n1']
    code_generate_error = 'throw new Error("on purpose");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"text"', "result": "'text'"},
        {"code": "await Promise.resolve([1, 2])", "result": "[ 1, 2 ]"},
    ]
    code_display_data = [
        {"code": 'import { display } from "tslab"; display.html("<b>bold</b>");', "mime": "text/html"},
        {"code": 'import { display } from "tslab"; display.png(new Uint8Array([1]));', "mime": "image/png"},
    ]
    code_history_pattern = "6 ? 7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseInt"
    code_clear_output = 'Reflect.get(globalThis, Symbol.for("lutnn.host")).clearOutput();'

    def test_history(self):
        # The suite searches for the same line three times over.
        for _ in range(3):
            self.execute_helper(code="6 * 7")
        super().test_history()


class LutnnWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "lutnn"
    support_iopub_welcome = True


class Report(unittest.TextTestResult):
    """Subtests that are skipped count as skipped, which unittest does not show otherwise."""


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    print(
        json.dumps(
            {
                "run": result.testsRun,
                "failures": [str(test) for test, _ in result.failures + result.errors],
                "skipped": [[str(test), reason] for test, reason in result.skipped],
                "validated": sorted(msgspec_v5.schema_fragments),
            }
        )
    )
