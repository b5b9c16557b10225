// The C API of training: arguments are checked, then the process' Trainer computes.
#include <algorithm>
#include <cmath>
#include <thread>

#include "core/rules.h"
#include "isa/training_dispatch.h"
#include "training/lutnn_training.h"
#include "training/soft_lookup.h"

using namespace lutnn;

namespace {

constexpr int64_t kMostThreads = 1024;

/// Never destroyed: threads may sleep in its executor when the process ends.
Trainer& trainer() {
  static Trainer* const shared = [] {
    const Microkernels& kernels = chooseMicrokernels();
    return new Trainer(trainingMicrokernelsFor(kernels), kernels, std::max(1u, std::thread::hardware_concurrency()));
  }();
  return *shared;
}

std::string text(const lutnn_tensor& tensor) {
  std::string lengths;
  for (int64_t i = 0; i < tensor.rank; i++) lengths += (i ? ", " : "") + std::to_string(tensor.shape[i]);
  return "(" + lengths + ")";
}

void require(bool condition, const std::string& rule, const lutnn_tensor& got) {
  if (!condition) refuseRange(rule + " (got " + text(got) + ")");
}

size_t length(const lutnn_tensor& tensor, int64_t axis) { return static_cast<size_t>(tensor.shape[axis]); }

/// Elements of the axes from `first` to before `end`.
size_t elements(const lutnn_tensor& tensor, int64_t first, int64_t end) {
  size_t product = 1;
  for (int64_t axis = first; axis < end; axis++) product *= length(tensor, axis);
  return product;
}

bool hasLengths(const lutnn_tensor& tensor) {
  return std::all_of(tensor.shape, tensor.shape + tensor.rank, [](int64_t n) { return n > 0; });
}

void requireWindowNumbers(const lutnn_soft_window& window) {
  if (window.length == 0) return;
  const auto from = [&](int32_t least) { return [least](int32_t n) { return n >= least && n <= kMaxWindowNumber; }; };
  const int32_t* n = window.numbers;
  if (window.length == 10 && std::all_of(n, n + 6, from(1)) && std::all_of(n + 6, n + 10, from(0))) return;
  std::string got;
  for (int64_t i = 0; i < window.length; i++) got += (i ? ", " : "") + std::to_string(n[i]);
  refuseRange("window must be six numbers from 1 and four from 0, each at most " + std::to_string(kMaxWindowNumber) +
              " (got (" + got + "))");
}

void requireFormat(const lutnn_soft_format& format) {
  const int bits = format.bits;
  if (bits != 0 && bits != 16 && (bits < 2 || bits > 8))
    refuseRange("bits must be 2 … 8, 16, or 0 for the real table (got " + std::to_string(bits) + ")");
}

/// Centroids and a table, or the weight that it is made from, that belong together.
SoftLayer quantizedLayer(const lutnn_tensor& centroids, const lutnn_tensor& table, bool fromWeight) {
  require(centroids.rank == 3 && centroids.shape[0] > 0 && centroids.shape[2] > 0, "centroids must be (C, K, V)",
          centroids);
  const size_t books = length(centroids, 0), count = length(centroids, 1), subvector = length(centroids, 2);
  require(count >= 1 && count <= 256, "K, the length of the second axis of the centroids, must be 1 … 256", centroids);
  const size_t rows = books * (fromWeight ? subvector : count);
  require(table.rank == (fromWeight ? 2 : 3) && hasLengths(table) && rows == elements(table, 0, table.rank - 1) &&
              (fromWeight || length(table, 1) == count),
          fromWeight ? "the weight must be (C·V, M) with C·V = " + std::to_string(rows)
                     : "the table must be (C, K, M) with C and K of the centroids",
          table);
  return {.numCodebooks = books,
          .numCentroids = count,
          .subvectorLength = subvector,
          .outputs = length(table, table.rank - 1),
          .centroids = centroids.data,
          .table = table.data,
          .fromWeight = fromWeight};
}

SoftInput checkedInput(const lutnn_soft_input& input, size_t subvectorLength) {
  if (subvectorLength > kMaxLengthInteger)
    refuseRange("codes in integers take a V of at most " + std::to_string(kMaxLengthInteger) + " (got " +
                std::to_string(subvectorLength) + ")");
  if (!(input.scale > 0 && std::isfinite(input.scale)))
    refuseRange("the input's scale must be finite and above 0 (got " + std::to_string(input.scale) + ")");
  if (!(input.zero_point >= 0 && input.zero_point <= 255 && input.zero_point == std::floor(input.zero_point)))
    refuseRange("the input's zero point must be an integer from 0 to 255 (got " + std::to_string(input.zero_point) +
                ")");
  return {input.scale, static_cast<uint8_t>(input.zero_point)};
}

/// A layer that has been checked; the source has no dx.
struct Checked {
  SoftLayer layer;
  Source source;
  int64_t outputShape[4];
  int64_t rank;
};

Checked checked(const lutnn_soft_layer& given) {
  requireWindowNumbers(given.window);
  const bool hasWindow = given.window.length > 0;
  const lutnn_tensor &x = given.x, &centroids = given.centroids, &table = given.table;
  require(x.rank == (hasWindow ? 4 : 2), hasWindow ? "x must be images of rank 4" : "x must be a matrix", x);
  require(hasLengths(x), "x must not be empty", x);
  SoftLayer layer = quantizedLayer(centroids, table, given.from_weight != 0);
  const size_t books = layer.numCodebooks, subvector = layer.subvectorLength;
  const int32_t* n = given.window.numbers;
  const auto number = [&](int i) { return static_cast<size_t>(n[i]); };
  const size_t area = hasWindow ? number(0) * number(1) : 1;
  require(length(x, x.rank - 1) * area == books * subvector && subvector % area == 0,
          "the last axis of x times the filter's positions must be C·V, and V whole channels", x);
  const int64_t outputs = static_cast<int64_t>(layer.outputs);
  if (given.input) layer.input = checkedInput(*given.input, subvector);
  if (!hasWindow)
    return {
        .layer = layer,
        .source =
            Rows{.x = x.data, .dx = nullptr, .rows = length(x, 0), .numCodebooks = books, .subvectorLength = subvector},
        .outputShape = {x.shape[0], outputs},
        .rank = 2};
  const Window window{.inputChannels = length(x, 3),
                      .filterHeight = number(0),
                      .filterWidth = number(1),
                      .strideHeight = number(2),
                      .strideWidth = number(3),
                      .dilationHeight = number(4),
                      .dilationWidth = number(5),
                      .padTop = number(6),
                      .padLeft = number(7),
                      .padBottom = number(8),
                      .padRight = number(9)};
  const Images images{.x = x.data,
                      .dx = nullptr,
                      .batch = length(x, 0),
                      .height = length(x, 1),
                      .width = length(x, 2),
                      .window = window,
                      .subvectorLength = subvector};
  require(images.positions() > 0, "the filter must fit into the padded images", x);
  return {.layer = layer,
          .source = images,
          .outputShape = {x.shape[0], static_cast<int64_t>(images.outputHeight()),
                          static_cast<int64_t>(images.outputWidth()), outputs},
          .rank = 4};
}

SoftLayer roundedLayer(const lutnn_soft_rounding& given) {
  if (given.format.bits < 2 || given.format.bits > 8)
    refuseRange("bits of a rounded table must be 2 … 8 (got " + std::to_string(given.format.bits) + ")");
  return quantizedLayer(given.centroids, given.table, given.from_weight != 0);
}

SoftLayer tableLayer(const lutnn_tensor& p, const lutnn_tensor& w) {
  require(p.rank == 3 && p.shape[1] >= 1 && p.shape[1] <= 256, "centroids must be (C, K, V), and K 1 … 256", p);
  require(w.rank == 2 && w.shape[0] == p.shape[0] * p.shape[2], "the weight must be (C·V, M)", w);
  return {.numCodebooks = length(p, 0),
          .numCentroids = length(p, 1),
          .subvectorLength = length(p, 2),
          .outputs = length(w, 1),
          .centroids = p.data,
          .table = w.data,
          .fromWeight = true};
}

}  // namespace

