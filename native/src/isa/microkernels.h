// The contract of the microkernels: one struct of functions, filled by one folder per instruction set and chosen in
// dispatch.cc. They compute on buffers only: they allocate nothing, check nothing, keep nothing, and touch no byte
// outside the arrays that they are given.
//
// Letters
//   N  rows of a matrix, or positions of a convolution's output
//   C  codebooks      V  length of a sub-vector      M  outputs
//   K  centroids of a codebook, at most 256
//   B  blocks of 16 centroids, ceil(K / 16); the last block is filled up with copies of centroid 0, which never win
//
// The code of a sub-vector a is the k with the largest key of score_k = −½‖P_k‖² + Σ_v a_v · P_kv, where the sum
// starts at −½‖P_k‖² and runs through v upwards by fused multiply-add in float32, and key() below orders the scores.
// Of equal keys the lower k wins. So every instruction set gives the same codes, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lutnn {

constexpr size_t kBlockCentroids = 16;
/// Outputs side by side in a shuffle table.
constexpr size_t kPanelOutputs = 4;
/// Outputs side by side in a gather table.
constexpr size_t kGatherOutputs = 64;

/// A table's width sets how many of its entries may be added up as bytes: 1 for any int8, 2 for −64 … 63 (7 bits), 16 for
/// −8 … 7 (4 bits). Where bytes are unsigned, 128 / addends is added to each entry when it is packed.
constexpr size_t kAddends8Bit = 1, kAddends7Bit = 2, kAddends4Bit = 16;
/// Sums of so many times `addends` entries fit into 16 bits: 256 · 128 = 2¹⁵.
constexpr size_t kMaxSums16 = 256;

/// The centroids in the order in which they are read; 64-byte aligned.
struct Codebooks {
  size_t numCodebooks;
  size_t numBlocks;
  size_t subvectorLength;
  const float* centroids;  // (C, B, V, 16)
  const float* halfNorms;  // (C, B, 16): −½‖P‖², or −½‖P_0‖² for a copy of centroid 0
};

/// The centroids for codes of 8-bit inputs. Elements come in quads of bytes; which element each byte holds is the
/// operator's to know, and a byte that holds none has weight 0.
///
/// Either an input is q = 128 + round(clamp(x · inputScale)), a weight is round(P · weightScale) with a scale for each
/// codebook, both within ±127; or the model has its bytes, any of 0 … 255, and its weights within ±127 (Encoding::kInteger,
/// whose half norms are whole and whose inputScale here is 1). score_k = round(halfNorm_k · inputScale) − 128 · Σ weights + Σ q · weight in int32, exactly; of
/// equal scores the lower k wins. The codes are the same on every instruction set, but they are not those of Codebooks.
struct CodebooksInt8 {
  size_t numCodebooks;
  size_t numBlocks;
  size_t numQuads;  // Q, of a sub-vector
  const int8_t* weights;  // (C, B, Q, 16, 4)
  const float* halfNorms;  // (C, B, 16): −½‖P‖² · weightScale
  const int32_t* offsets;  // (C, B, 16): −128 · Σ weights
};

/// Rounded half norms are at least this, so that scores fit into 28 bits.
constexpr float kLeastHalfNorm = -67108864.0f;

constexpr size_t kTreeLevels = 4, kTreeNodes = 8;

/// Codes by comparison instead (Maddness), for K = 16: from node 0 of level 0 on, each level compares one element of the
/// sub-vector with the node's threshold, and goes on to node 2 i + 1 of the next level where it is greater, else to 2 i.
/// The last one is the code.
struct Trees {
  size_t numCodebooks;
  size_t subvectorLength;
  const int32_t* dimensions;  // (C, 4): which element, below V
  const float* thresholds;  // (C, 4, 8): the first 2^level of each 8
};

/// K ≤ 16: a shuffle looks up 16 positions in one codebook, or 64 bytes' worth in a group of G codebooks at once.
/// Bytes; 64-byte aligned; absent outputs and codebooks are 0.
struct ShuffleTable {
  size_t numCodebooks;
  size_t outputs;
  size_t addends;
  const uint8_t* entries;  // (ceil(M / 4), ceil(C / G), 4, G, 16)

  /// The table of `count` outputs from m on, a multiple of 4.
  ShuffleTable panels(size_t m, size_t count, size_t group) const {
    const size_t padded = (numCodebooks + group - 1) / group * group;
    return {.numCodebooks = numCodebooks, .outputs = count, .addends = addends, .entries = entries + m * padded * 16};
  }
};

