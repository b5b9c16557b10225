// NEON of every 64-bit Arm processor: 4 float lanes, 32 registers. Tables are of signed bytes.
#include "isa/generic/attention.h"
#include "isa/generic/gelu.h"
#include "isa/generic/layer_norm.h"
#include "isa/generic/table_sums.h"
#include "isa/neon/simd.h"

namespace lutnn {
namespace {

void copyEverySecond(const EverySecond& copy) {
  const size_t count = copy.count;
  for (size_t r = 0; r < copy.rows; r++) {
    const float* x = copy.x + r * copy.xStride;
    float* y = copy.y + r * copy.yStride;
    size_t n = 0;
    for (; n + 4 < count; n += 4) vst1q_f32(y + n, vld2q_f32(x + 2 * n).val[0]);
    if (count >= 4) {  // the last 4 up to the last float: behind it there may be nothing
      const float32x4_t low = vld1q_f32(x + 2 * count - 8), high = vld1q_f32(x + 2 * count - 5);
      vst1q_f32(y + count - 4, vcombine_f32(vget_low_f32(vuzp1q_f32(low, high)), vget_high_f32(vuzp2q_f32(low, high))));
      continue;
    }
    for (; n < count; n++) y[n] = x[2 * n];
  }
}

void encodeRows(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  encodeRowsBy<Neon, 4>(books, x, rowStride, rows, codes);
}

void encodePositions(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                     uint8_t* codes) {
  size_t n = 0;
  for (; n + 16 <= positions; n += 16)
    encodePositionsStep<Neon, 4, 4, false>(books, codebook, x + n, taps, 4, codes + n);
  for (; n + 4 <= positions; n += 4) encodePositionsStep<Neon, 1, 8, false>(books, codebook, x + n, taps, 4, codes + n);
  if (n < positions) encodePositionsStep<Neon, 1, 8, true>(books, codebook, x + n, taps, positions - n, codes + n);
}

/// 4 neighbouring positions of output m on their way out at `at`.
inline void finish4(const Output& out, size_t at, size_t m, int32x4_t sums) {
  if (out.sums) return vst1q_s32(out.sums + at, sums);
  const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(sums), vld1q_dup_f32(out.scale + m));
  float32x4_t y = vaddq_f32(scaled, vld1q_dup_f32(out.bias + m));
  if (out.residual) y = vaddq_f32(y, vld1q_f32(out.residual + at));
  const float32x4_t floor = vdupq_n_f32(out.floor);
  vst1q_f32(out.y + at, vbslq_f32(vcltq_f32(y, floor), floor, y));
}

/// 16 signed bytes added up in 16 bits.
struct ByteSums {
  int16x8_t low, high;

  void start() { low = high = vdupq_n_s16(0); }
  void add(int8x16_t bytes) {
    low = vaddw_s8(low, vget_low_s8(bytes));
    high = vaddw_high_s8(high, bytes);
  }
  void addTo(int32x4_t (&sums)[4]) const {
    sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
    sums[1] = vaddw_high_s16(sums[1], low);
    sums[2] = vaddw_s16(sums[2], vget_low_s16(high));
    sums[3] = vaddw_high_s16(sums[3], high);
  }
};

/// Up to which codebook, from c on, sums fit into 16 bits.
template <int kAddends>
inline size_t chunkEnd(size_t c, size_t numCodebooks) {
  return numCodebooks - c > kAddends * kMaxSums16 ? c + kAddends * kMaxSums16 : numCodebooks;
}

inline int8x16_t loadBytes(const uint8_t* bytes) { return vreinterpretq_s8_u8(vld1q_u8(bytes)); }

/// Adds kAddends codebooks' entries for a panel of 4 outputs at kBlocks · 16 positions.
template <int kAddends, int kBlocks>
inline void shuffleStep(const uint8_t* entries, const uint8_t* codes, size_t codeStride,
                        ByteSums (&bytes)[4][kBlocks]) {
  int8x16_t found[4][kBlocks];
  LUTNN_UNROLL(int a = 0; a < kAddends; a++, entries += kPanelOutputs * 16, codes += codeStride) {
    uint8x16_t index[kBlocks];
    LUTNN_UNROLL(int i = 0; i < kBlocks; i++) index[i] = vld1q_u8(codes + i * 16);
    LUTNN_UNROLL(int j = 0; j < 4; j++) {
      const int8x16_t row = loadBytes(entries + j * 16);
      LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
        const int8x16_t more = vqtbl1q_s8(row, index[i]);
        found[j][i] = a == 0 ? more : vaddq_s8(found[j][i], more);
      }
    }
  }
  LUTNN_UNROLL(int j = 0; j < 4; j++) {
    LUTNN_UNROLL(int i = 0; i < kBlocks; i++) bytes[j][i].add(found[j][i]);
  }
}