lutnn_code lutnn_training_info(const char** isa, int64_t* threads, lutnn_error* error) {
  return guarded(error, [&] {
    *isa = trainer().isa();
    *threads = static_cast<int64_t>(trainer().threads());
  });
}

lutnn_code lutnn_training_set_threads(int64_t threads, lutnn_error* error) {
  return guarded(error, [&] { trainer().setThreads(count("the number of threads", threads, 1, kMostThreads)); });
}

lutnn_code lutnn_training_k_means(const lutnn_k_means* given, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", given->rows, 1), C = count("numCodebooks", given->num_codebooks, 1);
    const size_t K = count("numCentroids", given->num_centroids);
    const size_t V = count("subvectorLength", given->subvector_length, 1);
    requireCounts(C, K, V);
    const size_t iterations = count("iterations", given->iterations);
    const size_t first = count("first", given->first, 0, static_cast<int64_t>(C - 1));
    const size_t codebooks = static_cast<size_t>(given->centroids.length) / (K * V);
    if (codebooks == 0 || codebooks > C - first)
      refuseRange("centroids must hold from one to numCodebooks - first = " + std::to_string(C - first) +
                  " codebooks (got " + std::to_string(codebooks) + ")");
    const float* points = array("points", given->points, "rows · numCodebooks · subvectorLength", {rows, C, V});
    const double* draws = array("draws", given->draws, "numCodebooks · numCentroids", {C, K});
    float* centroids =
        array("centroids", given->centroids, "codebooks · numCentroids · subvectorLength", {codebooks, K, V});
    requireApart("points", given->points, "centroids", given->centroids);
    requireApart("draws", given->draws, "centroids", given->centroids);
    for (size_t i = 0; i < C * K; i++)
      if (!(draws[i] >= 0 && draws[i] < 1))
        refuseRange("draws must be at least 0 and below 1 (got " + std::to_string(draws[i]) + " at index " +
                    std::to_string(i) + ")");
    trainer().cluster({.points = points,
                       .rows = rows,
                       .numCodebooks = C,
                       .numCentroids = K,
                       .subvectorLength = V,
                       .iterations = iterations,
                       .draws = draws},
                      first, codebooks, centroids);
  });
}

