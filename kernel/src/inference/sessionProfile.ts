import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { BackendName } from "./backend";

/** One node of a file as it ran: ONNX Runtime's optimisation joins some, renames others and adds its own. */
export interface NodeProfile {
  node: string;
  operator: string;
  /** Mean of the runs, ms. */
  milliseconds: number;
  /** Part of a replaced layer: a lookup, or inside the function that stands for one. */
  replaced: boolean;
}

/** An event of ONNX Runtime's record; durations are in µs. */
interface TraceEvent {
  cat: string;
  name: string;
  dur: number;
  args: { op_name?: string };
}

const KERNEL = "_kernel_time";
/** What ONNX Runtime puts before names of nodes that were inside a function of ours. */
const inlined = /^_inlfunc_Lut/;
const lookup = /^Lut(Conv|MatMul)/;
/** Operators that run other nodes, whose time is theirs already. */
const outer = new Set(["If", "Loop", "Scan"]);

/** How the times were taken, by what runs the nodes. */
const recorded = {
  onnxruntime: "of nodes as ONNX Runtime joined and named them; recording takes time of its own",
  reference: "lookups by plain loops, what stands between them by ONNX Runtime",
};

/** Where the time of a session's runs went, node by node. */
export class SessionProfile implements Displayable {
  constructor(
    readonly backend: BackendName,
    /** Runs that were recorded. */
    readonly runs: number,
    /** In the order in which they ran. */
    readonly nodes: readonly NodeProfile[],
  ) {}

  /** ms of a run spent in the replaced layers, and in everything else. */
  get replacedMilliseconds(): number {
    return this.sum(({ replaced }) => replaced);
  }

  get otherMilliseconds(): number {
    return this.sum(({ replaced }) => !replaced);
  }

  /** ms of a run spent in nodes. */
  get milliseconds(): number {
    return this.sum(() => true);
  }

  private sum(chosen: (node: NodeProfile) => boolean): number {
    return this.nodes.filter(chosen).reduce((total, { milliseconds }) => total + milliseconds, 0);
  }

  toTable(): Table {
    const { milliseconds, replacedMilliseconds, otherMilliseconds } = this;
    const share = (part: number) => `${(milliseconds > 0 ? (100 * part) / milliseconds : 0).toFixed(1)} %`;
    const row = (name: string, operator: string, part: number) => [
      name,
      operator,
      part.toFixed(3),
      share(part),
    ];
    return new Table(
      ["node", "operator", "ms", "share"],
      [
        ...this.nodes.map((node) => row(node.node, node.operator, node.milliseconds)),
        row("replaced layers", "", replacedMilliseconds),
        row("the rest", "", otherMilliseconds),
        row("all nodes", "", milliseconds),
      ],
      `${this.backend}: mean of ${this.runs} ${this.runs === 1 ? "run" : "runs"}, ${recorded[this.backend === "reference" ? "reference" : "onnxruntime"]}`,
    );
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}

/** Reads what ONNX Runtime has recorded, a JSON array of events. */
export function readProfile(backend: BackendName, text: string): SessionProfile {
  const events = JSON.parse(text) as TraceEvent[];
  const runs = events.filter(({ cat, name }) => cat === "Session" && name === "model_run").length;
  const nodes = new Map<string, NodeProfile>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith(KERNEL)) continue;
    const node = name.slice(0, -KERNEL.length);
    const operator = args.op_name ?? "";
    if (outer.has(operator)) continue;
    const milliseconds = dur / 1000 / runs;
    const known = nodes.get(node);
    if (known) known.milliseconds += milliseconds;
    else
      nodes.set(node, {
        node,
        operator,
        milliseconds,
        replaced: inlined.test(node) || lookup.test(operator),
      });
  }
  return new SessionProfile(backend, runs, [...nodes.values()]);
}
