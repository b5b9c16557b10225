// Reads what the kernel says to a panel.
import type { ConversionSections, KernelMessage } from "./conversionMessages";
import {
  exactly,
  type Field,
  list,
  maybe,
  number,
  object,
  oneOf,
  optional,
  readKind,
  text,
  truth,
  whole,
} from "./jsonFields";
import { sizeFault } from "./jsonSize";
import { outputError, report } from "./readErrorAccumulation";

/** Room for some ten thousand layers. */
const limits = { values: 4_000_000, characters: 32_000_000 };

const numbers = list(number);
const cost = object({ operations: number, bytes: number, milliseconds: maybe(number) });
const data = maybe(object({ variable: maybe(text), name: text, size: number }));

const overview = object({
  model: text,
  task: text,
  profile: text,
  metric: maybe(
    object({
      name: text,
      unit: text,
      higherIsBetter: truth,
      dense: maybe(number),
      now: maybe(number),
    }),
  ),
  train: data,
  validation: data,
  remarks: list(text),
  methods: list(object({ name: text, title: text, trainable: truth })),
  defaults: object({ method: text, learningRate: number }),
  cost: object({ dense: cost, now: cost, all: cost }),
});

const layer = object({
  name: text,
  op: oneOf(["conv1d", "conv2d", "dense"]),
  state: oneOf(["dense", "calibrated", "replaced", "training"]),
  method: maybe(text),
  positions: number,
  inputLength: number,
  outputs: number,
  inputShape: numbers,
  outputShape: numbers,
  numCentroids: number,
  subvectorLength: number,
  numCodebooks: number,
  choices: object({ numCentroids: numbers, subvectorLengths: numbers }),
  before: cost,
  after: cost,
});

const sections = object({
  overview: optional(overview),
  layers: optional(list(layer)),
  measures: optional(
    list(
      object({
        layer: text,
        state: maybe(whole),
        onlyThis: maybe(number),
        allButThis: maybe(number),
        errorsState: maybe(whole),
        local: outputError,
        accumulated: outputError,
      }),
    ),
  ),
  history: optional(
    object({
      states: list(
        object({
          id: whole,
          label: text,
          parent: maybe(whole),
          replaced: number,
          tuned: truth,
          metric: maybe(number),
          code: maybe(text),
          unwritten: maybe(text),
        }),
      ),
      current: whole,
      undo: truth,
      redo: truth,
    }),
  ),
  commands: optional(
    list(
      object({
        id: whole,
        name: text,
        state: oneOf(["waiting", "running"]),
        progress: maybe(object({ done: number, total: number, unit: text, etaSeconds: maybe(number), text })),
      }),
    ),
  ),
  training: optional(
    maybe(
      object({
        command: text,
        points: list(object({ epoch: number, loss: number, metric: maybe(number) })),
        done: truth,
      }),
    ),
  ),
  errors: optional(maybe(report)),
  plan: optional(
    maybe(
      object({
        cost: oneOf(["flops", "bytes", "latency"]),
        points: list(object({ cost: number, harm: number, measuredDrop: maybe(number), replaced: number })),
        divergenceUnit: text,
        now: object({ cost: maybe(number), point: maybe(whole) }),
      }),
    ),
  ),
}) satisfies Field<Partial<ConversionSections>>;

const detail = object({
  layer: text,
  state: whole,
  codebooks: list(object({ counts: numbers, error: number })),
  inputs: object({ edges: numbers, counts: numbers }),
  centroidValues: numbers,
  rows: number,
});

const compared = object({ is: text, onlyThis: maybe(number), allButThis: maybe(number) });
const comparison = object({
  a: whole,
  b: whole,
  layers: list(object({ name: text, a: compared, b: compared, moved: maybe(number) })),
});

const request = whole;
const messages = {
  conversions: object({
    type: exactly("conversions"),
    version: exactly(1, "must be 1, which this reader knows; update the extension or lutnn"),
    conversions: list(object({ id: text, model: text, variable: maybe(text) })),
    asked: maybe(text),
  }),
  snapshot: object({
    type: exactly("snapshot"),
    conversion: text,
    sequence: whole,
    whole: truth,
    sections,
  }),
  done: object({ type: exactly("done"), request, text, warnings: list(text) }),
  failed: object({ type: exactly("failed"), request, error: text }),
  refused: object({ type: exactly("refused"), error: text }),
  layer: object({ type: exactly("layer"), request, detail }),
  comparison: object({ type: exactly("comparison"), request, comparison }),
  cell: object({ type: exactly("cell"), request, code: text }),
} satisfies {
  [Type in KernelMessage["type"]]: Field<Extract<KernelMessage, { type: Type }>>;
};

/** Reads what came over the comm, whatever it is: the message, or a sentence that says what is wrong with it. Never throws. */
export function parseKernelMessage(data: unknown): KernelMessage | string {
  const fault = sizeFault("the message", data, limits);
  if (fault) return fault;
  const found = readKind<KernelMessage>("the message", "type", messages, data);
  if (typeof found === "string") return found;
  const message = found.read;
  if (message.type !== "snapshot") return message;
  const { layers, errors } = message.sections;
  const uneven = errors?.series.find((series) => series.errors.length !== errors.layers.length);
  if (uneven)
    return `the message's errors must have one entry for each layer in series ${uneven.name} (got ${uneven.errors.length} for ${errors?.layers.length})`;
  if (message.whole && !layers)
    return "the message must hold every section as it is a whole snapshot (layers are missing)";
  return message;
}
