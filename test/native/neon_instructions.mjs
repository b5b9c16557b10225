// Counts the instructions of the NEON microkernels under qemu and compares them with neon_instructions.json: more than
// 2 % more is a failure. Counts belong to a compiler; with another one they are printed and not compared.
//   node test/native/neon_instructions.mjs native/build-arm/tests/instructions "<compiler>" [--record]
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [program, compiler, option] = process.argv.slice(2);
const recordFile = join(dirname(fileURLToPath(import.meta.url)), "neon_instructions.json");
const allowedRegression = 1.02;
const lookups = 262144;
const multiplyAdds = 589824;
const workOf = {
  encodeRows: multiplyAdds,
  encodePositions: multiplyAdds,
  lookupShuffle: lookups,
  lookupGather: lookups,
};
const folder = mkdtempSync(join(tmpdir(), "lutnn-"));

/** Instructions of a whole run, which executes `times` times the kernel: one line of qemu's log each. */
async function count(kernel, times) {
  const log = join(folder, "log");
  const qemu = ["-singlestep", "-d", "exec,nochain", "-D", log, "-L", "/usr/aarch64-linux-gnu"];
  execFileSync("qemu-aarch64", [...qemu, program, "neon", kernel, String(times)]);
  let lines = 0;
  for await (const chunk of createReadStream(log)) for (const byte of chunk) lines += byte === 10;
  return lines;
}

const counts = {};
for (const [kernel, work] of Object.entries(workOf)) {
  const instructions = (await count(kernel, 2)) - (await count(kernel, 1));
  counts[kernel] = { instructions, perWork: Number((instructions / work).toFixed(4)) };
}
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ compiler, counts }, null, 2));

if (option === "--record") {
  writeFileSync(recordFile, `${JSON.stringify({ compiler, counts }, null, 2)}\n`);
} else {
  const recorded = JSON.parse(readFileSync(recordFile, "utf8"));
  if (recorded.compiler !== compiler) {
    console.log(`not compared: the record is of ${recorded.compiler}`);
  } else {
    for (const [kernel, { instructions }] of Object.entries(counts)) {
      const before = recorded.counts[kernel].instructions;
      if (instructions <= before * allowedRegression) continue;
      console.error(`${kernel}: ${instructions} instructions, ${before} before`);
      process.exitCode = 1;
    }
  }
}
