// Reads what a panel asks for. Imports zod's small form alone, as everything here.
import * as z from "zod/mini";
import type { PanelCommand, PanelMessage, PanelQuestion } from "./conversionMessages";
import { list, object, oneOf, readKind, text } from "./jsonFields";
import { sizeFault } from "./jsonSize";

/** A panel's messages name layers and states; a command may name all layers. */
const limits = { values: 20_000, characters: 1_000_000 };
const longestName = 1_000;

const name = text.check(z.maxLength(longestName, `must have at most ${longestName} characters`));
const whole = z.int("must be a whole number").check(z.nonnegative("must be at least 0"));
const counted = z.int("must be a whole number").check(z.positive("must be at least 1"));
const rate = z.number("must be a number").check(z.positive("must be above 0"));
const names = list(name);

const commands = {
  calibrate: object({ verb: z.literal("calibrate"), method: name, layers: z.optional(names) }),
  replace: object({ verb: z.literal("replace"), layers: names }),
  restore: object({ verb: z.literal("restore"), layers: names }),
  replaceUpTo: object({ verb: z.literal("replaceUpTo"), layer: name }),
  resize: object({
    verb: z.literal("resize"),
    layer: name,
    numCentroids: counted,
    subvectorLength: counted,
  }),
  fineTune: object({ verb: z.literal("fineTune"), epochs: counted, learningRate: z.optional(rate) }),
  measure: object({ verb: z.literal("measure"), what: oneOf(["metric", "layers", "errors", "times"]) }),
  plan: object({ verb: z.literal("plan"), cost: oneOf(["flops", "bytes", "latency"]) }),
  applyPlan: object({ verb: z.literal("applyPlan"), point: whole }),
  undo: object({ verb: z.literal("undo") }),
  redo: object({ verb: z.literal("redo") }),
  goTo: object({ verb: z.literal("goTo"), state: whole }),
  nameState: object({ verb: z.literal("nameState"), state: whole, label: name }),
} satisfies { [Verb in PanelCommand["verb"]]: z.ZodMiniType<Extract<PanelCommand, { verb: Verb }>> };

const questions = {
  layer: object({ about: z.literal("layer"), layer: name }),
  comparison: object({ about: z.literal("comparison"), a: whole, b: whole }),
  cell: object({ about: z.literal("cell"), state: whole }),
} satisfies { [About in PanelQuestion["about"]]: z.ZodMiniType<Extract<PanelQuestion, { about: About }>> };

const messages = {
  watch: object({ type: z.literal("watch"), conversion: z.nullable(name) }),
  command: object({ type: z.literal("command"), request: whole, conversion: name, command: z.unknown() }),
  cancel: object({ type: z.literal("cancel"), conversion: name, command: whole }),
  question: object({ type: z.literal("question"), request: whole, conversion: name, question: z.unknown() }),
};

/** A message that could be read, or what is wrong with it and whose it was, where that much can be told. */
export type PanelMessageRead = { message: PanelMessage } | { error: string; request: number | null };

/** Reads what came from a panel, whatever it is: never throws. */
export function parsePanelMessage(data: unknown): PanelMessageRead {
  const fault = sizeFault("the message", data, limits);
  if (fault) return { error: fault, request: null };
  const found = readKind<z.infer<(typeof messages)[keyof typeof messages]>>(
    "the message",
    "type",
    messages,
    data,
  );
  if (typeof found === "string") {
    const request = whole.safeParse(Reflect.get(Object(data), "request"));
    return { error: found, request: request.success ? request.data : null };
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
