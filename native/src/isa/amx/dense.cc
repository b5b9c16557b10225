// Products of bytes by AMX: a tile of 16 rows by 64 bytes, times one of 16 quads by 16, is added to 16 × 16 sums. The rows of the
// first are rows of inputs, and the second are weights; or, for columns, rows of weights and quads at positions.
#include "isa/avx512vbmi/dense.h"

namespace lutnn {
namespace {

constexpr size_t kTile = 16;  // rows of a tile, and 32-bit columns
constexpr size_t kTileBytes = 1024;  // of weights, in either order

/// All eight tiles are whole.
struct TileShapes {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
alignas(64) constexpr TileShapes kShapes;

/// Tiles are there while this lives.
struct Tiles {
  Tiles() { _tile_loadconfig(&kShapes); }
  Tiles(const Tiles&) = delete;
  ~Tiles() { _tile_release(); }
};

/// Sums of up to 2 × 2 tiles.
struct Sums {
  alignas(64) int32_t tile[2][2][kTile * kTile];
};

/// Tiles 0 to 3 are sums (a, b), 4 and 5 the first factors a, 6 and 7 the second ones b. Adds up `steps` steps of 64 bytes and
/// stores the sums. A row of a lies rowStride bytes after the one before, and the second tile's begin `next` bytes after the
/// first's; strides and steps of both.
struct Factor {
  const void* at;
  size_t rowStride, next, step;
};

template <bool kSignedFirst, bool kTwoA, bool kTwoB>
inline void multiply(Factor a, Factor b, size_t steps, Sums& sums) {
  const char *a0 = static_cast<const char*>(a.at), *b0 = static_cast<const char*>(b.at);
  const char *a1 = a0 + a.next, *b1 = b0 + b.next;
  _tile_zero(0);
  if constexpr (kTwoB) _tile_zero(1);
  if constexpr (kTwoA) _tile_zero(2);
  if constexpr (kTwoA && kTwoB) _tile_zero(3);
  for (size_t i = 0; i < steps; i++, a0 += a.step, a1 += a.step, b0 += b.step, b1 += b.step) {
    _tile_loadd(6, b0, b.rowStride);
    _tile_loadd(4, a0, a.rowStride);
    if constexpr (kSignedFirst) _tile_dpbsud(0, 4, 6);
    else _tile_dpbusd(0, 4, 6);
    if constexpr (kTwoB) {
      _tile_loadd(7, b1, b.rowStride);
      if constexpr (kSignedFirst) _tile_dpbsud(1, 4, 7);
      else _tile_dpbusd(1, 4, 7);
    }
    if constexpr (kTwoA) {
      _tile_loadd(5, a1, a.rowStride);
      if constexpr (kSignedFirst) _tile_dpbsud(2, 5, 6);
      else _tile_dpbusd(2, 5, 6);
      if constexpr (kTwoB) {
        if constexpr (kSignedFirst) _tile_dpbsud(3, 5, 7);
        else _tile_dpbusd(3, 5, 7);
      }
    }
  }
  _tile_stored(0, sums.tile[0][0], 64);
  if constexpr (kTwoB) _tile_stored(1, sums.tile[0][1], 64);
  if constexpr (kTwoA) _tile_stored(2, sums.tile[1][0], 64);
  if constexpr (kTwoA && kTwoB) _tile_stored(3, sums.tile[1][1], 64);
}

template <bool kSignedFirst>
inline void multiply(const Factor& a, bool twoA, const Factor& b, bool twoB, size_t steps, Sums& sums) {
  if (twoA && twoB) multiply<kSignedFirst, true, true>(a, b, steps, sums);
  else if (twoA) multiply<kSignedFirst, true, false>(a, b, steps, sums);
  else if (twoB) multiply<kSignedFirst, false, true>(a, b, steps, sums);
  else multiply<kSignedFirst, false, false>(a, b, steps, sums);
}

inline __m512i rowOf(const Sums& sums, size_t row, size_t column) {
  return _mm512_load_si512(sums.tile[row / kTile][column / kTile] + row % kTile * kTile);
}

using Finish = DenseOf<Vnni>;

/// Whole tiles of rows by tiles; those that are left as VNNI has them.
void multiplyRows(const DenseWeights& w, const uint8_t* x, size_t rowStride, size_t rows, const Output& out) {
  const size_t whole = rows / kTile * kTile, steps = w.numQuads / kTile, panel = w.numQuads * kTile * 4;
  if (whole > 0) {
    const Tiles tiles;
    Sums sums;
    for (size_t m = 0; m < w.outputs; m += 2 * kTile) {
      const bool twoB = m + kTile < w.outputs;
      const Factor b{w.weights + m / kTile * panel, 64, panel, kTileBytes};
      for (size_t n = 0; n < whole; n += 2 * kTile) {
        const bool twoA = n + kTile < whole;
        multiply<false>({x + n * rowStride, rowStride, kTile * rowStride, 64}, twoA, b, twoB, steps, sums);
        for (size_t r = 0; r < (twoA ? 2 * kTile : kTile); r++)
          for (size_t j = 0; j < 2 * kTile && m + j < w.outputs; j += kTile)
            Finish::finishVector<false>(out, (n + r) * out.stride + m + j, m + j,
                                        _mm512_add_epi32(rowOf(sums, r, j), _mm512_loadu_si512(w.starts + m + j)),
                                        w.outputs - m - j);
      }
    }
  }
  if (whole == rows) return;
  Output rest = out;
  const size_t offset = whole * out.stride;
  if (rest.sums) rest.sums += offset;
  if (rest.y) rest.y += offset;
  if (rest.residual) rest.residual += offset;
  Finish::multiplyRows(w, x + whole * rowStride, rowStride, rows - whole, rest);
}

void multiplyColumns(const DenseWeights& w, const uint8_t* quads, size_t stride, size_t positions, const Output& out) {
  const size_t steps = w.numQuads / kTile, panel = w.numQuads * kTile * 4;
  const Tiles tiles;
  Sums sums;
  for (size_t n = 0; n < positions; n += 2 * kTile) {
    const bool twoB = n + kTile < positions;
    const Factor b{quads + 4 * n, 4 * stride, 64, kTile * 4 * stride};
    for (size_t m = 0; m < w.outputs; m += 2 * kTile) {
      const bool twoA = m + kTile < w.outputs;
      multiply<true>({w.weights + m / kTile * panel, 64, panel, kTileBytes}, twoA, b, twoB, steps, sums);
      for (size_t r = 0; r < 2 * kTile && m + r < w.outputs; r++)
        for (size_t j = 0; j < (twoB ? 2 * kTile : kTile); j += kTile)
          Finish::finishVector<true>(out, (m + r) * out.stride + n + j, m + r,
                                     _mm512_add_epi32(rowOf(sums, r, j), _mm512_set1_epi32(w.starts[m + r])),
                                     positions - n - j);
    }
  }
}

}  // namespace

const MicrokernelsDense kAmxMicrokernelsDense = {
    .isSigned = false,
    .rowQuads = kTile,
    .columnQuads = kTile,
    .multiplyRows = multiplyRows,
    .multiplyColumns = multiplyColumns,
};

}  // namespace lutnn
