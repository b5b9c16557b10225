// What is left of a kernel whose process has ended without a word, or with its last one on stderr: started by the
// watcher (descriptors.ts), it ends the kernel's children and tells the notebook why its cell got no answer.

import { randomUUID } from "node:crypto";
import { readSync } from "node:fs";
import { Router, XPublisher } from "zeromq";
import { endChildren, memoryKills } from "../children";
import { readConnection } from "../connection";
import { lineEnd } from "../descriptors";
import { encode } from "./codec";
import { Signer } from "./signature";

/** The cell that was running; null for none. Binary is in base64. */
export interface LastCell {
  headerJson: string;
  identities: string[];
  executionCount: number;
}

/** How long clients have to find us where the kernel was. */
const patienceMs = 1500;
const retryMs = 20;
/** Subscribers come one by one. */
const gatherMs = 150;
/** Bytes of the kernel's last words that are looked at, and lines that are shown. */
const mostBytes = 1 << 16;
const mostLines = 5;
/** Also such a line's end, where the kernel died while it wrote. */
const stackLine = /^\s|^\d+: 0x/;

/** What this process lives at most: a client that takes no message would hold it for ever. */
const longestMs = 15_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function start(): Promise<void> {
  const [file, pid, text, killsBefore, heapLimit] = process.argv.slice(2);
  const cell: LastCell | null = JSON.parse(process.env.LUTNN_LAST_CELL || "null");
  const [left, stdout] = [3, 4].map(rest);
  const stderr = (process.env.LUTNN_LAST_WORDS ?? "").replaceAll(lineEnd, "\n") + left;
  process.stderr.write(stderr);
  const systemKilled = memoryKills() > Number(killsBefore);
  await endChildren({ pid: Number(pid), text }, []);
  if (!cell) return;
  const reason = reasonOf(stderr, systemKilled, Number(heapLimit));
  await tell(file, cell, stdout, stderr, `the kernel's process ended while the cell ran: ${reason}`);
}

function reasonOf(words: string, systemKilled: boolean, heapLimit: number): string {
  if (/heap out of memory|Reached heap limit|OOM/.test(words))
    return `the cell needed more memory than Node.js may have (${heapLimit} MB of JavaScript objects); work on less at a time, or raise the limit with NODE_OPTIONS=--max-old-space-size=MB in the kernel's environment`;
  if (systemKilled)
    return "the system had no memory left and ended it; work on less at a time, or on a machine with more memory";
  if (words.trim() !== "") return "it was aborted, and its last words follow";
  return "it was ended from outside, or native code that the cell called has crashed";
}

async function tell(
  file: string,
  cell: LastCell,
  stdout: string,
  stderr: string,
  sentence: string,
): Promise<void> {
  const connection = readConnection(file);
  const signer = new Signer(connection.key, connection.hash);
  const session = randomUUID();
  const shell = new Router({ mandatory: true, linger: 500 });
  const iopub = new XPublisher({ verbosity: "allSubs", linger: 500 });
  const address = (port: number) =>
    `${connection.transport}://${connection.ip}${connection.transport === "tcp" ? ":" : "-"}${port}`;
  const deadline = performance.now() + patienceMs;
  await Promise.all([
    insist(deadline, () => shell.bind(address(connection.shellPort))),
    insist(deadline, () => iopub.bind(address(connection.iopubPort))),
  ]);
  const words = stderr.split("\n").filter((line) => line.trim() !== "" && !stackLine.test(line));
  const error = {
    ename: "KernelDied",
    evalue: sentence,
    traceback: [sentence, ...words.slice(0, mostLines)],
  };
  const { headerJson: parent, executionCount: execution_count } = cell;
  const message = (identities: (Buffer | string)[], type: string, content: object) =>
    encode({ identities, type, parent, content: JSON.stringify(content) }, session, signer);
  const publish = (type: string, content: object) => iopub.send(message([type], type, content));
  const identities = cell.identities.map((identity) => Buffer.from(identity, "base64"));
  const reply = { status: "error", execution_count, ...error, user_expressions: {}, payload: [] };
  const subscribed = Promise.race([iopub.receive(), pause(deadline - performance.now())]);
  await Promise.all([
    insist(deadline, () => shell.send(message(identities, "execute_reply", reply))),
    subscribed.then(async () => {
      await pause(gatherMs);
      if (stdout !== "") await publish("stream", { name: "stdout", text: stdout });
      await publish("error", error);
      await publish("status", { execution_state: "idle" });
    }),
  ]);
  await pause(gatherMs);
}

/** Tries until it succeeds; after the deadline, its failure. */
async function insist(deadline: number, work: () => Promise<void>): Promise<void> {
  for (;;)
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(retryMs);
    }
}

/** What was written into a pipe and nobody has read. */
function rest(descriptor: number): string {
  const buffer = Buffer.alloc(mostBytes);
  try {
    return buffer.toString("utf8", 0, readSync(descriptor, buffer));
  } catch {
    return "";
  }
}

Promise.race([start(), pause(longestMs)]).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`lutnn kernel: its end could not be told to the notebook: ${String(error)}\n`);
    process.exit(1);
  },
);
