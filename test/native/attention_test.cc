// Attention on every instruction set: against sums in double, and the same bits everywhere; tensors lie between inaccessible
// pages.
#include <algorithm>
#include <cmath>
#include <limits>

#include "check.h"
#include "core/attention.h"
#include "core/attention_of_bytes.h"
#include "core/lutnn.h"
#include "executions.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

/// Of the largest value, where scores are within ±16: 16 · 2⁻²⁴ for each of some roundings of a score, which its exponential has.
constexpr double kTolerance = 2e-5;

struct Shape {
  size_t batch, heads, queries, positions, depth, outputs;
};

static std::vector<double> reference(const Attention& a) {
  std::vector<double> y(a.batch * a.queries * a.heads * a.outputs), shares(a.positions);
  for (size_t n = 0; n < a.batch; n++)
    for (size_t h = 0; h < a.heads; h++)
      for (size_t i = 0; i < a.queries; i++) {
        double most = -INFINITY, sum = 0;
        for (size_t p = 0; p < a.positions; p++) {
          double score = 0;
          for (size_t d = 0; d < a.depth; d++)
            score += static_cast<double>(a.query[((n * a.queries + i) * a.heads + h) * a.depth + d]) *
                     a.key[((n * a.positions + p) * a.heads + h) * a.depth + d];
          shares[p] = score * a.scale + (a.mask ? (a.mask[n * a.positions + p] - 1.0) * 1e9 : 0.0);
          most = std::max(most, shares[p]);
        }
        for (double& share : shares) sum += share = std::exp(share - most);
        for (size_t p = 0; p < a.positions; p++)
          for (size_t e = 0; e < a.outputs; e++)
            y[((n * a.queries + i) * a.heads + h) * a.outputs + e] +=
                shares[p] / sum * a.value[((n * a.positions + p) * a.heads + h) * a.outputs + e];
      }
  return y;
}

static void checkShape(std::mt19937& random, const Shape& s, bool masks, Guard guard) {
  Guarded<float> query(s.batch * s.queries * s.heads * s.depth, guard),
      y(s.batch * s.queries * s.heads * s.outputs, guard);
  Guarded<float> key(s.batch * s.positions * s.heads * s.depth, guard);
  Guarded<float> value(s.batch * s.positions * s.heads * s.outputs, guard), mask(s.batch * s.positions, guard);
  std::normal_distribution<float> normal;
  for (auto* all : {&query, &key, &value})
    for (float& number : *all) number = std::clamp(normal(random), -4.0f, 4.0f);
  for (float& one : mask) one = random() % 3 == 0 ? 0 : 1;
  mask[0] = 1;
  Attention a{s.batch,
              s.heads,
              s.queries,
              s.positions,
              s.depth,
              s.outputs,
              query.data(),
              key.data(),
              value.data(),
              masks ? mask.data() : nullptr,
              1 / std::sqrt(static_cast<float>(s.depth)),
              y.data()};
  const std::vector<double> wanted = reference(a);
  std::vector<float> first;
  Workspace workspace;
  forEachExecution([&](const Microkernels& kernels, Executor& executor) {
    std::fill(y.begin(), y.end(), 7.0f);
    attention(kernels, a, workspace, executor);
    double worst = 0;
    for (size_t i = 0; i < wanted.size(); i++) worst = std::max(worst, std::abs(y[i] - wanted[i]));
    CHECK(worst <= 4 * kTolerance, "%s is off by %g (%zu queries, %zu positions, %zu deep, %zu outputs, mask %d)",
          kernels.isa, worst, s.queries, s.positions, s.depth, s.outputs, masks);
    if (first.empty()) first.assign(y.begin(), y.end());
    CHECK(std::memcmp(first.data(), y.data(), first.size() * sizeof(float)) == 0, "%s has other bits", kernels.isa);
  });
}

TEST("attention is what its formula says, with the same bits on every instruction set") {
  std::mt19937 random(1);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  for (int trial = 0; trial < 60; trial++) {
    if (leftOut()) continue;
    checkShape(random, {draw(1, 2), draw(1, 3), draw(1, 13), draw(1, 70), draw(1, 40), draw(1, 40)}, random() % 2,
               random() % 2 ? Guard::kAfter : Guard::kBefore);
  }
  checkShape(random, {1, 12, 33, 128, 32, 32}, true, Guard::kAfter);
}

TEST("attention to nothing but padding is to all alike, and what is no number stays none") {
  const std::vector<float> query(2 * 3, 0.5f), key(5 * 3, 0.25f), mask(5, 0);
  std::vector<float> value{1, 2, 3, 4, 5}, y(2), spoiled = query;
  spoiled[1] = std::numeric_limits<float>::quiet_NaN();
  Workspace workspace;
  SerialExecutor serial;
  for (const Microkernels* kernels : availableMicrokernels()) {
    Attention a{1, 1, 2, 5, 3, 1, query.data(), key.data(), value.data(), mask.data(), 1, y.data()};
    attention(*kernels, a, workspace, serial);
    CHECK(std::abs(y[0] - 3) < 1e-5f && std::abs(y[1] - 3) < 1e-5f, "%s %g %g", kernels->isa, y[0], y[1]);
    a.query = spoiled.data();
    attention(*kernels, a, workspace, serial);
    CHECK(std::isnan(y[0]) && std::abs(y[1] - 3) < 1e-5f, "%s %g %g", kernels->isa, y[0], y[1]);
  }
}

