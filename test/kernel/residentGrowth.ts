/**
 * Bytes by which the process grows while `round` runs, at least: the smallest growth of up to `rounds` rounds, measured
 * until one stays below `limit`. A leak grows in every round; an allocator that keeps pages for later, or a garbage
 * collector that waits, does not.
 */
export async function residentGrowth(
  limit: number,
  round: () => unknown,
  { rounds = 6 }: { rounds?: number } = {},
): Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds && smallest >= limit; i++) {
    const before = process.memoryUsage().rss;
    await round();
    smallest = Math.min(smallest, process.memoryUsage().rss - before);
  }
  return smallest;
}
