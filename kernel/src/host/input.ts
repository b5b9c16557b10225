import { createInterface } from "node:readline/promises";
import { currentHost } from "./host";

export interface InputOptions {
  /** The characters are not shown while they are typed. */
  password?: boolean;
}

/**
 * Asks the user for a line of text: below the cell in a notebook, else in the terminal.
 * Rejects in a notebook that runs unattended, and when the cell is interrupted.
 */
export async function input(prompt = "", options: InputOptions = {}): Promise<string> {
  const host = currentHost();
  if (host) return host.input(prompt, options);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(prompt);
  } finally {
    terminal.close();
  }
}
