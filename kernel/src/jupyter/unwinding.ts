/** What the wire thread calls, through the inspector, in the middle of the user's code before it stops that code. */
const key = "lutnn.beforeUnwinding";
export const unwindingExpression = `globalThis[Symbol.for("${key}")]?.()`;

/**
 * Node keeps a stack of the asynchronous callbacks that it is in and aborts the process when that is not as it was
 * once a callback returns; code that is stopped from outside leaves it behind. Node itself empties the stack after an
 * uncaught exception: the same function is made available here.
 */
export function prepareUnwinding(): void {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const binding: { clearAsyncIdStack(): void } = Reflect.get(process, "binding").call(
      process,
      "async_wrap",
    );
    Reflect.set(globalThis, Symbol.for(key), () => binding.clearAsyncIdStack());
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
