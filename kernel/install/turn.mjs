// One set-up at a time in a checkout: the others wait for it. What says that one runs is a listening socket, which the
// system takes away with its process, however that ends.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { root } from "./workspace.mjs";

const name = `lutnn-setup-${createHash("sha256").update(root).digest("hex").slice(0, 32)}`;
const addresses = { linux: `\0${name}`, win32: `\\\\.\\pipe\\${name}` };
/** On Linux and Windows a name that no file bears; elsewhere a file, which may be left of a process that was killed. */
const address = addresses[process.platform] ?? join(tmpdir(), name);
const isFile = !addresses[process.platform];
/** Within which two processes that both found a file left over have noticed each other. */
const settleMs = 200;

/** @returns {Promise<(() => void) | null>} what ends the turn, or null while another process has it */
async function take() {
  const server = createServer();
  try {
    server.listen(address);
    await once(server, "listening");
  } catch (error) {
    if (error.code === "EADDRINUSE") return null;
    throw error;
  }
  if (isFile) {
    const own = statSync(address).ino;
    await pause(settleMs);
    if (statSync(address, { throwIfNoEntry: false })?.ino !== own) {
      server.close();
      return null;
    }
  }
  return () => server.close();
}

/** Resolves once the process that has the turn ends it, or has ended. */
async function otherEnds() {
  const socket = connect(address);
  try {
    await once(socket, "connect");
  } catch {
    if (isFile) rmSync(address, { force: true });
    return;
  }
  socket.resume();
  await once(socket, "close").catch(() => {});
}

/**
 * Does the work when no other process does such work in this checkout.
 * @param {() => void} work
 * @param {() => void} waiting called once if there is another process to wait for
 */
export async function inTurn(work, waiting) {
  let end = await take();
  if (!end) waiting();
  while (!end) {
    await otherEnds();
    end = await take();
  }
  try {
    work();
  } finally {
    end();
  }
}