/// Output m at 16 positions from n on, fewer at the end.
inline void finishPositions(const Output& out, size_t m, size_t n, size_t positions, const int32x4_t (&sums)[4]) {
  const size_t at = m * out.stride + n;
  if (n + 16 <= positions) {
    LUTNN_UNROLL(size_t q = 0; q < 4; q++) finish4(out, at + 4 * q, m, sums[q]);
    return;
  }
  int32_t lanes[16];
  LUTNN_UNROLL(size_t q = 0; q < 4; q++) vst1q_s32(lanes + 4 * q, sums[q]);
  for (size_t k = 0; n + k < positions; k++) finish(out, at + k, m, lanes[k]);
}

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on.
template <int kAddends, int kBlocks>
inline void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                         size_t positions, const Output& out) {
  const size_t numCodebooks = table.numCodebooks;
  const uint8_t *entries = table.entries + m * numCodebooks * 16, *code = codes + n;
  constexpr size_t kRow = kPanelOutputs * 16;
  int32x4_t sums[4][kBlocks][4];
  LUTNN_UNROLL(auto& output : sums) {
    LUTNN_UNROLL(auto& block : output) {
      LUTNN_UNROLL(auto& quarter : block) quarter = vdupq_n_s32(0);
    }
  }
  for (size_t c = 0; c < numCodebooks;) {
    ByteSums bytes[4][kBlocks];
    LUTNN_UNROLL(auto& output : bytes) {
      LUTNN_UNROLL(auto& block : output) block.start();
    }
    const size_t end = chunkEnd<kAddends>(c, numCodebooks);
    for (; c + kAddends <= end; c += kAddends)
      shuffleStep<kAddends, kBlocks>(entries + c * kRow, code + c * codeStride, codeStride, bytes);
    for (; c < end; c++) shuffleStep<1, kBlocks>(entries + c * kRow, code + c * codeStride, codeStride, bytes);
    LUTNN_UNROLL(int j = 0; j < 4; j++) {
      LUTNN_UNROLL(int i = 0; i < kBlocks; i++) bytes[j][i].addTo(sums[j][i]);
    }
  }
  LUTNN_UNROLL(size_t j = 0; j < 4; j++) {
    LUTNN_UNROLL(size_t i = 0; i < kBlocks; i++) {
      if (m + j < table.outputs) finishPositions(out, m + j, n + 16 * i, positions, sums[j][i]);
    }
  }
}

template <int kAddends>
void lookupShuffleOf(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                     const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kPanelOutputs) {
    size_t n = 0;
    for (; n + 16 < positions; n += 32) shufflePanel<kAddends, 2>(table, m, codes, codeStride, n, positions, out);
    if (n < positions) shufflePanel<kAddends, 1>(table, m, codes, codeStride, n, positions, out);
  }
}

void lookupShuffle(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                   const Output& out) {
  if (table.addends >= 2) lookupShuffleOf<2>(table, codes, codeStride, positions, out);
  else lookupShuffleOf<1>(table, codes, codeStride, positions, out);
}

/// Adds kAddends codebooks' entries for kRows rows of codes, codeStride apart, and 64 outputs.
template <int kAddends, int kRows>
inline void gatherStep(const uint8_t* book, size_t bookBytes, const uint8_t* codes, size_t codeStride,
                       ByteSums (&bytes)[kRows][4]) {
  LUTNN_UNROLL(int r = 0; r < kRows; r++) {
    const uint8_t* row = book + codes[r * codeStride] * kGatherOutputs;
    const uint8_t* next = book + bookBytes + codes[r * codeStride + kAddends - 1] * kGatherOutputs;
    LUTNN_UNROLL(int q = 0; q < 4; q++) {
      const int8x16_t found = loadBytes(row + 16 * q);
      bytes[r][q].add(kAddends == 2 ? vaddq_s8(found, loadBytes(next + 16 * q)) : found);
    }
  }
}

/// 64 outputs of a row from m on, fewer at the end, to `at`.
inline void finishOutputs(const Output& out, size_t at, size_t m, size_t outputs, const int32x4_t (&sums)[4][4]) {
  LUTNN_UNROLL(size_t i = 0; i < 16; i++) {
    const size_t first = m + 4 * i;
    if (out.sums || first + 4 > outputs) {
      int32_t lanes[4];
      vst1q_s32(lanes, sums[i / 4][i % 4]);
      for (size_t j = 0; j < 4 && first + j < outputs; j++) finish(out, at + 4 * i + j, first + j, lanes[j]);
      continue;
    }
    const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(sums[i / 4][i % 4]), vld1q_f32(out.scale + first));
    float32x4_t y = vaddq_f32(scaled, vld1q_f32(out.bias + first));
    if (out.residual) y = vaddq_f32(y, vld1q_f32(out.residual + at + 4 * i));
    const float32x4_t floor = vdupq_n_f32(out.floor);
    vst1q_f32(out.y + at + 4 * i, vbslq_f32(vcltq_f32(y, floor), floor, y));
  }
}

