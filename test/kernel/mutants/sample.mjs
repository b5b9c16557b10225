/** Numbers in [0, 1) that follow from a seed (mulberry32). */
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same things in an order at random by a seed; what is left out later leaves the order of the others as it was. */
export function shuffled(things, seed) {
  const random = randomFrom(seed);
  return things
    .map((thing) => ({ thing, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ thing }) => thing);
}

/** Wilson's 95 % interval of a share. */
export function interval(successes, count) {
  const z = 1.96;
  const share = successes / count;
  const middle = share + z ** 2 / (2 * count);
  const reach = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return [middle - reach, middle + reach].map((value) => value / (1 + z ** 2 / count));
}
