/** Dims with as many axes as wanted, those in front of length 1. */
const padded = <L extends number | null>(dims: readonly L[], rank: number): (L | 1)[] => [
  ...Array<1>(rank - dims.length).fill(1),
  ...dims,
];

/** The dims of two values spread over each other from the back; null when they do not fit. Null as a length is the batch. */
export function broadcastDims<L extends number | null>(a: readonly L[], b: readonly L[]): (L | 1)[] | null {
  const rank = Math.max(a.length, b.length);
  const [first, second] = [padded(a, rank), padded(b, rank)];
  if (first.some((length, i) => length !== second[i] && length !== 1 && second[i] !== 1)) return null;
  return first.map((length, i) => (length === 1 ? second[i] : length));
}

/** For each place of `dims`, row-major, the place in a value of dims `of` that is spread over them. */
export function spreadPlaces(of: readonly number[], dims: readonly number[]): Int32Array {
  const count = dims.reduce((all, length) => all * length, 1);
  const places = new Int32Array(count);
  const strides = dims.map((_, i) => {
    const own = i - dims.length + of.length;
    if (own < 0 || of[own] === 1) return 0;
    return of.slice(own + 1).reduce((all, length) => all * length, 1);
  });
  const index = dims.map(() => 0);
  for (let at = 0, place = 0; at < count; at++) {
    places[at] = place;
    for (let i = dims.length - 1; i >= 0; i--) {
      place += strides[i];
      if (++index[i] < dims[i]) break;
      place -= strides[i] * dims[i];
      index[i] = 0;
    }
  }
  return places;
}
