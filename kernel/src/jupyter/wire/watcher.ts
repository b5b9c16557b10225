import { writeSync } from "node:fs";
import { type Descriptors, lineEnd } from "../descriptors";
import type { RunningCell } from "../link";
import type { LastCell } from "./lastWords";

/** The process that outlives the kernel, and is told what it would have to say then (see descriptors.ts). */
export class Watcher {
  /** Null where there is none. */
  readonly pid: number | null;

  constructor(private readonly descriptors: Descriptors | null) {
    this.pid = descriptors?.watcherPid ?? null;
  }

  /** The cell that runs from now on; null for none. */
  cell(cell: RunningCell | null): void {
    this.tell(`cell ${JSON.stringify(cell && lastCell(cell))}`);
  }

  /** What may be the process's last words; "" once they are not. */
  words(text: string): void {
    this.tell(`words ${text.replaceAll("\n", lineEnd)}`);
  }

  /** The process ends, and there is nothing to say. */
  bye(): void {
    this.tell("bye");
  }

  private tell(line: string): void {
    if (!this.descriptors) return;
    try {
      writeSync(this.descriptors.watcher, `${line}\n`);
    } catch {
      // It is gone, or far behind: it would only have told of the kernel's end.
    }
  }
}

const lastCell = ({ headerJson, identities, executionCount }: RunningCell): LastCell => ({
  headerJson,
  identities: identities.map((identity) => Buffer.from(identity).toString("base64")),
  executionCount,
});
