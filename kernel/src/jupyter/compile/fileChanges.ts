import { statSync } from "node:fs";

type Callback = () => void;

/**
 * The notebook's own source files that the compiler has read. They are looked at before each cell instead of being
 * watched: a change is then always seen by the next cell, and an idle kernel does nothing.
 */
export class FileChanges {
  private readonly files = new Map<string, { changed: Callback; state: string }>();

  /** @returns what stops it */
  add(path: string, changed: Callback): { close(): void } {
    const file = { changed, state: stateOf(path) };
    this.files.set(path, file);
    return {
      close: () => {
        if (this.files.get(path) === file) this.files.delete(path);
      },
    };
  }

  /** Reports all files when one has changed: those that import it have to be evaluated anew, too. */
  check(): void {
    let any = false;
    for (const [path, file] of this.files) {
      const state = stateOf(path);
      any ||= state !== file.state;
      file.state = state;
    }
    if (any) for (const file of [...this.files.values()]) file.changed();
  }
}

function stateOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.mtimeNs} ${stats.size}` : "";
}
