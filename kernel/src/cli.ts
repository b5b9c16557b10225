import { extname } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { type RunCellOptions, runCellFile } from "./commands/cell";
import { type ConvertNetworkOptions, convertNetwork } from "./commands/convertNetwork";
import { type CountOptions, countNetwork } from "./commands/count";
import { requireKnownIsa } from "./commands/instructionSet";
import {
  defaultKernelName,
  defaultPython,
  type InstallOptions,
  installKernel,
  listKernels,
  type PlaceOptions,
  removeKernel,
} from "./commands/kernel";
import { openLab } from "./commands/lab";
import { type ReproduceCommandOptions, reproduceTables } from "./commands/reproduce";
import { runFile } from "./commands/runFile";
import { runNotebook } from "./commands/runNotebook";
import { showFile } from "./commands/showFile";
import { UsageError } from "./commands/usageError";
import { LutnnError } from "./errors";
import { ownVersion } from "./host/checkout";
import { useDevice } from "./host/device";

const version = ownVersion();

/** A command that, like every one below it, knows --help and --version and leaves its errors to {@link report}. */
class CommandLine extends Command {
  constructor(name?: string) {
    super(name);
    this.exitOverride();
    // Help that is shown for want of a command is an answer, not an error.
    this.configureOutput({ writeErr: (text) => process.stdout.write(text), outputError: () => {} });
    this.version(version, "-V, --version", "print lutnn's version");
  }

  override createCommand(name?: string): CommandLine {
    return new CommandLine(name);
  }
}

interface RunOptions {
  output: string;
  out?: string;
  kernel: string;
  input: string[];
  threads: string;
  backend?: string;
}

const program = new CommandLine("lutnn").description(
  "LUT-NN: turn neural networks into table lookups, layer by layer, in TypeScript notebooks.",
);

program
  .command("doctor")
  .description("versions, processor, backends, kernelspec, extension, data sets, and what is missing")
  .option("--json", "print the findings as JSON")
  .action(async (options: { json?: boolean }) => {
    requireKnownIsa("doctor");
    // Only here, as it loads TensorFlow.
    const { describeDiagnosis, diagnose } = await import("./commands/doctor.js");
    const diagnosis = diagnose();
    console.log(options.json ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis));
    process.exitCode = diagnosis.missing.length > 0 ? 1 : 0;
  });

program
  .command("run")
  .description(
    "execute a notebook headless, and write it with an HTML page; or run an ONNX file on NumPy's arrays, and write its outputs",
  )
  .argument("<file>", "path of the .ipynb or .onnx file")
  .option("-o, --output <folder>", "where the results go; of one output of an ONNX file also FILE.npy", "out")
  .option(
    "-i, --input <files...>",
    "of an ONNX file: FILE.npy, or NAME=FILE.npy for each of several inputs",
    [],
  )
  .option("--threads <n>", "of an ONNX file: threads that it runs on", "1")
  .option(
    "--backend <name>",
    "of an ONNX file: native, onnxruntime or reference; else native where that is built",
  )
  .addOption(new Option("--out <folder>", "the same").hideHelp())
  .option("--kernel <name>", "kernelspec to run it with", defaultKernelName)
  .action(async (file: string, options: RunOptions) => {
    requireKnownIsa("run");
    const { out, kernel, input, threads, backend } = options;
    const output = out ?? options.output;
    if (extname(file).toLowerCase() === ".onnx")
      console.log(await runFile(file, { input, output, threads, backend }));
    else process.exitCode = await runNotebook(file, { output, kernel });
  });

program
  .command("lab")
  .description("open JupyterLab with the kernel and the extension ready; other options are JupyterLab's own")
  .usage("[notebook or folder] [options of jupyter-lab]")
  .argument(
    "[words...]",
    "an .ipynb file, made when it is not there, or a folder; and options, such as --no-browser",
  )
  .allowUnknownOption()
  .action(async (words: string[]) => {
    requireKnownIsa("lab");
    process.exitCode = await openLab(words);
  });

