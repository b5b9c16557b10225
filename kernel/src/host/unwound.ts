// Work that is stopped from outside in the middle of its JavaScript: its promises never settle, no catch or finally of it
// runs. A notebook kernel does so with code that does not see an interrupt.
import { AsyncLocalStorage } from "node:async_hooks";

const storage = new AsyncLocalStorage<() => void>();

/** Runs work; `onLost` is called, from the event loop, once it has been stopped so and can never end. */
export const watchingForLoss = <T>(onLost: () => void, work: () => T): T => storage.run(onLost, work);

/** What a kernel asks for in the middle of the code that it is about to stop, and calls once that is stopped. */
Reflect.set(globalThis, Symbol.for("lutnn.lossOf"), () => storage.getStore());
