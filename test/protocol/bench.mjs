// npm run bench:kernel [-- --json] [-- --rounds N]: this kernel, ipykernel and plain tslab side by side, measured by
// the same client in turns; then kinds of loops over top-level variables beside the same in a block. Works in a folder of its own below the checkout, where plain tslab finds `lutnn`, too.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cellsOf, loops } from "./loops.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const require = createRequire(import.meta.url);
const { installKernelspec } = require(join(root, "kernel/lib/jupyter/kernelspec.js"));
const [json, rounds] = [process.argv.includes("--json"), process.argv.indexOf("--rounds")];

mkdirSync(join(root, "out"), { recursive: true });
const folder = mkdtempSync(join(root, "out", "bench-kernel-"));
try {
  installKernelspec({ prefix: folder });
  const tslab = join(folder, "share/jupyter/kernels/tslab");
  mkdirSync(tslab, { recursive: true });
  const argv = [
    process.execPath,
    require.resolve("tslab/bin/tslab"),
    "kernel",
    "--config-path={connection_file}",
  ];
  writeFileSync(
    join(tslab, "kernel.json"),
    JSON.stringify({ argv, display_name: "tslab", language: "typescript" }),
  );
  const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const loopsFile = join(folder, "loops.json");
  writeFileSync(loopsFile, JSON.stringify(loops.map((loop) => ({ name: loop.name, ...cellsOf(loop) }))));
  const args = [join(root, "test/protocol/bench.py"), "lutnn", "python3", "tslab", "--loops", loopsFile];
  if (rounds >= 0) args.push("--rounds", process.argv[rounds + 1]);
  const { status, stdout } = spawnSync(python, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, JUPYTER_PATH: join(folder, "share/jupyter"), LUTNN_HISTORY: "" },
    stdio: ["ignore", "pipe", json ? "ignore" : "inherit"],
  });
  if (status !== 0) throw new Error(`the benchmark's client ended with ${status}`);
  const result = JSON.parse(stdout.trim().split("\n").at(-1));
  const names = { lutnn: "lutnn", python3: "ipykernel", tslab: "plain tslab" };
  const rows = result.rows.map((row) => ({ ...row, kernel: names[row.kernel] }));
  if (json) console.log(JSON.stringify({ ...result, rows }));
  else print(rows, result);
} finally {
  rmSync(folder, { recursive: true });
}

function print(rows, { rounds, cells, cpus, loops: timed }) {
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  console.log(`medians of ${rounds} starts and ${cells} cells each, ${cpus} CPUs, Node ${process.version}\n`);
  console.log(
    "| kernel | ready (s) | first cell (s) | empty cell (ms) | first cell importing lutnn (s) | completion (ms) | resident (MB) |",
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const row of rows)
    console.log(
      `| ${row.kernel} | ${number(row.readySeconds, 2)} | ${number(row.firstCellSeconds, 2)} | ${number(row.emptyCellMs, 1)} | ${number(row.firstImportSeconds, 2)} | ${number(row.completionMs, 0)} | ${number(row.residentBytes / 1e6, 0)} |`,
    );
  console.log("\n| loop over variables of the notebook | at top level (ms) | in a block (ms) | ratio |");
  console.log("| --- | ---: | ---: | ---: |");
  for (const { name, topMs, blockMs } of timed)
    console.log(`| ${name} | ${number(topMs, 1)} | ${number(blockMs, 1)} | ${number(topMs / blockMs, 2)} |`);
}
