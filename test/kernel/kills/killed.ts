import { spawn } from "node:child_process";
import { join } from "node:path";

/** How a process of victim.mjs ended. */
export interface Ended {
  killed: boolean;
  said: string;
}

/**
 * Runs the victim and kills it `after` milliseconds from its "ready", or lets it end. Throws where it ends otherwise than by
 * being killed, or with status 0.
 */
export function runVictim(does: string, settings: object, after?: number): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, "victim.mjs"),
      does,
      JSON.stringify(settings),
    ]);
    let said = "";
    let timer: NodeJS.Timeout | undefined;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    child.stdout.once("data", () => {
      if (after !== undefined) timer = setTimeout(() => child.kill("SIGKILL"), after);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL" || code === 0) done({ killed: signal === "SIGKILL", said });
      else failed(new Error(`${does} ended with ${signal ?? code}: ${said}`));
    });
  });
}
