import type { NetworkKeys } from "./figures";
import { fingerprint } from "./fingerprint";
import type { ConversionState } from "./state";
import { allReplaced, type Surroundings } from "./transitions";

/** Keys of the networks of a conversion's states by their content, each computed once. */
export class ContentKeys implements NetworkKeys {
  private readonly networks = new WeakMap<ConversionState, string>();
  private readonly wholes = new WeakMap<ConversionState, string>();

  /** @param stateOf the state of a number */
  constructor(
    private readonly stateOf: (id: number) => ConversionState,
    private readonly around: Surroundings,
  ) {}

  readonly network = (id: number): string => keyOf(this.stateOf(id), this.networks, (state) => state);

  readonly whole = (id: number): string =>
    keyOf(this.stateOf(id), this.wholes, (state) => allReplaced(state, this.around));
}

function keyOf(
  state: ConversionState,
  known: WeakMap<ConversionState, string>,
  network: (state: ConversionState) => ConversionState,
): string {
  const key = known.get(state) ?? fingerprint(network(state));
  known.set(state, key);
  return key;
}
