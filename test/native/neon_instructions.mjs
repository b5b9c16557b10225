// Counts the instructions of the NEON microkernels under qemu and compares them with neon_instructions.json: more than
// 2 % more is a failure. Counts belong to a compiler; with another one they are printed and not compared.
//   node test/native/neon_instructions.mjs native/build-arm/tests/instructions "<compiler>" [--record]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [program, compiler, option] = process.argv.slice(2);
const recordFile = join(import.meta.dirname, "neon_instructions.json");
const allowedRegression = 1.02;
const lookups = 262144;
const multiplyAdds = 589824;
/** By instruction set and microkernel: those that neondot shares with neon are counted once. */
const workOf = {
  "neon encodeRows": multiplyAdds,
  "neon encodePositions": multiplyAdds,
  "neon encodeRowsInt8": multiplyAdds,
  "neon encodePositionsInt8": multiplyAdds,
  "neondot encodeRowsInt8": multiplyAdds,
  "neondot encodePositionsInt8": multiplyAdds,
  "neon lookupShuffle": lookups,
  "neon lookupGather": lookups,
};

/**
 * Instructions of a whole run, which executes `times` times the kernel. qemu's log lists the instructions of every block
 * that it translates, "0x<address>: …", and then a line for every time that one is executed, "Trace …/<address>/…".
 */
async function count(kernel, times) {
  const qemu = ["-d", "in_asm,exec,nochain", program, ...kernel.split(" "), String(times)];
  const child = spawn("qemu-aarch64", qemu, { stdio: ["ignore", "inherit", "pipe"] });
  const ended = once(child, "close");
  const sizes = new Map();
  let block = null;
  let executed = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith("IN:")) block = null;
    else if (line.startsWith("0x")) {
      block ??= { address: BigInt(line.slice(0, line.indexOf(":"))), size: 0 };
      sizes.set(block.address, ++block.size);
    } else if (line.startsWith("Trace")) {
      const size = sizes.get(BigInt(`0x${line.split("/")[1]}`));
      if (size === undefined) throw new Error(`qemu executed what it had not listed: ${line}`);
      executed += size;
    }
  }
  const [status, signal] = await ended;
  if (status !== 0) throw new Error(`${program} ${kernel}: ended with ${status ?? signal}`);
  return executed;
}

const counts = {};
for (const [kernel, work] of Object.entries(workOf)) {
  const instructions = (await count(kernel, 1)) - (await count(kernel, 0));
  counts[kernel] = { instructions, perWork: Number((instructions / work).toFixed(4)) };
}
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
