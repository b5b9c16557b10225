import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { installKernelspec } from "../../kernel/lib/jupyter/kernelspec";

const root = fileURLToPath(new URL("../../", import.meta.url));
const windows = process.platform === "win32";
const python = join(root, ".venv", windows ? "Scripts/python.exe" : "bin/python");

test("Jupyter's own conformance suite passes, with nothing skipped but the pager", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-conformance-"));
  installKernelspec({ prefix: folder });
  const { stdout } = await promisify(execFile)(python, [join(root, "test/protocol/conformance.py")], {
    cwd: folder,
    env: {
      ...process.env,
      JUPYTER_PATH: join(folder, "share/jupyter"),
      LUTNN_HISTORY: join(folder, "history"),
    },
  });
  const report = JSON.parse(stdout.trim().split("\n").at(-1)!);
  expect(report.failures).toEqual([]);
  expect(report.skipped.map(([, reason]: [string, string]) => reason)).toEqual(["No code page something"]);
  expect(report.run).toBeGreaterThanOrEqual(13);
}, 240_000);
