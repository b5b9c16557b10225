// Whether a training step gives the same bits each time: npm run bench:determinism [-- --json] [--runs 8]
//
// From the same weights, each network's step is taken several times in processes of their own, dense and soft-PQ, and
// all trained variables are hashed. Then again with TF_DETERMINISTIC_OPS=1, TensorFlow's own deterministic mode, whose
// price in time is measured beside it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const { values: options } = parseArgs({
  options: {
    json: { type: "boolean" },
    runs: { type: "string", default: "8" },
    child: { type: "string" },
  },
});
const names = ["resnet20-w16", "vgg11-small", "bert-layer"];
const stepsOfRun = 2;

if (options.child) {
  const [name, which] = options.child.split(" ");
  const { contenders, tf } = await import("./networks.mjs");
  const result = { hashes: [], milliseconds: [] };
  for (let run = 0; run < Number(options.runs); run++) {
    const before = new Set(Object.keys(tf.engine().registeredVariables));
    const step = (await contenders[name](which))[which];
    const hash = createHash("sha256");
    for (let i = 0; i < stepsOfRun; i++) {
      const { user, system } = process.cpuUsage();
      hash.update(String(step()));
      const after = process.cpuUsage();
      result.milliseconds.push((after.user + after.system - user - system) / 1000);
    }
    for (const [key, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (before.has(key)) continue;
      hash.update(new Uint8Array(variable.dataSync().buffer));
      variable.dispose();
    }
    result.hashes.push(hash.digest("hex").slice(0, 12));
  }
  console.log(JSON.stringify(result));
  process.exit();
}

const rows = [];
for (const name of names)
  for (const which of ["dense", "softPq"]) {
    const run = (env) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), "--child", `${name} ${which}`, "--runs", options.runs],
        { encoding: "utf8", env: { ...process.env, ...env } },
      );
      if (status !== 0) throw new Error(`bench:determinism: ${name} ${which} failed: ${stderr}`);
      const { hashes, milliseconds } = JSON.parse(stdout);
      const sorted = milliseconds.slice(1).sort((a, b) => a - b);
      return { different: new Set(hashes).size, processorMs: sorted[sorted.length >> 1] };
    };
    const row = { name, which, plain: run({}), deterministic: run({ TF_DETERMINISTIC_OPS: "1" }) };
    rows.push(row);
    if (!options.json) {
      const { plain, deterministic } = row;
      const outcome = plain.different === 1 ? "same bits" : `${plain.different} different results`;
      console.log(
        `${name} ${which}: ${outcome} in ${options.runs} runs; TF_DETERMINISTIC_OPS=1: ${deterministic.different === 1 ? "same bits" : `${deterministic.different} different results`}, ${(deterministic.processorMs / plain.processorMs).toFixed(2)} times the processor time`,
      );
    }
  }
if (options.json) console.log(JSON.stringify({ runs: Number(options.runs), rows }, null, 2));
