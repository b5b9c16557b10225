/** Names of the functions that compiled cells call, as properties of a global object (see `cellRunner.ts`). */
export const hooks = {
  global: "__cell__",
  /** Gives the cell its last value. */
  result: "result",
  /** Sets variables to what a module exports. */
  bind: "bind",
  /** `let x;` */
  blank: "blank",
  resume: "resume",
  resumeEach: "resumeEach",
  load: "load",
  /** `import.meta` */
  meta: "meta",
} as const;

/** The code of a call of one of them, up to its first argument. */
export const opening = (name: Exclude<keyof typeof hooks, "global" | "meta">): string =>
  `${hooks.global}.${hooks[name]}(`;
