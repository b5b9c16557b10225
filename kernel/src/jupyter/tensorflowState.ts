/** The parts of TensorFlow.js's engine that count how deep it is in calls of its own. */
interface EngineState {
  scopeStack: unknown[];
  numDataMovesStack: number[];
  gradientDepth: number;
  kernelDepth: number;
  /** What is being recorded for a gradient; each entry keeps tensors for the way back. */
  activeTape: { saved?: { dispose(): void }[] }[] | null;
}
interface Engine {
  state: EngineState;
  endScope(): void;
}

/**
 * Code that is stopped from outside leaves TensorFlow.js in the middle of its calls: new tensors would belong to a
 * scope that nobody closes, and gradients would be recorded as nested ones. Notes where it is now.
 * @returns what brings it back there; tensors of the scopes in between are disposed
 */
export function saveTensorflow(): () => void {
  const before = currentEngine()?.state;
  const scopes = before?.scopeStack.length ?? 0;
  const moves = before?.numDataMovesStack.length ?? 0;
  const { gradientDepth, kernelDepth } = before ?? { gradientDepth: 0, kernelDepth: 0 };
  return () => {
    const engine = currentEngine();
    if (!engine) return;
    const { state } = engine;
    if (state.gradientDepth > gradientDepth) {
      for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
      state.activeTape = null;
    }
    while (state.scopeStack.length > scopes) engine.endScope();
    state.numDataMovesStack.length = Math.min(moves, state.numDataMovesStack.length);
    Object.assign(state, { gradientDepth, kernelDepth });
  };
}

/** The engine, if the user's code has loaded TensorFlow.js: the kernel does not. */
const currentEngine = (): Engine | undefined => Reflect.get(globalThis, "_tfengine");