/// y by the definition of lutnn_attention_of_bytes, and how far off it may be: of shares within kNearHalf of a half the other byte may
/// be taken, as exponentials differ in their last bits.
struct OfBytes {
  std::vector<double> y, slack;
};
constexpr double kNearHalf = 1e-3, kRounding = 1e-6;

static OfBytes referenceOfBytes(const AttentionOfBytes& a) {
  OfBytes found{std::vector<double>(a.batch * a.queries * a.heads * a.outputs), {}};
  found.slack.resize(found.y.size());
  const auto weight = [](uint8_t byte) { return std::max<int>(byte, 1) - 128; };
  std::vector<float> scores(a.positions);
  for (size_t n = 0; n < a.batch; n++)
    for (size_t h = 0; h < a.heads; h++)
      for (size_t i = 0; i < a.queries; i++) {
        for (size_t p = 0; p < a.positions; p++) {
          int32_t sum = 0;
          for (size_t d = 0; d < a.depth; d++)
            sum += (a.query[((n * a.queries + i) * a.heads + h) * a.depth + d] - 128) *
                   weight(a.key[((n * a.positions + p) * a.heads + h) * a.depth + d]);
          scores[p] = static_cast<float>(sum) * a.scale;
          if (a.mask) scores[p] += (a.mask[n * a.positions + p] - 1.0f) * 1e9f;
        }
        const float best = *std::max_element(scores.begin(), scores.end());
        int64_t total = 0, unclear = 0;
        std::vector<int> shares(a.positions);
        for (size_t p = 0; p < a.positions; p++) {
          const double share = 255 * std::exp(static_cast<double>(scores[p] - best));
          shares[p] = static_cast<int>(std::nearbyint(share));
          total += shares[p];
          unclear += std::abs(share - std::floor(share) - 0.5) < kNearHalf;
        }
        for (size_t e = 0; e < a.outputs; e++) {
          int64_t sum = 0;
          for (size_t p = 0; p < a.positions; p++)
            sum += shares[p] * weight(a.value[((n * a.positions + p) * a.heads + h) * a.outputs + e]);
          const size_t at = ((n * a.queries + i) * a.heads + h) * a.outputs + e;
          found.y[at] = a.valueScale * static_cast<double>(sum) / static_cast<double>(total);
          found.slack[at] =
              a.valueScale * (127 * kRounding + 255.0 * static_cast<double>(unclear) / static_cast<double>(total));
        }
      }
  return found;
}

static size_t checkBytes(std::mt19937& random, const Shape& s, bool masks, Guard guard) {
  Guarded<uint8_t> query(s.batch * s.queries * s.heads * s.depth, guard);
  Guarded<uint8_t> key(s.batch * s.positions * s.heads * s.depth, guard),
      value(s.batch * s.positions * s.heads * s.outputs, guard);
  Guarded<float> mask(s.batch * s.positions, guard), y(s.batch * s.queries * s.heads * s.outputs, guard);
  for (auto* all : {&query, &key, &value})
    for (uint8_t& byte : *all) byte = random() % 8 == 0 ? (random() % 2 ? 0 : 255) : static_cast<uint8_t>(random());
  for (float& one : mask) one = random() % 3 == 0 ? 0 : 1;
  mask[0] = 1;
  AttentionOfBytes a{s.batch,   s.heads,      s.queries,  s.positions,  s.depth,
                     s.outputs, query.data(), key.data(), value.data(), masks ? mask.data() : nullptr,
                     1e-4f,     0.01f,        y.data()};
  const OfBytes wanted = referenceOfBytes(a);
  std::vector<float> first;
  Workspace workspace;
  forEachExecution([&](const Microkernels& kernels, Executor& executor) {
    std::fill(y.begin(), y.end(), 7.0f);
    attentionOfBytes(kernels, a, workspace, executor);
    size_t off = 0;
    for (size_t i = 0; i < wanted.y.size(); i++) off += !(std::abs(y[i] - wanted.y[i]) <= wanted.slack[i]);
    CHECK(off == 0, "%s is off in %zu of %zu (%zu queries, %zu positions, %zu deep, %zu outputs, mask %d)", kernels.isa,
          off, wanted.y.size(), s.queries, s.positions, s.depth, s.outputs, masks);
    if (first.empty()) first.assign(y.begin(), y.end());
    CHECK(std::memcmp(first.data(), y.data(), first.size() * sizeof(float)) == 0, "%s has other bits", kernels.isa);
  });
  return static_cast<size_t>(
      std::count_if(wanted.slack.begin(), wanted.slack.end(), [](double slack) { return slack < 0.01 * 1e-3; }));
}

