// Calls of training's soft-PQ functions: what TensorFlow's operators ask of them. A tensor has as much memory as its shape says,
// as TensorFlow's have; ranks, lengths, windows and formats need not belong together.
#include "fuzz_input.h"
#include "training/lutnn_training.h"

namespace {

/// Elements of the largest tensor, which may also come out of a call.
constexpr int64_t kMost = 1 << 16;

/// A tensor of a drawn shape, most often the one that is asked for.
class Tensor {
 public:
  Tensor(Bytes& b, Arrays& arrays, std::vector<int64_t> shape) : shape_(std::move(shape)) {
    if (b.spoils()) shape_.insert(shape_.begin() + b.below(static_cast<int64_t>(shape_.size()) + 1), 1 + b.below(2));
    if (b.spoils()) shape_.pop_back();
    if (b.spoils() && !shape_.empty()) {
      int64_t& length = shape_[static_cast<size_t>(b.below(static_cast<int64_t>(shape_.size())))];
      length = b.below(2) ? b.below(3) : length + 1;
    }
    int64_t elements = 1;
    for (const int64_t length : shape_) elements *= length;
    values_ = arrays.whole(elements);
  }
  lutnn_tensor view() const { return {values_, shape_.data(), static_cast<int64_t>(shape_.size())}; }
  /// Memory for a gradient of that shape.
  float* another(Arrays& arrays) const {
    int64_t elements = 1;
    for (const int64_t length : shape_) elements *= length;
    return arrays.whole(elements);
  }

 private:
  std::vector<int64_t> shape_;
  float* values_ = nullptr;
};

/// A number of a window: mostly small, at times any.
int32_t windowNumber(Bytes& b, int32_t number) {
  if (!b.spoils()) return number;
  static constexpr int32_t odd[] = {0, -1, INT32_MIN, INT32_MAX, 1 << 16, 1 << 30, 255, 7};
  return odd[b.below(8)];
}

}  // namespace

void fuzzSoft(Bytes& b) {
  Arrays arrays(b);
  lutnn_error error;
  const bool isConv = b.below(2), fromWeight = b.below(2);
  const int64_t fh = 1 + b.below(3), fw = 1 + b.below(3), C = 1 + b.below(3);
  const int64_t K = b.oneIn(8) ? 1 + b.byte() : 16, M = 1 + b.below(b.oneIn(8) ? 40 : 9);
  int64_t V = 1 + b.below(9);
  std::vector<int32_t> numbers;
  std::vector<int64_t> xShape{b.below(b.oneIn(8) ? 40 : 9), C * V};
  if (isConv) {
    const int64_t perBook = 1 + b.below(3);
    V = perBook * fh * fw;
    xShape = {1 + b.below(2), 1 + b.below(7), 1 + b.below(7), C * perBook};
    const int64_t plain[] = {fh,         fw,         1 + b.below(2), 1 + b.below(3), 1 + b.below(2), 1 + b.below(2),
                             b.below(3), b.below(3), b.below(3),     b.below(3)};
    for (const int64_t number : plain) numbers.push_back(windowNumber(b, static_cast<int32_t>(number)));
    if (b.spoils()) numbers.resize(static_cast<size_t>(b.below(13)), 1);
  }
  const lutnn_soft_window window{numbers.data(), static_cast<int64_t>(numbers.size())};
  check(lutnn_soft_check_window(&window, &error), error);
  static constexpr int32_t bits[] = {8, 8, 0, 16, 4, 2, 1, 9, -1, INT32_MAX, INT32_MIN};
  const lutnn_soft_format format{bits[b.below(b.spoils() ? 11 : 6)], static_cast<int>(b.below(2))};
  check(lutnn_soft_check_format(&format, &error), error);

  const Tensor x(b, arrays, xShape), centroids(b, arrays, {C, K, V}),
      table(b, arrays, fromWeight ? std::vector<int64_t>{C * V, M} : std::vector<int64_t>{C, K, M});
  const lutnn_soft_input input{b.spoils() ? b.number() : 0.25f, b.spoils() ? b.number() : 128.f};
  const lutnn_soft_layer layer{x.view(),   centroids.view(), table.view(),
                               fromWeight, window,           b.below(2) ? &input : nullptr};
  int64_t shape[4], rank = 0, elements = 1;
  const lutnn_code fits = lutnn_soft_output_shape(&layer, shape, &rank, &error);
  check(fits, error);
  if (fits == LUTNN_OK)
    for (int64_t axis = 0; axis < rank && elements <= kMost; axis++)
      elements = shape[axis] > kMost ? kMost + 1 : elements * shape[axis];
  if (fits != LUTNN_OK || elements <= kMost) {  // as a host without the memory for y makes no call
    check(lutnn_soft_forward(&layer, &format, arrays.whole(fits == LUTNN_OK ? elements : 0), &error), error);
    const Tensor dy(b, arrays, fits == LUTNN_OK ? std::vector<int64_t>(shape, shape + rank) : xShape);
    const lutnn_soft_gradients gradients{dy.view(),         static_cast<int>(b.below(2)), b.number(),
                                         x.another(arrays), centroids.another(arrays),    table.another(arrays),
                                         arrays.whole(1)};
    check(lutnn_soft_backward(&layer, &gradients, &error), error);
  }

  const Tensor weight(b, arrays, {C * V, M});
  const lutnn_tensor p = centroids.view(), w = weight.view();
  int64_t made[3];
  const lutnn_code makes = lutnn_soft_table_shape(&p, &w, made, &error);
  check(makes, error);
  check(lutnn_soft_table(&p, &w, arrays.whole(makes == LUTNN_OK ? made[0] * made[1] * made[2] : 0), &error), error);

  const lutnn_soft_rounding rounding{p, table.view(), fromWeight, format};
  const lutnn_code rounds = lutnn_soft_rounded_shape(&rounding, made, &error);
  check(rounds, error);
  const bool isRounded = rounds == LUTNN_OK;
  check(lutnn_soft_round(&rounding, arrays.exact<int8_t>(isRounded ? made[0] * made[1] * made[2] : 0),
                         arrays.whole(isRounded ? made[2] : 0), &error),
        error);
}
