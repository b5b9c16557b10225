import { existsSync } from "node:fs";
import { UsageError } from "./usageError";

/** What an ONNX file says of itself, as text or JSON; nothing is run. */
export async function showFile(file: string, { json }: { json?: boolean }): Promise<string> {
  if (!existsSync(file)) throw new UsageError(`info: the file ${file} must exist (it does not)`);
  const { fileInfo } = await import("../index.js");
  const info = await fileInfo(file);
  return json ? JSON.stringify(info, null, 2) : String(info);
}
