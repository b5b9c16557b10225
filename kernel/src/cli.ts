import { join } from "node:path";
import { Command } from "commander";
import { checkoutRoot } from "./commands/checkout";
import { describeDiagnosis, diagnose } from "./commands/doctor";
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

program
  .command("kernel")
  .description("the notebook kernel itself; Jupyter starts it")
  .argument("<connection-file>", "written by Jupyter");

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof LutnnError ? `lutnn ${error.message}` : error);
  process.exitCode = 1;
});