/// Any K: rows of 64 outputs are added up. Bytes; 64-byte aligned; absent outputs are 0. Where gatherSpan is S > 0,
/// outputs i and S / 2 + i of each S lie side by side, i from 0 to S / 2 − 1.
struct GatherTable {
  size_t numCodebooks;
  size_t numCentroids;
  size_t outputs;
  size_t addends;
  const uint8_t* entries;  // (ceil(M / 64), C, K, 64)

  /// The table of `count` outputs from m on, a multiple of 64.
  GatherTable blocks(size_t m, size_t count) const {
    return {.numCodebooks = numCodebooks,
            .numCentroids = numCentroids,
            .outputs = count,
            .addends = addends,
            .entries = entries + m * numCodebooks * numCentroids};
  }
};

/// What becomes of a sum: stored as it is where `sums` is given; else y = sum · scale + bias, multiplication and
/// addition rounded one after the other, then the residual is added, and what is below the floor becomes the floor.
struct Output {
  int32_t* sums = nullptr;
  float* y = nullptr;
  const float* residual = nullptr;  // or laid out like y
  size_t stride;  // elements between neighbouring outputs, or rows
  float floor;  // 0 for ReLU, else −∞
  const float* scale = nullptr;  // (M), filled up to a multiple of 64; 64-byte aligned
  const float* bias = nullptr;  // the same
  // Of dense layers alone, from microkernels that make them: y's bytes, as quantizeBy has them, laid out like y, which may be null
  // then.
  uint8_t* bytes = nullptr;
  float bytesScale = 1;
  uint8_t bytesZeroPoint = 0;
};

/// Microkernels of 8-bit inputs.
struct MicrokernelsInt8 {
  /// The largest |x|, NaN left out; 0 for none.
  float (*largest)(const float* x, size_t count);
  /// x → q
  void (*quantize)(const float* x, size_t count, float inputScale, uint8_t* q);
  /// x → clamp(round(x / scale) + zeroPoint, 0, 255), the quotient rounded to a float, halves to the even number, NaN to 0
  void (*quantizeBy)(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q);
  /// Quad n is the bytes n … n + 3: bytes (count + 3) → quads (count).
  void (*spread)(const uint8_t* bytes, size_t count, uint8_t* quads);
  /// Quad n is byte n of each of 1 … 4 rows, and 0 where there are fewer: rows, stride bytes apart → quads (count).
  void (*interleave)(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads);
  /// Quads (rows, C, Q), one input scale a row → codes (rows, C).
  void (*encodeRows)(const CodebooksInt8&, const uint8_t* quads, const float* inputScales, size_t rows, uint8_t* codes);
  /// One codebook at consecutive positions: quad i of position n is quads[taps[i] + n]; taps (Q) → codes (positions).
  void (*encodePositions)(const CodebooksInt8&, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                          float inputScale, size_t positions, uint8_t* codes);
};

extern const MicrokernelsInt8 kScalarMicrokernelsInt8;
extern const MicrokernelsInt8 kAvx2MicrokernelsInt8;
extern const MicrokernelsInt8 kAvx512MicrokernelsInt8;
extern const MicrokernelsInt8 kAvx512VbmiMicrokernelsInt8;
extern const MicrokernelsInt8 kNeonMicrokernelsInt8;
extern const MicrokernelsInt8 kNeonDotMicrokernelsInt8;

/// Outputs side by side in the weights of a dense layer.
constexpr size_t kDenseOutputs = 16;
/// Positions that columns of quads are filled up to a multiple of.
constexpr size_t kDensePositions = 16;

/// The weights of a dense layer in quads, of absent outputs and elements 0; 64-byte aligned. Sums are start_m + Σ x · weight, in
/// int32 that may wrap around on the way; x is a byte, less 128 where MicrokernelsDense says so, which the starts make up for.
struct DenseWeights {
  size_t outputs;
  size_t numQuads;  // Q, a multiple of G
  const int8_t* weights;  // (ceil(M / 16), Q / G, 16, G, 4), within ±127
  const int32_t* starts;  // (ceil(M / 16), 16)

  /// Those of `count` outputs from m on, a multiple of 16.
  DenseWeights part(size_t m, size_t count) const {
    return {.outputs = count, .numQuads = numQuads, .weights = weights + m * numQuads * 4, .starts = starts + m};
  }
};