// Its options are read by the benchmark itself, which bin/bench.js starts without this command line.
program
  .command("bench")
  .description("time layers by lookup against ONNX Runtime on this processor")
  .option("--rounds <n>", "turns of each contender", "15")
  .option("--isa <name>", "this instruction set only; else the fastest, and AVX2 where there is more")
  .option("--json", "print the measurement as JSON")
  .option("--plot", "write two charts as SVG")
  .argument("[folder]", "where the charts go", "out");

program
  .command("convert")
  .description("convert a network to table lookups without a notebook: calibrate, fine-tune, write the file")
  .argument("<network>", "an ONNX file, or what tf.js saved: a model.json or its folder")
  .requiredOption(
    "--data <set>",
    "a data set by name, or the inputs of examples, FILE.npy (images channels last)",
  )
  .option("--targets <file>", "of such a file: what is to be learnt, classes or numbers, FILE.npy")
  .option("--data-folder <folder>", "where the data set's files are")
  .option("--download", "fetch them where they are nowhere")
  .requiredOption("-o, --output <file>", "the ONNX file to write")
  .option(
    "--remainder <form>",
    "what stays dense in the file: float32, or int8 by ranges of the data",
    "float32",
  )
  .option("--store <folder>", "keep the work as well, for openConversion")
  .option("--input-shape <lengths>", "lengths after the batch that the network leaves open, as 224,224,3")
  .option(
    "--layers <names>",
    "layers to convert, with commas; else all but the first, the head and squeeze-and-excitation",
  )
  .option("--profile <name>", "plus or paper", "plus")
  .option("--task <name>", "what the network is for, where its end does not tell")
  .option("--examples <n>", "examples that calibration takes", "1024")
  .option("--epochs <n>", "epochs of fine-tuning; 0 only calibrates", "1")
  .option("--batch-size <n>", "of fine-tuning", "64")
  .option("--learning-rate <rate>", "of fine-tuning; else the profile's")
  .option("--test-share <share>", "of arrays: what is kept for the figures that are printed", "0.2")
  .option("--seed <n>", "of calibration, training and that split", "0")
  .action(async (network: string, options: ConvertNetworkOptions) =>
    console.log(await convertNetwork(network, options)),
  );

program
  .command("info")
  .description(
    "what an ONNX file says of itself: how it was converted, layer by layer, and how good it was found to be",
  )
  .argument("<file>", "path of the .onnx file")
  .option("--json", "print it as JSON")
  .action(async (file: string, options: { json?: boolean }) => console.log(await showFile(file, options)));

program
  .command("count")
  .description(
    "operations and bytes of a network, dense and with its layers as lookups, by the paper's counting",
  )
  .requiredOption("--model <name>", "one of the paper's networks, or an ONNX file")
  .option("--k <centroids>", "K, centroids of a codebook", "16")
  .option("--json", "print the figures as JSON")
  .action(async (options: CountOptions) => console.log(await countNetwork(options)));

program
  .command("cell")
  .description("cells of the paper's tables: one result each, by the digest of all parameters")
  .command("run")
  .description("do a cell's work once, whoever asks and however often it is killed, and keep the result")
  .requiredOption("--spec <file>", "the cell's parameters, JSON")
  .requiredOption("--dir <folder>", "the store that results are kept in")
  .option("--output <file>", "write the result there, too")
  .option("--device <name>", "what trains: cpu, or gpu where @tensorflow/tfjs-node-gpu is installed")
  .option(
    "--stale <seconds>",
    "without a sign of life for so long, another process that holds it counts as gone",
    "30",
  )
  .action(async ({ device, ...options }: RunCellOptions & { device?: string }) => {
    if (device !== undefined) useDevice(device);
    console.log(await runCellFile(options));
  });

