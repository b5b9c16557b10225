import "./globals";
import type { Input } from "./input";

/** Gives cells the `prompt` that browsers have. */
export function installPrompt(input: Input): void {
  globalThis.prompt = (message = "", preset = "") => input.askNow(String(message)) || String(preset);
}