/// A block of windows as columns: of each quad at `positions` consecutive places of some rows, one row after the other.
struct ColumnBlock {
  const uint8_t* quads;
  const ptrdiff_t* taps;  // (numQuads): where each quad of the window lies from a position's place, in quads
  size_t numQuads;
  struct Run {
    size_t from, count;  // the first position's place, in quads, and positions
  };
  const Run* runs;
  size_t numRuns;
  uint8_t* columns;  // (numQuads, stride, 4)
  size_t stride;
};
/// Quads that are copied at a time: columns are read and written past the end of a run by less than that.
constexpr size_t kCopiedQuads = 16;

/// Products of bytes.
struct MicrokernelsDense {
  /// Whether inputs lose 128, to be signed.
  bool isSigned;
  /// Whether results become bytes along the way: Output's.
  bool makesBytes;
  /// What the number of quads is a multiple of, for rows (whose G is 1) and for columns (where it is G).
  size_t rowQuads, columnQuads;
  /// x, rows of Q quads, rowStride bytes apart → sums or y (rows, M).
  void (*multiplyRows)(const DenseWeights&, const uint8_t* x, size_t rowStride, size_t rows, const Output&);
  void (*gatherColumns)(const ColumnBlock&);
  /// Quads (Q, positions filled up to a multiple of 16), `stride` quads apart → sums or y (M, positions).
  void (*multiplyColumns)(const DenseWeights&, const uint8_t* quads, size_t stride, size_t positions, const Output&);
};

extern const MicrokernelsDense kScalarMicrokernelsDense;
extern const MicrokernelsDense kAvx2MicrokernelsDense;
extern const MicrokernelsDense kAvx512MicrokernelsDense;
extern const MicrokernelsDense kAvx512VbmiMicrokernelsDense;
extern const MicrokernelsDense kAmxMicrokernelsDense;
extern const MicrokernelsDense kNeonMicrokernelsDense;
extern const MicrokernelsDense kNeonDotMicrokernelsDense;

/// Images of up to so many output positions are read faster by gather than by shuffle, as read_bench measured it for
/// up to 32, 128, 384 and more codebooks, each for up to 128 and for more outputs.
struct GatherLimits {
  size_t positions[4][2];
};
constexpr size_t kGatherAlways = SIZE_MAX;

/// y[r · yStride + n] = x[r · xStride + 2 · n] for n from 0 to count − 1, which is at least 1.
struct EverySecond {
  const float* x;
  size_t xStride;
  float* y;
  size_t yStride;
  size_t rows, count;
};

/// What rows look up in a table of floats (C, K, M).
struct TableSums {
  const uint8_t* codes;  // (rows, C), each below K
  size_t rows, numCodebooks, numCentroids, outputs;
};

constexpr float kGeluError = 0x1p-22f;

/// Queries that attention computes at a time, and what its rows are filled up to a multiple of.
constexpr size_t kAttentionRows = 6, kAttentionColumns = 32;

/// What the queries of one head attend to. Rows are filled up with zeros, penalties with large negative numbers.
struct AttentionHead {
  size_t depth, positions, outputs;
  const float* keys;  // (depth, padded positions)
  const float* values;  // (positions, padded outputs)
  const float* penalties;  // (padded positions), added to scores
  float scale;

  static size_t padded(size_t n) { return (n + kAttentionColumns - 1) / kAttentionColumns * kAttentionColumns; }
  size_t paddedPositions() const { return padded(positions); }
  size_t paddedOutputs() const { return padded(outputs); }
};

/// What layer norm does to each row of `count` numbers.
struct LayerNormRow {
  size_t count;
  const float *scale, *shift;  // (count)
  float epsilon;
};

struct Microkernels {
  const char* isa;
  /// Whether the bytes of a table are unsigned.
  bool shuffleUnsigned, gatherUnsigned;
  size_t gatherSpan;
  /// G, 1 or 4: codebooks that one shuffle looks up. Their codes lie side by side.
  size_t groupCodebooks;

  void (*copyEverySecond)(const EverySecond&);

  /// x (rows, C·V), rowStride floats between rows → codes (rows, C).
  void (*encodeRows)(const Codebooks&, const float* x, size_t rowStride, size_t rows, uint8_t* codes);

