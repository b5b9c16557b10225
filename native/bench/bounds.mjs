// What binds a layer that misses a target, and what was tried. Known from bench/microkernels_bench.cc, which times the
// microkernels alone, on an AVX-512 server core (family 25 model 17, 512-bit operations in two halves); another
// processor may be bound by something else.

const isMatrix = (row) => row.name.startsWith("FC");
const isOneByOne = (row) => row.name.includes("1×1");

const encode = (isa, row) => {
  if (isa === "avx2")
    return "ports: alone the kernels reach 71 % on rows and 68 % on planes; with 16 registers every centroid is loaded again for each sum, and keys need 5 operations where AVX-512 needs 3; the overlapped loop of AVX-512 needs more registers than there are; 8-bit encoding, at 4 operations for 32 products, took 0.92 to 1.20 times as long";
  if (isMatrix(row))
    return "ports: alone the kernel reaches 85 % of the peak; the largest keys are found across lanes, which nothing overlaps";
  if (isOneByOne(row))
    return "loads: 4 multiply-adds an input value hide neither the copy of every second value (alone the kernel reaches 68 %) nor the search for the best of 16 keys; copying all rows in one call, without clearing first, took 8 to 10 % off the layer";
  return "loads: alone the kernel reaches 91 % of the peak; filling padded planes, the positions between rows and sorting codes into groups of four take the rest";
};

const lookup = (isa, row) => {
  if (isa === "avx2")
    return "ports: a shuffle, a shift and two widening sums for 32 entries; alone the kernels reach 52 to 90 a ns; the faster of shuffle and gather is taken from a measured table, 7-bit tables save sums";
  if (isMatrix(row))
    return "stores: y is written by rows, which gathering does (77 to 110 a ns alone); shuffling (104 to 150 a ns alone) writes outputs apart, and turning them round took longer than it saved";
  if (isOneByOne(row))
    return "stores: only 16 codebooks, 4 shuffles for 16 outputs that are then scaled, biased and written; alone the kernel reaches 87 a ns";
  return "stores: outputs are scaled, biased and written between the sums; alone the kernel reaches 141 to 150 a ns";
};

const layer = (isa, row) => {
  if (isOneByOne(row)) return `encode and lookup alike (${encode(isa, row)})`;
  const encodes = row.encodeMs > row.lookupMs;
  return encodes ? `encode; ${encode(isa, row)}` : `lookup; ${lookup(isa, row)}`;
};

/** One sentence for a missed target of a row: its first word is ports, loads, stores or the half that binds. */
export function boundBy(key, isa, row) {
  if (key === "encode") return encode(isa, row);
  if (key === "lookup") return lookup(isa, row);
  return layer(isa, row);
}
