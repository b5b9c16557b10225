import type * as tf from "@tensorflow/tfjs-node";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { NetworkGraph } from "../layers/graph";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import { CommandQueue, type PendingCommand } from "./commandQueue";
import { type Comparison, compareStates } from "./compare";
import { type History, type HistoryEntry, StateTable } from "./history";
import { LayerTable, layerInfo } from "./layerTable";
import { remarksOnTargets } from "./leftDense";
import type { Student } from "./methods/method";
import type { LayerChoices } from "./options";
import { Outcome } from "./outcome";
import type { Profile } from "./profile";
import type { VerbRecord } from "./record";
import { type RestLayer, restOfNetwork } from "./restOfNetwork";
import { remarksOnShared } from "./sharedCodebooks";
import { type ConversionState, placedCalibration, replacedLayers } from "./state";
import { type Beginning, codeFor, lineOf } from "./stateCode";
import { type LayerWeights, weightsOf } from "./storedArray";
import { StudentMaker } from "./student";
import { type Target, targetsIn } from "./targets";
import type { Surroundings } from "./transitions";

/**
 * What has changed: the state that the conversion is in, the commands that wait or run (also how far one is), what has been
 * measured, errors that are being measured, from which data commands learn and on which they measure, or the curve of a training.
 */
export type ConversionChange =
  | { kind: "state"; entry: HistoryEntry }
  | { kind: "commands" }
  | { kind: "figures" }
  | { kind: "errors" }
  | { kind: "data" }
  | { kind: "training" };

/** What a conversion is made of; see {@link convert} and {@link openConversion}. */
export interface ConversionParts {
  graph: NetworkGraph;
  profile: Profile;
  targets: Target[];
  task: Task;
  /** Where it was given by name. */
  taskName: TaskName | null;
  history: History;
  /** Sentences that the user should read beside the layers. */
  remarks: readonly string[];
  /** How it came to be. */
  beginning: Beginning;
}

/**
 * The states of a conversion, the network of the present one, and the commands that lead from one to the next, in order.
 * What the commands do is {@link Conversion}.
 */
export class ConversionCore implements Displayable {
  /** What the network is for; where its end leaves that open, the first data tell. */
  task: Task;
  protected readonly graph: NetworkGraph;
  readonly profile: Profile;
  protected readonly history: History;
  private readonly remarks: readonly string[];
  /** Remarks on the layers in their sizes. */
  private readonly remarksOf = new WeakMap<Target[], string[]>();
  /** The layers in the sizes of a state. */
  private readonly targetsOf = new WeakMap<ConversionState, Target[]>();
  private readonly rest: readonly RestLayer[];
  protected readonly maker: StudentMaker;
  protected readonly queue = new CommandQueue(
    () => this.announce({ kind: "commands" }),
    () => this.lost(),
  );
  private readonly listeners = new Set<(change: ConversionChange) => void>();
  /** The newest network that was made, and the state that it is of. */
  private made: { student: Student; of: ConversionState } | null = null;

  /** Use {@link convert}. */
  constructor(protected readonly parts: ConversionParts) {
    const { graph, profile, targets, task, history, remarks } = parts;
    this.graph = graph;
    this.profile = profile;
    this.task = task;
    this.history = history;
    this.remarks = remarks;
    this.rest = restOfNetwork(graph, targets);
    this.maker = new StudentMaker(graph, (state) => this.targetsIn(state), profile);
    this.leave(this.state);
  }

  /** The layers that can be replaced, with N, D, M, K, V, C, costs and state: shows itself as a table. */
  get layers(): LayerTable {
    const { layers } = this.state;
    const { targets } = this;
    const remarks = this.remarksOf.get(targets) ?? remarksOnTargets(this.graph, targets, this.profile.codes);
    this.remarksOf.set(targets, remarks);
    const rows = targets.map((target) => {
      const { replacedBy, calibrations } = layers[target.name];
      const isCalibrated = Object.keys(calibrations).length > 0;
      const state = replacedBy ? "replaced" : isCalibrated ? "calibrated" : "dense";
      return layerInfo(target, state, this.profile.codes, replacedBy);
    });
    return new LayerTable(
      this.graph.name,
      rows,
      [
        this.task.description,
        ...this.remarks,
        ...remarks,
        ...remarksOnShared(this.profile, this.state, targets),
      ],
      this.rest,
    );
  }

  /** The layers as the present state has them. */
  protected get targets(): Target[] {
    return this.targetsIn(this.state);
  }

  protected targetsIn(state: ConversionState): Target[] {
    const known = this.targetsOf.get(state) ?? targetsIn(state, this.parts.targets);
    this.targetsOf.set(state, known);
    return known;
  }

  /**
   * The network of the present state, made when it is first asked for; null for the dense one. So layers that are
   * replaced or restored one by one cost one network, when it is needed.
   */
  protected get student(): Student | null {
    const { state } = this;
    if (replacedLayers(state).length === 0) return null;
    if (this.made?.of !== state) this.made = { student: this.maker.make(state), of: state };
    return this.made.student;
  }

  /**
   * The network with the replaced layers in place; the dense network itself while none is. It belongs to the
   * conversion: after a replace, restore or calibrate another one is here, and the one before is disposed.
   */
  get model(): tf.LayersModel {
    return this.student?.model ?? this.graph.model;
  }

  /** The dense network. */
  get original(): tf.LayersModel {
    return this.graph.model;
  }