program
  .command("reproduce")
  .description(
    "the paper's tables and figures: runs what is missing, prints them, writes one page with all of them",
  )
  .argument(
    "[table]",
    "accuracy, glue, flops, size, latency, operators, memory, power, temperature, quantisation, layers, or all",
    "all",
  )
  .option(
    "--scale <name>",
    "small: narrower networks on data at hand; paper: the paper's; rehearsal: nothing is measured",
    "small",
  )
  .option("--quick", "the least that shows every part at work, in a minute")
  .option(
    "--engine <name>",
    "local: runs on this machine; snakemake: writes a workflow; none: only shows what is there",
    "local",
  )
  .option("--cores <n>", "processors that may be used; default all")
  .option("--jobs <n>", "cells at a time", "1")
  .option("--seeds <n>", "repetitions of what is random, from seed 0 on", "1")
  .option("--epochs <n,n>", "of the small scale: of dense networks and of lookups", "3,1")
  .option("-o, --out <folder>", "where the tables go", "out/paper")
  .option("--store <folder>", "where results are kept; default cells below that")
  .option("--results <folder>", "results measured elsewhere, taken up first: notebooks/executed/paper/cells")
  .option("--device <name>", "what trains: cpu, or gpu where @tensorflow/tfjs-node-gpu is installed")
  .action(async (table: string, { device, ...options }: ReproduceCommandOptions & { device?: string }) => {
    requireKnownIsa("reproduce");
    if (device !== undefined) useDevice(device);
    process.exitCode = await reproduceTables(table, options);
  });

const kernel = program
  .command("kernel")
  .description("tell Jupyter of the notebook kernel; with a connection file, be it (Jupyter starts it so)");

const isNamed = (command: Command) => command.getOptionValueSource("python") === "cli";
const withPlace = (command: Command) =>
  command
    .addOption(new Option("--user", "for this user").conflicts(["sysPrefix", "prefix"]))
    .addOption(new Option("--sys-prefix", "in the environment of --python").conflicts(["user", "prefix"]))
    .addOption(new Option("--prefix <folder>", "below this folder").conflicts(["user", "sysPrefix"]))
    .option("--python <program>", "the Python that Jupyter runs on", defaultPython);

withPlace(kernel.command("install"))
  .description(
    "write the kernelspec: for this user, if no place is given; with --sys-prefix also for papermill",
  )
  .option("--name <name>", "what the kernel is called in commands", defaultKernelName)
  .option("--display-name <text>", "what it is called in menus")
  .action((options: InstallOptions, command: Command) =>
    console.log(installKernel({ ...options, isNamed: isNamed(command) })),
  );

kernel
  .command("list")
  .description("where this kernel is installed")
  .option("--python <program>", "an environment's Python, to look there too", defaultPython)
  .option("--json", "print the list as JSON")
  .action((options: { json?: boolean; python: string }, command: Command) =>
    console.log(listKernels({ ...options, isNamed: isNamed(command) })),
  );

withPlace(kernel.command("remove"))
  .description("remove the kernelspec, from everywhere if no place is given")
  .argument("[name]", "the kernel's name", defaultKernelName)
  .action((name: string, options: PlaceOptions, command: Command) =>
    console.log(removeKernel(name, { ...options, isNamed: isNamed(command) })),
  );

/** The last word of a command that failed: a sentence for what is the caller's to change, a stack for our own faults. */
function report(error: unknown): void {
  if (error instanceof CommanderError) {
    const [first, ...more] = error.message.replace(/^error: /, "").split("\n");
    if (error.exitCode !== 0 && error.code !== "commander.help")
      console.error(`lutnn: ${[first, ...more].join(" ").replace(/\.$/, "")}; see lutnn --help`);
    process.exitCode = error.exitCode === 0 || error.code === "commander.help" ? 0 : 2;
    return;
  }
  const isSystemError = error instanceof Error && "syscall" in error;
  console.error(
    error instanceof LutnnError || isSystemError ? `lutnn ${error.message.replace(/\s*\n\s*/g, " ")}` : error,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

const words = process.argv.splice(2);
// tfjs-node's loader reads the process' words, too, and would take --dir for an option of its own.
program.parseAsync(words, { from: "user" }).catch(report);
