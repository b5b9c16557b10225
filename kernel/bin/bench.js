// `lutnn bench`: starts the benchmark of the lookup backend with its own options, and ends as it ends.
const { spawnSync } = require("node:child_process");
const { dirname, join } = require("node:path");

/** One sentence, for a call that cannot be done as it was made. */
function refuse(sentence) {
  console.error(`lutnn bench: ${sentence}`);
  process.exit(2);
}

/** The lookup backend as this process is told to load it. */
function backend() {
  try {
    return require("lutnn-native");
  } catch (error) {
    if (!error.message.includes("LUTNN_FORCE_ISA")) throw error;
    return refuse(`${error.message}; name one of them, or leave LUTNN_FORCE_ISA out`);
  }
}

/** Instruction sets that the options ask for: `--isa NAME` or `--isa=NAME`. */
const askedFor = (words) =>
  words.flatMap((word, at) => {
    if (word.startsWith("--isa=")) return [word.slice("--isa=".length)];
    return word === "--isa" && words[at + 1] !== undefined ? [words[at + 1]] : [];
  });

function run(words) {
  const known = backend().availableIsas();
  for (const isa of askedFor(words))
    if (!known.includes(isa))
      refuse(`--isa must name an instruction set that is available here, ${known.join(", ")} (got "${isa}")`);
  const program = join(dirname(require.resolve("lutnn-native")), "bench/bench.mjs");
  const { status, signal } = spawnSync(process.execPath, [program, ...words], { stdio: "inherit" });
  process.exit(status ?? (signal ? 130 : 1));
}

module.exports = { run };