  /// One codebook at consecutive positions: element v of position n is x[taps[v] + n]; taps (V) → codes (positions).
  void (*encodePositions)(const Codebooks&, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                          uint8_t* codes);

  /// The same by trees.
  void (*encodeRowsTree)(const Trees&, const float* x, size_t rowStride, size_t rows, uint8_t* codes);
  void (*encodePositionsTree)(const Trees&, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                              uint8_t* codes);

  /// Null where G is 1. Codes (count, positions), stride bytes apart, of the 1 … G codebooks of a group → (positions, G)
  /// as the lookups below read them: 16 · g + code.
  void (*groupCodes)(const uint8_t* codes, size_t stride, size_t count, size_t positions, uint8_t* grouped);

  /// Adds up table entries for every output. codes (ceil(C / G), positions, G), codeStride bytes between groups and
  /// readable up to a multiple of 16 positions → sums or y (M, positions).
  void (*lookupShuffle)(const ShuffleTable&, const uint8_t* codes, size_t codeStride, size_t positions, const Output&);

  /// codes (rows, C) without gaps → sums or y (rows, M). Only for codes below K.
  void (*lookupGather)(const GatherTable&, const uint8_t* codes, size_t rows, const Output&);

  /// sums (positions, M) → y (M, positions).
  void (*finishTransposed)(const int32_t* sums, size_t positions, size_t outputs, const Output&);

  /// x → x · Φ(x), Φ the normal distribution: within kGeluError · |x| of it, with the same bits on every instruction set.
  void (*gelu)(float* x, size_t count);

  /// Rows of queries (depth) → y (kAttentionRows, padded outputs): softmax(scale · query · keys + penalties) · values, with the
  /// same bits on every instruction set; room (kAttentionRows, padded positions). A score that is no finite number makes its row none.
  void (*attend)(const AttentionHead&, const float* const (&queries)[kAttentionRows], float* room, float* y);
  /// How far scores are below any number, as many as a multiple of kAttentionColumns → bytes round(255 · e^(least distance −
  /// distance)), halves to the even number, with the same bits on every instruction set. Returns their sum, or 0 where a distance
  /// is no finite number.
  uint32_t (*byteShares)(const float* distances, size_t count, uint8_t* bytes);

  /// x (count) → y (count): (x − mean) / √(variance + epsilon) · scale + shift, with the same bits on every instruction set.
  void (*layerNorm)(const LayerNormRow&, const float* x, float* y);

  /// sums (rows, M) += Σ_c table[c][code_c] for rows from firstRow on, c rising.
  void (*lookupAdd)(const TableSums&, const float* table, size_t firstRow, size_t endRow, float* sums);
  /// table[c][code_c] += values (rows, M) for codebooks from firstBook on, rows rising.
  void (*scatterAdd)(const TableSums&, const float* values, size_t firstBook, size_t endBook, float* table);

  const MicrokernelsInt8* int8;
  const MicrokernelsDense* dense;

  GatherLimits gatherLimits;
  size_t gatherUpTo(size_t numCodebooks, size_t outputs) const {
    const size_t row = numCodebooks <= 32 ? 0 : numCodebooks <= 128 ? 1 : numCodebooks <= 384 ? 2 : 3;
    return gatherLimits.positions[row][outputs > 128];
  }
};

extern const Microkernels kScalarMicrokernels;
extern const Microkernels kAvx2Microkernels;
extern const Microkernels kAvx512Microkernels;
extern const Microkernels kAvx512VbmiMicrokernels;
extern const Microkernels kNeonMicrokernels;
extern const Microkernels kNeonDotMicrokernels;

// The files of the instruction sets are compiled with flags of their own. What they share is `static`, so that the
// linker can never hand a function compiled for one processor to another.

/// A float's bits as an integer of the same order, the low 4 bits cleared: an index may travel there.
static inline int32_t key(float score) {
  int32_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  const int32_t flip = static_cast<int32_t>(static_cast<uint32_t>(bits >> 31) >> 1);
  return (bits ^ flip) & ~15;
}

/// One sum on its way out; `at` is its place in the output, m its output.
static inline void finish(const Output& out, size_t at, size_t m, int32_t sum) {
  if (out.sums) {
    out.sums[at] = sum;
    return;
  }
  float y = static_cast<float>(sum) * out.scale[m];
  y = y + out.bias[m];
  if (out.residual) y = y + out.residual[at];
  out.y[at] = y < out.floor ? out.floor : y;
}

}  // namespace lutnn