TEST("attention of bytes is what its formula says, with the same bits on every instruction set") {
  std::mt19937 random(2);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  size_t exact = 0;
  for (int trial = 0; trial < 60; trial++) {
    if (leftOut()) continue;
    exact += checkBytes(random, {draw(1, 2), draw(1, 3), draw(1, 40), draw(1, 70), draw(1, 70), draw(1, 40)},
                        random() % 2, random() % 2 ? Guard::kAfter : Guard::kBefore);
  }
  exact += checkBytes(random, {1, 12, 33, 128, 32, 32}, true, Guard::kAfter);
  CHECK(exact > 1000, "of only %zu results every share is clear", exact);
}

TEST("attention of bytes with a mask that is no finite number is none, for its example alone") {
  constexpr size_t positions = 5;
  const std::vector<uint8_t> query(2 * 2 * 3, 130), key(2 * positions * 2 * 3, 140), value(2 * positions * 2, 200);
  Workspace workspace;
  SerialExecutor serial;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t at = 0; at < positions; at++)
      for (const float none : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity()}) {
        std::vector<float> mask(2 * positions, 1.0f), y(2 * 2);
        mask[at] = none;
        const AttentionOfBytes a{2,           2,     1,     positions, 3, 1, query.data(), key.data(), value.data(),
                                 mask.data(), 1e-4f, 0.01f, y.data()};
        attentionOfBytes(*kernels, a, workspace, serial);
        CHECK(std::isnan(y[0]) && std::isnan(y[1]) && std::isfinite(y[2]) && std::isfinite(y[3]), "%s: %g %g %g %g",
              kernels->isa, y[0], y[1], y[2], y[3]);
      }
}

TEST("attention refuses arrays of other lengths, and a scale that is none") {
  lutnn_context* context = nullptr;
  lutnn_error error;
  CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message);
  std::vector<float> query(2 * 3 * 8), key(2 * 5 * 8), value(2 * 5 * 4), mask(2 * 5), y(2 * 3 * 4);
  const auto view = [](const std::vector<float>& all) {
    return lutnn_floats{all.data(), static_cast<int64_t>(all.size())};
  };
  lutnn_floats masked = view(mask);
  const lutnn_attention good{.batch = 2,
                             .heads = 2,
                             .queries = 3,
                             .positions = 5,
                             .depth = 4,
                             .outputs = 2,
                             .query = view(query),
                             .key = view(key),
                             .value = view(value),
                             .mask = &masked,
                             .scale = 1,
                             .y = {y.data(), static_cast<int64_t>(y.size())}};
  CHECK(lutnn_attention_run(&good, context, &error) == LUTNN_OK, "%s", error.message);
  const auto refused = [&](const char* words, auto change) {
    lutnn_attention bad = good;
    change(bad);
    const lutnn_code code = lutnn_attention_run(&bad, context, &error);
    CHECK(code == LUTNN_OUT_OF_RANGE && std::strstr(error.message, words), "%d %s", code, error.message);
  };
  refused("heads must be", [](lutnn_attention& a) { a.heads = 0; });
  refused("positions must be", [](lutnn_attention& a) { a.positions = 0; });
  refused("batch must be", [](lutnn_attention& a) { a.batch = -1; });
  refused("query must have", [](lutnn_attention& a) { a.queries = int64_t{1} << 30; });
  refused("key must have", [](lutnn_attention& a) { a.key.length--; });
  refused("value must have", [](lutnn_attention& a) { a.outputs = 3; });
  refused("scale must be", [](lutnn_attention& a) { a.scale = 0; });
  refused("must not overlap", [&](lutnn_attention& a) { a.y.data = query.data(); });
  masked.length--;
  refused("mask must have", [](lutnn_attention&) {});

  const std::vector<uint8_t> bytes(2 * 5 * 8);
  const auto first = [&](int64_t length) { return lutnn_bytes{bytes.data(), length}; };
  const lutnn_attention_of_bytes fine{.batch = 2,
                                      .heads = 2,
                                      .queries = 3,
                                      .positions = 5,
                                      .depth = 4,
                                      .outputs = 2,
                                      .query = first(2 * 3 * 8),
                                      .key = first(2 * 5 * 8),
                                      .value = first(2 * 5 * 4),
                                      .mask = nullptr,
                                      .scale = 1,
                                      .value_scale = 1,
                                      .y = good.y};
  CHECK(lutnn_attention_of_bytes_run(&fine, context, &error) == LUTNN_OK, "%s", error.message);
  const auto refusedBytes = [&](const char* words, auto change) {
    lutnn_attention_of_bytes bad = fine;
    change(bad);
    const lutnn_code code = lutnn_attention_of_bytes_run(&bad, context, &error);
    CHECK(code == LUTNN_OUT_OF_RANGE && std::strstr(error.message, words), "%d %s", code, error.message);
  };
  refusedBytes("value_scale must be", [](lutnn_attention_of_bytes& a) { a.value_scale = -1; });
  refusedBytes("query must have", [](lutnn_attention_of_bytes& a) { a.query.length++; });
  refusedBytes("positions must be", [](lutnn_attention_of_bytes& a) { a.positions = 66312; });
  lutnn_context_free(context);
}
