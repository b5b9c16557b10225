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

using Vectors = DenseOf<Vnni>;

/// Sums of 2 × 2 tiles or fewer on their way out, while the next ones are added up: lanes are positions, or outputs.
template <bool kPositions>
class Leaving {
 public:
  Leaving(const DenseWeights& weights, const Output& out, size_t count) : weights_(weights), out_(out), count_(count) {}

  int32_t* tile(size_t a, size_t b) { return sums_[current_][a][b]; }
  /// What was stored in the tiles leaves from now on: outputs from m on, rows or positions from n on; one or two tiles of each
  /// factor.
  void begin(size_t m, size_t n, bool twoA, bool twoB) {
    m_ = m, n_ = n, twoB_ = twoB;
    const size_t rows = twoA ? 2 * kTile : kTile, columns = twoB ? 2 * kTile : kTile;
    const size_t rowsLeft = kPositions ? weights_.outputs - m : rows,
                 columnsLeft = kPositions ? count_ - n : weights_.outputs - m;
    next_ = 0, end_ = rows < rowsLeft ? rows : rowsLeft;
    isWhole_ = columns <= columnsLeft && !out_.sums;
    current_ = 1 - current_;
  }
  void some(size_t most) {
    const size_t end = end_ - next_ < most ? end_ : next_ + most;
    for (; next_ < end; next_++) {
      if (!isWhole_) lastOf(next_);
      else if (out_.residual) whole<true>(next_);
      else whole<false>(next_);
    }
  }
  void rest() { some(end_ - next_); }

 private:
  __m512i sumsOf(size_t row, size_t b) const {
    return _mm512_load_si512(sums_[1 - current_][row / kTile][b] + row % kTile * kTile);
  }
  size_t placeOf(size_t row) const {
    return kPositions ? (m_ + row) * out_.stride + n_ : (n_ + row) * out_.stride + m_;
  }

  /// A row of whole vectors of y.
  template <bool kResidual>
  void whole(size_t row) const {
    const size_t m = m_ + (kPositions ? row : 0), at = placeOf(row);
    const __m512 floor = _mm512_set1_ps(out_.floor);
    const auto leave = [&](size_t b, __m512i start, __m512 scale, __m512 bias) {
      const __m512 sums = _mm512_cvtepi32_ps(_mm512_add_epi32(sumsOf(row, b), start));
      __m512 y = _mm512_add_ps(_mm512_mul_ps(sums, scale), bias);
      if (kResidual) y = _mm512_add_ps(y, _mm512_loadu_ps(out_.residual + at + b * kTile));
      y = _mm512_max_ps(floor, y);
      if (out_.y) _mm512_storeu_ps(out_.y + at + b * kTile, y);
      if (out_.bytes) out_.quantizer.store(out_.bytes + at + b * kTile, y);
    };
    if constexpr (kPositions) {
      const __m512i start = _mm512_set1_epi32(weights_.starts[m]);
      const __m512 scale = _mm512_set1_ps(out_.scale[m]), bias = _mm512_set1_ps(out_.bias[m]);
      leave(0, start, scale, bias);
      if (twoB_) leave(1, start, scale, bias);
    } else {
      for (size_t b = 0; b <= twoB_; b++)
        leave(b, _mm512_loadu_si512(weights_.starts + m + b * kTile), _mm512_loadu_ps(out_.scale + m + b * kTile),
              _mm512_loadu_ps(out_.bias + m + b * kTile));
    }
  }
  /// A row that may end within a vector, or leaves as sums.
  void lastOf(size_t row) const {
    for (size_t b = 0; b <= twoB_; b++) {
      const size_t m = m_ + (kPositions ? row : b * kTile), left = kPositions ? count_ - n_ : weights_.outputs - m_;
      if (left <= b * kTile) return;
      const __m512i start =
          kPositions ? _mm512_set1_epi32(weights_.starts[m]) : _mm512_loadu_si512(weights_.starts + m);
      Vectors::finishVector<kPositions>(out_, placeOf(row) + b * kTile, m, _mm512_add_epi32(sumsOf(row, b), start),
                                        left - b * kTile);
    }
  }

  alignas(64) int32_t sums_[2][2][2][kTile * kTile];
  const DenseWeights& weights_;
  const Vectors::Target out_;
  size_t count_;  // of rows or positions
  size_t current_ = 0, m_ = 0, n_ = 0, twoB_ = 0, next_ = 0, end_ = 0;
  bool isWhole_ = false;
};

/// A factor of two tiles or one: rows of the first lie rowStride bytes apart, the second begins `next` bytes after it, and the
/// tiles of the next 64 bytes or 16 quads `step` bytes after them.
struct Factor {
  const void* at;
  size_t rowStride, next, step;
};

