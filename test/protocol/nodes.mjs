// npm run test:nodes: the kernel's own tests again, with the kernel under the other Node.js versions that it is made
// for. They come from npm, into .cache/nodes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { at, cache, npm, root, target, windows } from "../../kernel/install/workspace.mjs";

const versions = ["20.20.2", "22.23.3", "24.21.0"].filter(
  (version) => version.split(".")[0] !== process.versions.node.split(".")[0],
);
/** Those that start kernels by themselves; the other ones go through Jupyter, on the Node.js that is installed. */
const tests = [
  "assistance",
  "childOutput",
  "comms",
  "display",
  "execute",
  "flood",
  "input",
  "interrupt",
  "lateOutput",
  "modules",
  "process",
  "robustness",
  "training",
];

function install(version) {
  const folder = join(cache, "nodes", version);
  const name = `node-${target.replace("win32", "win")}`;
  const program = join(folder, "node_modules", name, "bin", windows ? "node.exe" : "node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    npm([
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      "--no-package-lock",
      `${name}@${version}`,
    ]);
  }
  return program;
}

let failed = false;
for (const version of versions) {
  const node = install(version);
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  console.log(`\n=== the kernel under Node.js ${stdout.trim()}`);
  const { status } = spawnSync(
    process.execPath,
    [
      at("node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      "test/vitest.config.mjs",
      ...tests.map((test) => `test/protocol/${test}.test.ts`),
    ],
    { cwd: root, stdio: "inherit", env: { ...process.env, LUTNN_TEST_NODE: node } },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
