// Who else looks at progress bars: whoever started the work, through however many promises it goes.
import { AsyncLocalStorage } from "node:async_hooks";

/** A bar's figures. */
export interface ProgressFigures {
  label: string;
  done: number;
  /** Undefined when nobody knows. */
  total: number | undefined;
  /** Of `done` and `total`. */
  unit: string;
  /** Seconds; null when nobody can tell. */
  secondsLeft: number | null;
  /** The bar as one line of text. */
  line(): string;
}

interface Audience {
  listeners: readonly ((figures: ProgressFigures) => void)[];
  /** Whether bars and charts are drawn too. */
  isDrawn: boolean;
}

const nobody: Audience = { listeners: [], isDrawn: true };
const storage = new AsyncLocalStorage<Audience>();

/** Who looks at what is shown of the work that is being done. */
export const progressAudience = (): Audience => storage.getStore() ?? nobody;

/** Runs work whose progress a listener hears of too, at each step. */
export function listenToProgress<T>(listener: (figures: ProgressFigures) => void, work: () => T): T {
  const { listeners, isDrawn } = progressAudience();
  return storage.run({ listeners: [...listeners, listener], isDrawn }, work);
}

/** Runs work that no cell has asked for: no bar or chart of its progress is drawn. */
export const withoutDrawing = <T>(work: () => T): T =>
  storage.run({ ...progressAudience(), isDrawn: false }, work);