lutnn_code lutnn_soft_check_window(const lutnn_soft_window* window, lutnn_error* error) {
  return guarded(error, [&] { requireWindowNumbers(*window); });
}
lutnn_code lutnn_soft_check_format(const lutnn_soft_format* format, lutnn_error* error) {
  return guarded(error, [&] { requireFormat(*format); });
}

lutnn_code lutnn_soft_output_shape(const lutnn_soft_layer* layer, int64_t shape[4], int64_t* rank, lutnn_error* error) {
  return guarded(error, [&] {
    const Checked call = checked(*layer);
    std::copy_n(call.outputShape, call.rank, shape);
    *rank = call.rank;
  });
}

lutnn_code lutnn_soft_forward(const lutnn_soft_layer* layer, const lutnn_soft_format* format, float* y,
                              lutnn_error* error) {
  return guarded(error, [&] {
    requireFormat(*format);
    const Checked call = checked(*layer);
    trainer().forward(call.layer, {.bits = format->bits, .scalePerOutput = format->scale_per_output != 0}, call.source,
                      y);
  });
}

lutnn_code lutnn_soft_backward(const lutnn_soft_layer* layer, const lutnn_soft_gradients* gradients,
                               lutnn_error* error) {
  return guarded(error, [&] {
    Checked call = checked(*layer);
    const lutnn_tensor wanted{nullptr, call.outputShape, call.rank};
    require(std::equal(call.outputShape, call.outputShape + call.rank, gradients->dy.shape,
                       gradients->dy.shape + gradients->dy.rank),
            "dy must be " + text(wanted), gradients->dy);
    std::visit([&](auto& source) { source.dx = gradients->dx; }, call.source);
    trainer().backward(
        call.layer,
        {.squaredDistance = gradients->squared_distance != 0,
         .inverseTemperatureLogit = gradients->inverse_temperature_logit},
        call.source, gradients->dy.data,
        {.centroids = gradients->dcentroids, .table = gradients->dtable, .inverseTemperatureLogit = gradients->dlogit});
  });
}

lutnn_code lutnn_soft_table_shape(const lutnn_tensor* centroids, const lutnn_tensor* weight, int64_t shape[3],
                                  lutnn_error* error) {
  return guarded(error, [&] {
    const SoftLayer layer = tableLayer(*centroids, *weight);
    const size_t lengths[] = {layer.numCodebooks, layer.numCentroids, layer.outputs};
    std::copy_n(lengths, 3, shape);
  });
}

lutnn_code lutnn_soft_table(const lutnn_tensor* centroids, const lutnn_tensor* weight, float* table,
                            lutnn_error* error) {
  return guarded(error, [&] { trainer().table(tableLayer(*centroids, *weight), table); });
}

lutnn_code lutnn_soft_rounded_shape(const lutnn_soft_rounding* rounding, int64_t shape[3], lutnn_error* error) {
  return guarded(error, [&] {
    const SoftLayer layer = roundedLayer(*rounding);
    const size_t lengths[] = {layer.numCodebooks, layer.numCentroids, layer.outputs};
    std::copy_n(lengths, 3, shape);
  });
}

lutnn_code lutnn_soft_round(const lutnn_soft_rounding* rounding, int8_t* values, float* scale, lutnn_error* error) {
  return guarded(error, [&] {
    const auto& [bits, perOutput] = rounding->format;
    trainer().round(roundedLayer(*rounding), {.bits = bits, .scalePerOutput = perOutput != 0}, values, scale);
  });
}