  /** The present state: it never changes, and holds all that was learnt. */
  get state(): ConversionState {
    return this.history.current.state;
  }

  /** All states that there were, with the present one marked; shows itself as a table. */
  get states(): StateTable {
    return new StateTable([...this.history.entries], this.history.current.id);
  }

  /** K and V of each layer as a state (default: the present one) has it, null for those that are dense; `applyPlan` takes them. */
  choicesIn(state = this.history.current.id): LayerChoices {
    const entry = this.history.entry("choicesIn", state);
    return Object.fromEntries(
      this.targetsIn(entry.state).map(({ name, numCentroids, subvectorLength }) => [
        name,
        placedCalibration(entry.state, name) && { numCentroids, subvectorLength },
      ]),
    );
  }

  /** Commands that run or wait; each can be cancelled. */
  get pending(): PendingCommand[] {
    return this.queue.pending;
  }

  /** Calls a listener after each change of the state or of the commands, until the function returned is called. */
  onChange(listener: (change: ConversionChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Goes back to the state that the present one was made from. */
  undo(): Promise<Outcome> {
    return this.queue.run("undo", undefined, async () => this.goToNow("undo", this.history.before));
  }

  /** Goes on again to the state that the last undo left. */
  redo(): Promise<Outcome> {
    return this.queue.run("redo", undefined, async () => this.goToNow("redo", this.history.after));
  }

  /** Goes to any of the states, by its number in {@link states}. */
  goTo(state: number): Promise<Outcome> {
    return this.queue.run(`go to state ${state}`, undefined, async () => this.goToNow("goTo", state));
  }

  private goToNow(what: string, id: number | null): Outcome {
    if (id === null) return new Outcome(`${what}: there is no state to go to; ${this.replacedCount}`);
    const { state, label } = this.history.entry(what, id);
    this.leave(state);
    this.history.goTo(what, id);
    this.announce({ kind: "state", entry: this.history.current });
    return new Outcome(`in state ${id} (${label}); ${this.replacedCount}`);
  }

  /** Gives a state a name of its own; default the present one. */
  nameState(label: string, state = this.history.current.id): void {
    this.history.rename("nameState", state, label);
    this.announce({ kind: "state", entry: this.history.current });
  }

  /**
   * TypeScript that leads from a fresh conversion to a state (default: the present one), in a notebook that has defined the
   * names that this one has, with the same bits: one line for each verb, a training that was stopped by the steps that it took.
   * Throws LutnnError where a step cannot be written: data that no variable holds.
   */
  code(state = this.history.current.id): string {
    return codeFor(this.history, this.parts.beginning, this, state);
  }

  /** The line that made a state from the one before it, or why there is none. */
  lineOf(state: number): { code: string } | { unwritten: string } {
    return lineOf(this.history.entry("lineOf", state), this.parts.beginning, this);
  }

  /** Whether there is a state that undo, or redo, would go to. */
  get canUndo(): boolean {
    return this.history.before !== null;
  }

  get canRedo(): boolean {
    return this.history.after !== null;
  }

  /**
   * Runs work of one's own in the order of the commands: once those before it are over. It shows in {@link pending} under
   * this name, and its signal aborts when it is cancelled there.
   */
  enqueue<T>(name: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.queue.run(name, signal, work);
  }

  /** Two states, by their numbers, layer by layer: how each is computed, and how far its numbers moved. */
  compare(a: number, b: number): Comparison {
    return compareStates(this.history.entry("compare", a), this.history.entry("compare", b), (name) =>
      weightsOf(this.graph.layer(name)),
    );
  }

  toString(): string {
    return this.layers.toString();
  }

  [displaySymbol](): MimeBundle {
    return this.layers[displaySymbol]();
  }

  protected get names(): string[] {
    return this.parts.targets.map(({ name }) => name);
  }

  protected get replacedCount(): string {
    const count = replacedLayers(this.state).length;
    const all = this.parts.targets.length;
    return `${count} of ${all} ${all === 1 ? "layer" : "layers"} replaced`;
  }

  protected get surroundings(): Surroundings {
    return {
      normsOf: (name) => this.parts.targets.find((target) => target.name === name)!.norms,
      denseWeights: (name): LayerWeights => weightsOf(this.graph.layer(name)),
    };
  }

  /** Lets go of the network of the state before. */
  private leave(state: ConversionState): void {
    if (replacedLayers(state).some((name) => !placedCalibration(state, name)))
      throw new TypeError("a replaced layer has no calibration");
    if (replacedLayers(state).length === 0) {
      this.maker.clear();
      this.made = null;
    }
  }

  /** The network is no longer what the present state says: another is made of it. */
  protected discard(): void {
    this.maker.forget();
    this.made = null;
  }

  /** A command was stopped in the middle of its code: what it was about to change is made anew. */
  protected lost(): void {
    this.discard();
  }

  /** A state is the present one. */
  protected change(label: string, state: ConversionState, made: VerbRecord): void {
    this.leave(state);
    this.enter(label, state, made);
  }

  /** A state, into which the present network was trained, is the present one. */
  protected keep(label: string, student: Student, state: ConversionState, made: VerbRecord): void {
    this.maker.adopt(state);
    this.made = { student, of: state };
    this.enter(label, state, made);
  }

  private enter(label: string, state: ConversionState, made: VerbRecord): void {
    this.history.add(label, state, made);
    this.announce({ kind: "state", entry: this.history.current });
  }

  protected announce(change: ConversionChange): void {
    for (const listener of this.listeners) listener(change);
  }
}
