// The contract of the training microkernels: one struct of functions, filled by training.cc of each instruction set's folder
// and chosen in training_dispatch.cc. As the lookup microkernels they compute on buffers only.
//
// Letters as in ../microkernels.h, and
//   K' K rounded up to 16; what is beyond K has no weight
//   L  lanes: floats of a vector
// Positions lie in lanes: a matrix (rows, positions) has a row for each element of a sub-vector, centroid or output. The
// number of positions is a multiple of L; those that do not exist hold zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lutnn {

/// C (rows, columns) = A (rows, depth) · B (depth, columns), or C ∘ scale + A · B. A[i][k] lies at
/// a[i · aRow + k · aColumn]. B comes in panels of `panel` columns (TrainingMicrokernels), bPanel floats apart, whose
/// rows are bRow apart. Columns are read and written up to a multiple of L. Each sum runs through k upwards by fused
/// multiply-add.
struct Product {
  const float* a;
  size_t aRow, aColumn;
  const float* b;
  size_t bRow, bPanel;
  float* c;
  size_t cRow;
  size_t rows, depth, columns;
  bool accumulate = false;
  const float* scale = nullptr;  // with accumulate, of the columns of C; null: 1
};

/// sums (aRows, ·, L) += A (aRows, positions) times B (bRows, positions) over the positions, each lane for itself;
/// sumsRow vectors lie between the rows of sums.
struct RowProducts {
  const float* a;
  const float* b;
  size_t aRows, bRows, stride;  // floats between the rows of A and of B
  size_t positions;
  float* sums;
  size_t sumsRow;
};

/// The soft assignment of one codebook's sub-vectors x, backward: with P the centroids
///   d_k = √(‖x − P_k‖² + floor), or ‖x − P_k‖² where `squared`;  a = softmax(−m · d);  G_k the gradient of a_k;
///   q_k = a_k (G_k − Σ_j a_j G_j), the gradient of −m · d_k;
///   s_k = m · q_k · ∂d_k/∂‖x − P_k‖² · 2, so that dx = Σ_k s_k (P_k − x) and dP_k = Σ_n s_k (x − P_k).
struct SoftBlock {
  const float* centroids;  // (B, V, 16)
  const float* halfNorms;  // (B, 16): −½‖P‖²
  size_t numCentroids, subvectorLength;
  float inverseTemperature;  // m
  bool squared;
  size_t positions, stride;  // floats between the rows of x, a and s
  const float* x;  // (V, positions)
  float* a;  // (K, positions): G comes, a leaves
  float* s;  // (K', positions)
  float* minusSumS;  // (positions): −Σ_k s_k
  double* dInverseTemperature;  // added is −Σ_n Σ_k q_k d_k
};
/// Keeps the gradient of ‖x − P‖ finite where a sub-vector sits on a centroid; softPq.ts has the same.
constexpr float kDistanceFloor = 1e-8f;

/// Rows of a codebook's table entries: (ceil(M / 64), C, K, 64), absent outputs 0. T is int8_t, int16_t or float.
constexpr size_t kTableOutputs = 64;

/// y (positions, M) = scale · Σ_c table[c][code_c]: the sum in 32-bit integers or, for float, upwards in c.
template <class T>
struct TableLookup {
  const T* table;
  size_t numCodebooks, numCentroids, outputs;
  const float* scale;  // (M), filled up to a multiple of 64
  const uint8_t* codes;  // (C, positions)
  size_t codeStride;  // bytes between codebooks
  size_t positions;
  float* y;
};

/// `rows` pieces of `width` floats, copied in rising order.
struct Pieces {
  const float* from;
  size_t fromStride;
  float* to;
  size_t toStride;
  size_t rows, width;
};

/// A row of `toWidth` floats at to + `to`, which is to see the row of `fromWidth` floats at from + `from` shifted: its
/// element i is element i + shift of that row, where there is one.
struct ShiftedRow {
  size_t to, from, fromWidth;
  ptrdiff_t shift;
};
struct ShiftedRows {
  const ShiftedRow* rows;
  size_t count;
  const float* from;
  float* to;
  size_t toWidth;
};

struct TrainingMicrokernels {
  const char* isa;
  size_t lanes;
  /// Columns of a panel of B.
  size_t panel;

  /// from (rows, columns), fromStride floats between rows → to (columns, rows), toStride between rows.
  void (*transpose)(const float* from, size_t fromStride, size_t rows, size_t columns, float* to, size_t toStride);
  void (*copy)(const Pieces&);
  /// Elements that are not there become 0; less than L floats behind every row are overwritten, too.
  void (*copyShifted)(const ShiftedRows&);
  /// Adds to the row at `to` what is there; the rows that go to the same place follow each other.
  void (*addShifted)(const ShiftedRows&);
  void (*multiply)(const Product&);
  void (*multiplyRows)(const RowProducts&);
  float (*dot)(const float* a, const float* b, size_t count);
  /// sums[i] = the sum of the L lanes at lanes[i · L], added in double
  void (*sumLanes)(const float* lanes, size_t count, float* sums);
  void (*softBackward)(const SoftBlock&);

  /// largest[m] = max(largest[m], |values[m]|); returns 0 where all values are finite, else NaN
  float (*largest)(const float* values, size_t count, float* largest);
  /// round(values[m] / scale[m]), half to even, cut to ±limit
  void (*quantize8)(const float* values, const float* scale, size_t count, int limit, int8_t* to);
  void (*lookup8)(const TableLookup<int8_t>&);
  void (*lookup16)(const TableLookup<int16_t>&);
  void (*lookupFloat)(const TableLookup<float>&);
};

extern const TrainingMicrokernels kTrainingScalar;
extern const TrainingMicrokernels kTrainingAvx2;
extern const TrainingMicrokernels kTrainingAvx512;
extern const TrainingMicrokernels kTrainingNeon;

}  // namespace lutnn
