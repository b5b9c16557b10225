import { cpus, totalmem } from "node:os";

/** The machine in one line, for every result that it gave. */
export function describeMachine(): string {
  const cores = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  return `${cores[0]?.model.trim() ?? "unknown processor"}, ${cores.length} cores, ${memory} GiB, ${process.platform}-${process.arch}`;
}
