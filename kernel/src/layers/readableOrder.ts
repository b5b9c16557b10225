// TensorFlow.js writes a network as its layers, each with what its calls read, by the numbers of other layers' calls. When it
// reads that, it goes through the layers again and again and makes every call whose inputs are there; a call that comes too
// early goes behind those after it, and from then on its number means another call: branches are mixed up without a word.

/** What a call reads: the layer that made it, by which of its calls, and which of that call's outputs. */
type Inbound = readonly [layer: string, call: number, output: number, ...rest: unknown[]];

/** A layer in TensorFlow.js' format. */
export interface LayerJson {
  name: string;
  config: { name: string; layers?: LayerJson[] } & Record<string, unknown>;
  /** Of each call. An input has none; a sequence's layers say nothing of them. */
  inbound_nodes?: readonly (readonly Inbound[])[];
}

/** Calls that a layer has before any of those listed: an input its own, a network the one inside. */
const ownCalls = ({ config, inbound_nodes: calls = [] }: LayerJson): number =>
  config.layers || calls.length === 0 ? 1 : 0;

/**
 * Makes calls as long as some can be made. `inTurn` holds back a call until those of its layer before it are made, as the
 * network was built; otherwise the layer's later ones overtake it, as when TensorFlow.js reads.
 * @returns layer and number of each call, as they are made
 */
function makeCalls(layers: readonly LayerJson[], inTurn: boolean): (readonly [LayerJson, number])[] {
  const made = new Map(layers.map((layer) => [layer.name, ownCalls(layer)]));
  const waiting = new Map(layers.map(({ name, inbound_nodes: calls = [] }) => [name, [...calls.keys()]]));
  const order: (readonly [LayerJson, number])[] = [];
  for (let before = -1; before !== order.length; ) {
    before = order.length;
    for (const layer of layers) {
      const left: number[] = [];
      for (const call of waiting.get(layer.name)!) {
        const isReady = layer.inbound_nodes![call].every(([from, at]) => (made.get(from) ?? 0) > at);
        if (!isReady || (inTurn && left.length > 0)) left.push(call);
        else {
          made.set(layer.name, made.get(layer.name)! + 1);
          order.push([layer, call]);
        }
      }
      waiting.set(layer.name, left);
    }
  }
  return order;
}

/** Whether TensorFlow.js makes every layer's calls in their order when it reads the layers in this one. */
function readsBack(layers: readonly LayerJson[]): boolean {
  const next = new Map<LayerJson, number>();
  const order = makeCalls(layers, false);
  const isInTurn = order.every(([layer, call]) => {
    const wanted = next.get(layer) ?? 0;
    next.set(layer, call + 1);
    return call === wanted;
  });
  return (
    isInTurn && order.length === layers.reduce((sum, { inbound_nodes: calls = [] }) => sum + calls.length, 0)
  );
}

/** The given order, or that in which layers are first called; null where neither reads back. */
function inReadableOrder(layers: readonly LayerJson[]): readonly LayerJson[] | null {
  if (layers.every(({ inbound_nodes: calls }) => calls === undefined) || readsBack(layers)) return layers;
  const called = new Set(makeCalls(layers, true).map(([layer]) => layer));
  const ordered = [...layers.filter((layer) => !called.has(layer)), ...called];
  return readsBack(ordered) ? ordered : null;
}

/** A network in TensorFlow.js' format, or one inside another. */
export interface NetworkJson {
  layers?: LayerJson[];
}

const isPlain = ({ inbound_nodes: calls }: LayerJson): boolean =>
  calls === undefined || (Array.isArray(calls) && calls.every(Array.isArray));

/**
 * Puts a network's layers, and those of networks inside it, into an order in which TensorFlow.js reads them as they are.
 * False where there is none; what is no list of layers stays as it is.
 */
export function orderReadably(network: NetworkJson): boolean {
  const { layers } = network;
  if (!Array.isArray(layers) || !layers.every((layer) => layer?.config && isPlain(layer))) return true;
  if (!layers.every(({ config }) => orderReadably(config))) return false;
  const ordered = inReadableOrder(layers);
  if (ordered) network.layers = [...ordered];
  return ordered !== null;
}
