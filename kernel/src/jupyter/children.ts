// The processes that cells have started, whichever way they went: found by a mark in their environment, by their
// descent, and by the session that they belong to.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What the kernel's children are known by. */
export interface Mark {
  /** The kernel's process. */
  pid: number;
  /** Text in the environment that they inherit. */
  text: string;
}

interface Process {
  pid: number;
  parent: number;
  session: number;
  /** The mark in its environment: undefined for none, or where it cannot be read. */
  mark: string | undefined;
}

/**
 * Name of the environment variable with the mark. A process that is started with another value, an empty one say, and
 * what descends from it, is meant to outlive the kernel.
 */
export const markName = "LUTNN_KERNEL_ID";

/** How long processes that were asked to end may take. */
const patienceMs = 300;
const lookMs = 20;

/** The direct children of a process. */
export const directChildren = (kernel: number, isWanted: (pid: number) => boolean): number[] =>
  processes(false)
    .filter(({ pid, parent }) => parent === kernel && isWanted(pid))
    .map(({ pid }) => pid);

/** These processes and all that descend from them. */
export const withDescendants = (roots: readonly number[]): number[] => descendants(processes(false), roots);

/** What the process was started with, as one line. */
export function commandOf(pid: number): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return line.length > 80 ? `${line.slice(0, 79)}…` : line;
  } catch {
    return "a child process";
  }
}

/** Sends a signal to each; one that has ended already needs none. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone, or another user's.
    }
}

/**
 * Ends all processes that the kernel's cells have started: politely, then for good.
 * @param except these live on, and what they start: the watcher may be removing the kernel's files just now
 */
export async function endChildren(mark: Mark, except: readonly number[]): Promise<void> {
  const left = () => ofKernel(mark, except).filter((pid) => pid !== process.pid);
  let pids = left();
  if (pids.length === 0) return;
  signalAll(pids, "SIGTERM");
  for (const start = performance.now(); performance.now() - start < patienceMs; ) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    pids = left();
    if (pids.length === 0) return;
  }
  signalAll(pids, "SIGKILL");
}

/** How many processes the system has ended since its start because there was no memory left; 0 where it does not say. */
export function memoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function ofKernel({ pid, text }: Mark, except: readonly number[]): number[] {
  const all = processes(true);
  const others = all.filter(({ mark }) => mark !== undefined && mark !== text).map((each) => each.pid);
  const free = descendants(all, [...except, ...others]);
  const own = all.filter(({ mark, session }) => mark === text || session === pid).map((each) => each.pid);
  const found = new Set(descendants(all, [pid, ...own]));
  for (const each of [pid, ...free]) found.delete(each);
  return [...found];
}

function descendants(all: readonly Process[], roots: readonly number[]): number[] {
  const found = new Set(roots);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function processes(withMarks: boolean): Process[] {
  return process.platform === "linux" ? fromProc(withMarks) : fromPs();
}

function fromProc(withMarks: boolean): Process[] {
  return readdirSync("/proc").flatMap((name): Process[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      // pid (name) state parent group session …; the name may contain anything.
      const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") return [];
      const mark = withMarks ? markOf(name) : undefined;
      return [{ pid: Number(name), parent: Number(parent), session: Number(session), mark }];
    } catch {
      return []; // It has just ended.
    }
  });
}

function markOf(pid: string): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return variables.find((each) => each.startsWith(`${markName}=`))?.slice(markName.length + 1);
  } catch {
    return undefined; // It is another user's.
  }
}

function fromPs(): Process[] {
  try {
    const text = execFileSync("ps", ["-Ao", "pid=,ppid=,sess="], { encoding: "utf8" });
    return text
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
      .map(([pid, parent, session]) => ({ pid, parent, session, mark: undefined }));
  } catch {
    return [];
  }
}
