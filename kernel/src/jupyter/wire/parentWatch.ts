/**
 * Calls `gone` once the process that started the kernel has ended. The parent's id changes then; on Windows, where it
 * does not, the parent is asked for a sign of life.
 */
export function watchParent(gone: () => void, everyMs = 1000): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && (process.platform !== "win32" || isAlive(parent))) return;
    clearInterval(timer);
    gone();
  }, everyMs);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
