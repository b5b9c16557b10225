/** What the wire thread calls, through the inspector, in the middle of the user's code before it stops that code. */
const key = "lutnn.beforeUnwinding";
export const unwindingExpression = `globalThis[Symbol.for("${key}")]?.()`;

/**
 * Node keeps a stack of the asynchronous callbacks that it is in and aborts the process when that is not as it was
 * once a callback returns; code that is stopped from outside leaves it behind. Node empties the stack after it has
 * handled an uncaught exception: so it is given one to handle, of which nobody else hears.
 */
export function prepareUnwinding(): void {
  const handle: unknown = Reflect.get(process, "_fatalException");
  if (typeof handle !== "function") return;
  const unwind = () => {
    process.setUncaughtExceptionCaptureCallback(() => {});
    try {
      handle(new Error("the code is stopped"));
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
  };
  Reflect.set(globalThis, Symbol.for(key), unwind);
}
