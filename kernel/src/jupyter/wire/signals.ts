interface SignalHandle {
  onsignal: (signal: number) => void;
  start(signal: number): number;
  unref(): void;
}

/**
 * Calls `interrupted` on SIGINT, on this thread. process.on is only there for the main thread, which may be stuck;
 * Node's own signal handle works on the event loop of any thread, so it is asked for directly. False where this Node
 * does not give it.
 */
export function onInterruptSignal(interrupted: () => void): boolean {
  const sigint = 2;
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const binding: { Signal: new () => SignalHandle } = Reflect.get(process, "binding").call(
      process,
      "signal_wrap",
    );
    const handle = new binding.Signal();
    handle.onsignal = interrupted;
    handle.unref();
    return handle.start(sigint) === 0;
  } catch {
    return false;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
