import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const command = join(import.meta.dirname, "../../kernel/bin/lutnn.js");
const startLimit = 60_000; // ms

export interface JupyterLab {
  /** Address of a page, such as "lab", with the token. */
  url(path: string): string;
  /** Where it keeps what is not in the notebooks' folder. */
  home: string;
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts JupyterLab by `lutnn lab` on a free loopback port, with settings and state of its own that vanish when it stops.
 * @param subject the notebook or folder to open
 */
export async function startJupyterLab(subject: string): Promise<JupyterLab> {
  const home = mkdtempSync(join(tmpdir(), "lutnn-lab-"));
  const port = await freePort();
  const token = randomUUID();
  const options = ["--no-browser", "--port", String(port), "--ServerApp.port_retries=0"];
  const forTests = ["--LabApp.expose_app_in_browser=True", "--ServerApp.terminals_enabled=False"];
  const { JUPYTERLAB_WORKSPACES_DIR: _, ...environment } = process.env;
  const server = spawn(process.execPath, [command, "lab", ...options, subject, ...forTests], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...environment,
      JUPYTER_TOKEN: token,
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      JUPYTERLAB_SETTINGS_DIR: join(home, "settings"),
      IPYTHONDIR: join(home, "ipython"),
    },
  });
  process.once("exit", () => server.kill()); // also when the tests are cut short
  let log = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (log += text));
  const stop = async () => {
    await end(server);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };

  const address = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + startLimit;
  while (!(await answers(`${address}/api/status?token=${token}`))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`JupyterLab did not start. Its log:\n${log}`);
    }
    await sleep(200);
  }
  return { url: (path) => `${address}/${path}?token=${token}`, home, log: () => log, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** Asks the process to end, and ends it when it has not after ten seconds. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(force);
}
