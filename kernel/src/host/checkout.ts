import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LutnnError } from "../errors";

/** The folder of the checkout (or of the installation) that this file belongs to. */
export const checkoutRoot = resolve(__dirname, "../../..");

/** A program of the checkout's Python environment. */
export function venvProgram(name: string): string {
  const windows = process.platform === "win32";
  return join(checkoutRoot, ".venv", windows ? "Scripts" : "bin", windows ? `${name}.exe` : name);
}

/** The same, but it has to be there. */
export function requireVenvProgram(name: string): string {
  const program = venvProgram(name);
  if (!existsSync(program))
    throw new LutnnError(
      `${name} must be installed in .venv (it is not); run npm run setup in ${checkoutRoot}`,
    );
  return program;
}

/** The version of this package. */
export const ownVersion = (): string =>
  JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")).version;