/// Tiles 0 to 3 are sums (a, b), 4 and 5 the first factors a, 6 and 7 the second ones b. Adds up `steps` tiles of each, while the
/// sums before leave, and stores the sums.
template <bool kPositions, bool kTwoA, bool kTwoB>
inline void multiply(const Factor& a, const Factor& b, size_t steps, Leaving<kPositions>& leaving) {
  const char *a0 = static_cast<const char*>(a.at), *b0 = static_cast<const char*>(b.at);
  const char *a1 = a0 + a.next, *b1 = b0 + b.next;
  const size_t each = (2 * kTile + steps - 1) / steps;
  _tile_zero(0);
  if constexpr (kTwoB) _tile_zero(1);
  if constexpr (kTwoA) _tile_zero(2);
  if constexpr (kTwoA && kTwoB) _tile_zero(3);
  for (size_t i = 0; i < steps; i++, a0 += a.step, a1 += a.step, b0 += b.step, b1 += b.step) {
    _tile_loadd(6, b0, b.rowStride);
    _tile_loadd(4, a0, a.rowStride);
    if constexpr (kPositions) _tile_dpbsud(0, 4, 6);
    else _tile_dpbusd(0, 4, 6);
    if constexpr (kTwoB) {
      _tile_loadd(7, b1, b.rowStride);
      if constexpr (kPositions) _tile_dpbsud(1, 4, 7);
      else _tile_dpbusd(1, 4, 7);
    }
    if constexpr (kTwoA) {
      _tile_loadd(5, a1, a.rowStride);
      if constexpr (kPositions) _tile_dpbsud(2, 5, 6);
      else _tile_dpbusd(2, 5, 6);
      if constexpr (kTwoB) {
        if constexpr (kPositions) _tile_dpbsud(3, 5, 7);
        else _tile_dpbusd(3, 5, 7);
      }
    }
    leaving.some(each);
  }
  _tile_stored(0, leaving.tile(0, 0), 64);
  if constexpr (kTwoB) _tile_stored(1, leaving.tile(0, 1), 64);
  if constexpr (kTwoA) _tile_stored(2, leaving.tile(1, 0), 64);
  if constexpr (kTwoA && kTwoB) _tile_stored(3, leaving.tile(1, 1), 64);
}

template <bool kPositions>
inline void multiply(const Factor& a, bool twoA, const Factor& b, bool twoB, size_t steps,
                     Leaving<kPositions>& leaving) {
  if (twoA && twoB) multiply<kPositions, true, true>(a, b, steps, leaving);
  else if (twoA) multiply<kPositions, true, false>(a, b, steps, leaving);
  else if (twoB) multiply<kPositions, false, true>(a, b, steps, leaving);
  else multiply<kPositions, false, false>(a, b, steps, leaving);
}

/// Whole tiles of rows by tiles; those that are left as VNNI has them.
void multiplyRows(const DenseWeights& w, const uint8_t* x, size_t rowStride, size_t rows, const Output& out) {
  const size_t whole = rows / kTile * kTile, steps = w.numQuads / kTile, panel = w.numQuads * kTile * 4;
  if (whole > 0) {
    const Tiles tiles;
    Leaving<false> leaving(w, out, rows);
    for (size_t m = 0; m < w.outputs; m += 2 * kTile) {
      const bool twoB = m + kTile < w.outputs;
      const Factor b{w.weights + m / kTile * panel, 64, panel, kTileBytes};
      for (size_t n = 0; n < whole; n += 2 * kTile) {
        const bool twoA = n + kTile < whole;
        multiply({x + n * rowStride, rowStride, kTile * rowStride, 64}, twoA, b, twoB, steps, leaving);
        leaving.begin(m, n, twoA, twoB);
      }
    }
    leaving.rest();
  }
  if (whole == rows) return;
  Output left = out;
  const size_t offset = whole * out.stride;
  if (left.sums) left.sums += offset;
  if (left.y) left.y += offset;
  if (left.residual) left.residual += offset;
  if (left.bytes) left.bytes += offset;
  Vectors::multiplyRows(w, x + whole * rowStride, rowStride, rows - whole, left);
}

void multiplyColumns(const DenseWeights& w, const uint8_t* quads, size_t stride, size_t positions, const Output& out) {
  const size_t steps = w.numQuads / kTile, panel = w.numQuads * kTile * 4;
  const Tiles tiles;
  Leaving<true> leaving(w, out, positions);
  for (size_t n = 0; n < positions; n += 2 * kTile) {
    const bool twoB = n + kTile < positions;
    const Factor b{quads + 4 * n, 4 * stride, 64, kTile * 4 * stride};
    for (size_t m = 0; m < w.outputs; m += 2 * kTile) {
      const bool twoA = m + kTile < w.outputs;
      multiply({w.weights + m / kTile * panel, 64, panel, kTileBytes}, twoA, b, twoB, steps, leaving);
      leaving.begin(m, n, twoA, twoB);
    }
  }
  leaving.rest();
}

}  // namespace

const MicrokernelsDense kAmxMicrokernelsDense = {
    .isSigned = false,
    .makesBytes = true,
    .rowQuads = kTile,
    .columnQuads = kTile,
    .multiplyRows = multiplyRows,
    .gatherColumns = Vectors::gatherColumns,
    .multiplyColumns = multiplyColumns,
};

}  // namespace lutnn
