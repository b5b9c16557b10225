import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A file that cases.py writes, and what `fromOnnx` is to be told of it. */
export interface FileCase {
  name: string;
  inputShape?: (number | null)[];
}

/** Writes the files of cases.py into a folder, by the onnx package that the set-up installs. */
export function writeCases(folder: string): FileCase[] {
  const python = join(import.meta.dirname, "../../../../.venv/bin/python");
  const script = join(import.meta.dirname, "cases.py");
  return JSON.parse(execFileSync(python, [script, folder], { encoding: "utf8" })) as FileCase[];
}