/// kRows rows from n on, and 64 outputs from m on.
template <int kAddends, int kRows>
inline void gatherRows(const GatherTable& table, size_t m, const uint8_t* codes, size_t n, const Output& out) {
  const size_t numCodebooks = table.numCodebooks, bookBytes = table.numCentroids * kGatherOutputs;
  const uint8_t* book = table.entries + m * numCodebooks * table.numCentroids;
  const uint8_t* code = codes + n * numCodebooks;
  int32x4_t sums[kRows][4][4];
  LUTNN_UNROLL(auto& row : sums) {
    LUTNN_UNROLL(auto& part : row) {
      LUTNN_UNROLL(auto& quarter : part) quarter = vdupq_n_s32(0);
    }
  }
  for (size_t c = 0; c < numCodebooks;) {
    ByteSums bytes[kRows][4];
    LUTNN_UNROLL(auto& row : bytes) {
      LUTNN_UNROLL(auto& part : row) part.start();
    }
    const size_t end = chunkEnd<kAddends>(c, numCodebooks);
    for (; c + kAddends <= end; c += kAddends, book += kAddends * bookBytes)
      gatherStep<kAddends, kRows>(book, bookBytes, code + c, numCodebooks, bytes);
    for (; c < end; c++, book += bookBytes) gatherStep<1, kRows>(book, bookBytes, code + c, numCodebooks, bytes);
    LUTNN_UNROLL(int r = 0; r < kRows; r++) {
      LUTNN_UNROLL(int q = 0; q < 4; q++) bytes[r][q].addTo(sums[r][q]);
    }
  }
  for (size_t r = 0; r < kRows; r++) finishOutputs(out, (n + r) * out.stride + m, m, table.outputs, sums[r]);
}

template <int kAddends>
void lookupGatherOf(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kGatherOutputs) {
    size_t n = 0;
    for (; n + 2 <= rows; n += 2) gatherRows<kAddends, 2>(table, m, codes, n, out);
    if (n < rows) gatherRows<kAddends, 1>(table, m, codes, n, out);
  }
}

void lookupGather(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  if (table.addends >= 2) lookupGatherOf<2>(table, codes, rows, out);
  else lookupGatherOf<1>(table, codes, rows, out);
}

void finishTransposed(const int32_t* sums, size_t positions, size_t outputs, const Output& out) {
  size_t n = 0;
  for (; n + 4 <= positions; n += 4) {
    size_t m = 0;
    for (; m + 4 <= outputs; m += 4) {
      const int32_t* block = sums + n * outputs + m;
      const int32x4x2_t low = vtrnq_s32(vld1q_s32(block), vld1q_s32(block + outputs));
      const int32x4x2_t high = vtrnq_s32(vld1q_s32(block + 2 * outputs), vld1q_s32(block + 3 * outputs));
      const size_t at = m * out.stride + n;
      for (size_t j = 0; j < 2; j++) {  // outputs j and j + 2
        const int32x4_t first = vcombine_s32(vget_low_s32(low.val[j]), vget_low_s32(high.val[j]));
        const int32x4_t second = vcombine_s32(vget_high_s32(low.val[j]), vget_high_s32(high.val[j]));
        finish4(out, at + j * out.stride, m + j, first);
        finish4(out, at + (j + 2) * out.stride, m + j + 2, second);
      }
    }
    for (; m < outputs; m++)
      for (size_t i = n; i < n + 4; i++) finish(out, m * out.stride + i, m, sums[i * outputs + m]);
  }
  for (; n < positions; n++)
    for (size_t m = 0; m < outputs; m++) finish(out, m * out.stride + n, m, sums[n * outputs + m]);
}

}  // namespace

const Microkernels kNeonMicrokernels = {
    .isa = "neon",
    .shuffleUnsigned = false,
    .gatherUnsigned = false,
    .gatherSpan = 0,
    .groupCodebooks = 1,
    .copyEverySecond = copyEverySecond,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
    .encodeRowsTree = encodeRowsTree,
    .encodePositionsTree = encodePositionsTree<Neon>,
    .groupCodes = nullptr,
    .lookupShuffle = lookupShuffle,
    .lookupGather = lookupGather,
    .finishTransposed = finishTransposed,
    .gelu = GeluOf<Neon>::gelu,
    .attend = AttentionOf<Neon>::attend,
    .byteShares = AttentionOf<Neon>::byteShares,
    .layerNorm = LayerNormOf<Neon>::layerNorm,
    .lookupAdd = TableSumsOf<Neon>::lookupAdd,
    .scatterAdd = TableSumsOf<Neon>::scatterAdd,
    .int8 = &kNeonMicrokernelsInt8,
    .dense = &kNeonMicrokernelsDense,
    .gatherLimits = {{{9, 9}, {9, 9}, {9, 9}, {9, 9}}},
};

}  // namespace lutnn
