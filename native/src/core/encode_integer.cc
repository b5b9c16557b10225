#include "core/encode_integer.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// Rows whose quads lie in memory at a time.
constexpr size_t kRows = 32;

IntegerEncoder::IntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window)
    : ByteEncoder(kernels, lookup.subvectorLength, window),
      scale_(lookup.integers.inputScale),
      zeroPoint_(lookup.integers.inputZeroPoint) {
  books_.pack(lookup.integers, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength, quads());
}

void IntegerEncoder::encodeByteRows(const uint8_t* bytes, size_t rows, uint8_t* codes,
                                    Workspace::Scratch& scratch) const {
  const CodebooksInt8& books = books_.view();
  const size_t length = rowLength(), rowBytes = books.numCodebooks * books.numQuads * 4;
  const bool whole = isWhole();
  uint8_t* spread = whole ? nullptr : scratch.rows.reserve(kRows * rowBytes);
  if (spread) std::memset(spread, 0, kRows * rowBytes);
  float scales[kRows];
  std::fill_n(scales, kRows, 1.0f);
  for (size_t n = 0; n < rows; n += kRows) {
    const size_t count = std::min(kRows, rows - n);
    const uint8_t* first = bytes + n * length;
    for (size_t r = 0; spread && r < count; r++) spreadRow(first + r * length, spread + r * rowBytes);
    kernels_.encodeRows(books, spread ? spread : first, scales, count, codes + n * books.numCodebooks);
  }
}

std::unique_ptr<Encoder> makeIntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window) {
  return std::make_unique<IntegerEncoder>(kernels, lookup, window);
}

}  // namespace lutnn
