import { LutnnError } from "../errors";
import { labels, yesNo } from "./answers";
import { classification } from "./classification";
import { counts } from "./counts";
import { describeHead, type Head } from "./head";
import { regression } from "./regression";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";
import { tokens } from "./tokens";

/** The kinds of tasks there are, by the name by which one asks for them; a new kind is a file and a line here. */
const kinds = { classification, yesNo, labels, regression, counts, tokens } satisfies Record<
  string,
  TaskKind
>;

export type TaskName = keyof typeof kinds;

/** The names of all kinds. */
export const taskNames = Object.keys(kinds) as TaskName[];

/** The task of that name on a network that ends so. Throws LutnnError when it cannot have it; `what` opens the sentence. */
export function taskNamed(what: string, name: TaskName, head: Head): Task {
  if (!Object.hasOwn(kinds, name))
    throw new LutnnError(
      `${what}: the task must be one of ${Object.keys(kinds).join(", ")} (got ${JSON.stringify(name)})`,
    );
  const kind: TaskKind = kinds[name];
  const refusal = kind.refusal(head);
  if (refusal)
    throw new LutnnError(`${what}: for the task ${name} ${refusal}; change the last layer or the task`);
  return kind.build(head);
}

/**
 * The task that a network's end tells. Linear outputs can be logits or numbers: then the task is open until
 * {@link Task.checkTarget} sees what the data want. Throws LutnnError when the end tells none.
 */
export function taskOfHead(what: string, head: Head): Task {
  const fitting = Object.values<TaskKind>(kinds).filter(
    (kind) => kind.isNaturalFor(head) && kind.refusal(head) === null,
  );
  if (fitting.length === 0)
    throw new LutnnError(
      `${what}: a network must end in a softmax over its classes, a sigmoid or linear outputs to tell its task (got ${head.activation} of layer ${head.layer} with ${head.units ?? "any number of"} outputs at ${head.positions ?? "any number of"} positions); pass { task: "regression" } for numbers, or change the last layer`,
    );
  return fitting.length === 1 ? fitting[0].build(head) : openTask(head, fitting);
}

/** One of several tasks, until data say which. */
function openTask(head: Head, fitting: readonly TaskKind[]): Task {
  const tasks = fitting.map((kind) => kind.build(head));
  const within = (text: string) => text.slice(0, text.indexOf(" ("));
  const description = `${tasks.map((task) => within(task.description)).join(" or ")}, as the data say (${describeHead(head, "linear output")})`;
  const unknown = (): never => {
    throw new LutnnError(
      `the task must be known (it is ${description}); ask checkTarget for the task on the data at hand, or name it`,
    );
  };
  return {
    description,
    isOpen: true,
    get metric() {
      return unknown();
    },
    get lossUnit() {
      return unknown();
    },
    get divergenceUnit() {
      return unknown();
    },
    checkTarget(what, target, dataName) {
      const index = fitting.findIndex((kind) => kind.targets.includes(target.kind));
      if (index >= 0) return tasks[index].checkTarget(what, target, dataName);
      throw new LutnnError(
        `${what}: the targets must be ${description} (got ${describeTarget(target)} from ${dataName}); change the last layer, or give other data`,
      );
    },
    loss: unknown,
    distillation: unknown,
    divergence: unknown,
    score: unknown,
    metricOf: unknown,
    noise: unknown,
  };
}
