// Sizes of float32 numbers in bins: by the upper 16 bits of |x|, which tell sizes apart to 1 in 128.

export const numBins = 2 ** 15;

/** The middle of each bin; the first holds zeros, and what is as good as zero. */
export const middles = new Float32Array(
  Uint32Array.from({ length: numBins }, (_, i) => (i ? i * 2 ** 16 + 2 ** 15 : 0)).buffer,
);

/** The bits of numbers, to be counted by: bin of |x| = (bits & 0x7fffffff) >>> 16, and the sign above it. */
export const bitsOf = (x: Float32Array): Uint32Array => new Uint32Array(x.buffer, x.byteOffset, x.length);

const limitsToAnOctave = 4;

/** Shares of the largest size at which a range may end: from all of it down to 1 / 64. */
export const triedShares: readonly number[] = Array.from(
  { length: 6 * limitsToAnOctave + 1 },
  (_, i) => 2 ** (-i / limitsToAnOctave),
);
