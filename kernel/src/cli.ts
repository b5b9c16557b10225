import { join } from "node:path";
import { Command, Option } from "commander";
import { checkoutRoot } from "./commands/checkout";
import { describeDiagnosis, diagnose } from "./commands/doctor";
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
import { runNotebook } from "./commands/runNotebook";
import { LutnnError } from "./errors";

const program = new Command("lutnn").description(
  "LUT-NN: turn neural networks into table lookups, layer by layer, in TypeScript notebooks.",
);

program
  .command("doctor")
  .description("versions, processor, backends, kernelspec, extension, data sets, and what is missing")
  .option("--json", "print the findings as JSON")
  .action((options: { json?: boolean }) => {
    const diagnosis = diagnose();
    console.log(options.json ? JSON.stringify(diagnosis, null, 2) : describeDiagnosis(diagnosis));
    process.exitCode = diagnosis.missing.length > 0 ? 1 : 0;
  });

program
  .command("run")
  .description("execute a notebook headless; writes the executed notebook and an HTML page of it")
  .argument("<notebook>", "path of the .ipynb file")
  .option("--out <folder>", "where the results go", join(checkoutRoot, "out"))
  .option("--kernel <name>", "kernelspec to run it with", "lutnn")
  .action(async (notebook: string, options: { out: string; kernel: string }) => {
    process.exitCode = await runNotebook(notebook, options);
  });

program
  .command("lab")
  .description("open JupyterLab with the kernel and the extension ready")
  .argument("[notebook]", "path of the .ipynb file to open")
  .argument("[options...]", "further options for JupyterLab, after --")
  .action(async (notebook: string | undefined, extra: string[]) => {
    process.exitCode = await openLab(notebook, extra);
  });

program
  .command("bench")
  .description(
    "time layers by lookup against ONNX Runtime on this processor; --json, --plot, --isa, --rounds",
  );

const kernel = program
  .command("kernel")
  .description("tell Jupyter of the notebook kernel; with a connection file, be it (Jupyter starts it so)");

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
  .action((options: InstallOptions) => console.log(installKernel(options)));

kernel
  .command("list")
  .description("where this kernel is installed")
  .option("--python <program>", "an environment's Python, to look there too", defaultPython)
  .option("--json", "print the list as JSON")
  .action((options: { json?: boolean; python: string }) => console.log(listKernels(options)));

withPlace(kernel.command("remove"))
  .description("remove the kernelspec, from everywhere if no place is given")
  .argument("[name]", "the kernel's name", defaultKernelName)
  .action((name: string, options: PlaceOptions) => console.log(removeKernel(name, options)));

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof LutnnError ? `lutnn ${error.message}` : error);
  process.exitCode = 1;
});
