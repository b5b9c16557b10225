import { statSync } from "node:fs";

/**
 * The notebook's own files that the compiler has read. They are looked at before each cell instead of being watched: a
 * change is then always seen by the next cell, and an idle kernel does nothing.
 */
export class FileChanges {
  private readonly states = new Map<string, string>();
  private count = 0;

  /** Grows with every change that was seen. */
  get version(): number {
    return this.count;
  }

  /** Looks at the file from now on, even if it is not there. */
  add(path: string): void {
    if (!this.states.has(path)) this.states.set(path, stateOf(path));
  }

  /** @returns the files that have changed since they were last looked at */
  check(): Set<string> {
    const changed = new Set<string>();
    for (const [path, state] of this.states) {
      const now = stateOf(path);
      if (now === state) continue;
      this.states.set(path, now);
      changed.add(path);
    }
    if (changed.size > 0) this.count++;
    return changed;
  }
}

function stateOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.mtimeNs} ${stats.size}` : "";
}
