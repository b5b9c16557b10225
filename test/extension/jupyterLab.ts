import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = join(".venv", process.platform === "win32" ? "Scripts/jupyter-lab.exe" : "bin/jupyter-lab");
const startLimit = 60_000; // ms

export interface JupyterLab {
  /** Address of the application, with its token. */
  url: string;
  stop(): Promise<void>;
}

/** Starts .venv's JupyterLab on a free loopback port, with settings and state of its own that vanish when it stops. */
export async function startJupyterLab(root: string): Promise<JupyterLab> {
  if (!existsSync(program)) throw new Error(`${program} is missing: run \`npm run setup\` first.`);
  const home = mkdtempSync(join(tmpdir(), "lutnn-lab-"));
  const port = await freePort();
  const token = randomUUID();
  writePageConfig(home);
  const server = spawn(
    program,
    [
      "--no-browser",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--ServerApp.port_retries=0",
      `--ServerApp.root_dir=${root}`,
    ].concat(["--LabApp.expose_app_in_browser=True", "--allow-root"]),
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        JUPYTER_TOKEN: token,
        JUPYTER_CONFIG_DIR: join(home, "config"),
        JUPYTER_DATA_DIR: join(home, "data"),
        JUPYTER_RUNTIME_DIR: join(home, "runtime"),
        JUPYTERLAB_SETTINGS_DIR: join(home, "settings"),
        JUPYTERLAB_WORKSPACES_DIR: join(home, "workspaces"),
        IPYTHONDIR: join(home, "ipython"),
      },
    },
  );
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
  return { url: `${address}/lab?token=${token}`, stop };
}

/** No question about news: it would fetch from the network and cover what the test looks at. */
function writePageConfig(home: string): void {
  const folder = join(home, "config/labconfig");
  mkdirSync(folder, { recursive: true });
  const disabledExtensions = { "@jupyterlab/apputils-extension:announcements": true };
  writeFileSync(join(folder, "page_config.json"), JSON.stringify({ disabledExtensions }));
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
