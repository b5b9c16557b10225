export interface ParentWatch {
  /** Called once the process that started the kernel has ended. */
  gone(): void;
  /** Has any client spoken to this kernel? */
  isWanted(): boolean;
  everyMs?: number;
  /** How long a kernel that came too late to see its parent waits for a client. */
  graceMs?: number;
}

/**
 * Watches the process that started the kernel. Its id changes when it ends; on Windows, where it does not, the parent is
 * asked for a sign of life. A parent that ended before the kernel could look has left its id in the environment, as
 * Jupyter does. That id proves little, since it may be one of another container; so this kernel ends only if no
 * client turns up either.
 */
export function watchParent({ gone, isWanted, everyMs = 1000, graceMs = 30_000 }: ParentWatch): void {
  const parent = process.ppid;
  const named = Number(process.env.JPY_PARENT_PID);
  const lookedTooLate = named > 1 && named !== parent && !isAlive(named);
  const start = performance.now();
  const timer = setInterval(() => {
    const isThere = process.ppid === parent && (process.platform !== "win32" || isAlive(parent));
    const isAbandoned = lookedTooLate && !isWanted() && performance.now() - start > graceMs;
    if (isThere && !isAbandoned) return;
    clearInterval(timer);
    gone();
  }, everyMs);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One that belongs to another user is there, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
