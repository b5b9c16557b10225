// Reads what a panel asks for.
import type { PanelCommand, PanelMessage, PanelQuestion } from "./conversionMessages";
import {
  anything,
  checked,
  exactly,
  type Field,
  type Kept,
  list,
  maybe,
  number,
  object,
  oneOf,
  optional,
  readFields,
  readKind,
  text,
  truth,
  whole,
} from "./jsonFields";
import { sizeFault } from "./jsonSize";

/** A panel's messages name layers and states; a command may name all layers. */
const limits = { values: 20_000, characters: 1_000_000 };
const longestName = 1_000;

const name = checked(
  text,
  ({ length }) => length <= longestName,
  `must have at most ${longestName} characters`,
);
const id = checked(whole, (value) => value >= 0, "must be at least 0");
const counted = checked(whole, (value) => value >= 1, "must be at least 1");
const rate = checked(number, (value) => value > 0, "must be above 0");
const names = list(name);

const commands = {
  calibrate: object({ verb: exactly("calibrate"), method: name, layers: optional(names) }),
  replace: object({ verb: exactly("replace"), layers: names }),
  restore: object({ verb: exactly("restore"), layers: names }),
  replaceUpTo: object({ verb: exactly("replaceUpTo"), layer: name }),
  resize: object({
    verb: exactly("resize"),
    layer: name,
    numCentroids: counted,
    subvectorLength: counted,
  }),
  fineTune: object({ verb: exactly("fineTune"), epochs: counted, learningRate: optional(rate) }),
  measure: object({ verb: exactly("measure"), what: oneOf(["metric", "layers", "errors", "times"]) }),
  plan: object({ verb: exactly("plan"), cost: oneOf(["flops", "bytes", "latency"]) }),
  applyPlan: object({ verb: exactly("applyPlan"), point: id }),
  undo: object({ verb: exactly("undo") }),
  redo: object({ verb: exactly("redo") }),
  goTo: object({ verb: exactly("goTo"), state: id }),
  nameState: object({ verb: exactly("nameState"), state: id, label: name }),
  save: object({
    verb: exactly("save"),
    path: name,
    remainder: oneOf(["float32", "int8"]),
    reopen: truth,
    overwrite: truth,
  }),
} satisfies { [Verb in PanelCommand["verb"]]: Field<Extract<PanelCommand, { verb: Verb }>> };

const questions = {
  layer: object({ about: exactly("layer"), layer: name }),
  comparison: object({ about: exactly("comparison"), a: id, b: id }),
  cell: object({ about: exactly("cell"), state: id }),
} satisfies { [About in PanelQuestion["about"]]: Field<Extract<PanelQuestion, { about: About }>> };

const messages = {
  watch: object({ type: exactly("watch"), conversion: maybe(name) }),
  command: object({ type: exactly("command"), request: id, conversion: name, command: anything }),
  cancel: object({ type: exactly("cancel"), conversion: name, command: id }),
  question: object({ type: exactly("question"), request: id, conversion: name, question: anything }),
};

/** A message that could be read, or what is wrong with it and whose it was, where that much can be told. */
export type PanelMessageRead = { message: PanelMessage } | { error: string; request: number | null };

/** Reads what came from a panel, whatever it is: never throws. */
export function parsePanelMessage(data: unknown): PanelMessageRead {
  const fault = sizeFault("the message", data, limits);
  if (fault) return { error: fault, request: null };
  const found = readKind<Kept<(typeof messages)[keyof typeof messages]>>(
    "the message",
    "type",
    messages,
    data,
  );
  if (typeof found === "string") {
    const request = readFields("the request", id, Reflect.get(Object(data), "request"));
    return { error: found, request: typeof request === "string" ? null : request.read };
  }
  const message = found.read;
  if (message.type === "command") {
    const command = readKind<PanelCommand>("the command", "verb", commands, message.command);
    if (typeof command === "string") return { error: command, request: message.request };
    return { message: { ...message, command: command.read } };
  }
  if (message.type === "question") {
    const question = readKind<PanelQuestion>("the question", "about", questions, message.question);
    if (typeof question === "string") return { error: question, request: message.request };
    return { message: { ...message, question: question.read } };
  }
  return { message };
}
