import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Kernel } from "../../protocol/kernelClient";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "lutnn-home-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Nobody can write below a file, not even root, as whom the tests may run.
const home = join(folder, "file", "home");
writeFileSync(join(folder, "file"), "");
const { XDG_CACHE_HOME: _, XDG_DATA_HOME: __, ...rest } = process.env;
const env = { ...rest, HOME: home };

describe.runIf(process.platform !== "win32")("where the home cannot be written", () => {
  it("the kernel runs cells, saves beside the notebook, and does without a history file", async () => {
    const kernel = await Kernel.start({ folder, env: { HOME: home, LUTNN_HISTORY: join(home, "history") } });
    try {
      await kernel.execute('import * as lutnn from "lutnn";');
      const written = await kernel.evaluateAll(
        "const network = lutnn.models.resnet({ depth: 8, width: 4, inputShape: [8, 8, 1], numClasses: 3 });",
        'await lutnn.exportOnnx(network, "a.onnx");',
        '(await lutnn.fileInfo("a.onnx")) !== null',
      );
      expect(written).toBe("true");
      expect(readdirSync(folder)).toContain("a.onnx");
      const asked = { hist_access_type: "tail", n: 2, raw: true, output: false };
      expect((await kernel.request("shell", "history_request", asked)).content.history).toHaveLength(2);
    } finally {
      await kernel.stop();
    }
  });

  it.each([
    ["doctor", 0, /All is well/],
    [
      "kernel install",
      1,
      /^lutnn kernel install: every folder on the way must be one.* \(got ENOTDIR for .*\)\n$/,
    ],
  ])("lutnn %s says what it can do", (command, code, said) => {
    const args = [join(root, "kernel/bin/lutnn.js"), ...command.split(" ")];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      env,
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout + stderr).toMatch(said);
    expect(status).toBe(code);
  });
});
