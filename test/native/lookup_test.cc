// Integer sums and real outputs of every instruction set, bit for bit.
#include <algorithm>

#include "check.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const size_t kPositions[] = {1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65};
static const size_t kOutputs[] = {1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 33, 63, 64, 65, 129};
static const size_t kCodebooks[] = {1, 2, 3, 5, 7, 16, 17, 33};
static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

enum class Fill { kRandom, kLowest, kHighest };
/// Widths of tables, as the power of two that bounds their entries; those between the packed widths too.
static const int kBounds[] = {128, 64, 32, 16, 8, 4};

struct Case {
  RandomLayer layer;
  size_t positions;
  std::vector<uint8_t> codes;  // (positions, C)
  std::vector<int32_t> sums;   // (positions, M)
  std::vector<float> y, residual;

  Case(std::mt19937& random, size_t C, size_t K, size_t M, size_t n, int bound = 128, Fill fill = Fill::kRandom)
      : layer(random, C, K, 1, M), positions(n), codes(n * C) {
    for (int8_t& entry : layer.lookupTable) {
      if (fill == Fill::kRandom) entry = static_cast<int8_t>(entry % bound);
      else entry = static_cast<int8_t>(fill == Fill::kLowest ? -bound : bound - 1);
    }
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() % K);
    sums = referenceSums(layer, codes.data(), n);
    y = referenceOutputs(layer, sums);
    residual = randomFloats(random, n * M);
  }
};

static std::vector<float> withResidual(const std::vector<float>& y, const std::vector<float>& residual, bool relu) {
  std::vector<float> wanted(y.size());
  for (size_t i = 0; i < y.size(); i++) {
    wanted[i] = y[i] + residual[i];
    if (relu && wanted[i] < 0) wanted[i] = 0;
  }
  return wanted;
}

template <class T>
static void checkEqual(const Microkernels& kernels, const char* what, const Case& test, const Guarded<T>& got,
                       const std::vector<T>& wanted) {
  size_t wrong = 0;
  for (size_t i = 0; i < wanted.size(); i++) wrong += std::memcmp(&got[i], &wanted[i], sizeof(T)) != 0;
  CHECK(wrong == 0, "%s %s: %zu of %zu differ (N %zu C %zu K %zu M %zu)", kernels.isa, what, wrong, wanted.size(),
        test.positions, test.layer.numCodebooks, test.layer.numCentroids, test.layer.outputs);
}

/// Runs `lookup(output)` for sums, for outputs, and for outputs with residual and ReLU, between inaccessible pages.
/// `order` brings (positions, M) into the kernel's order.
template <class Lookup, class Order>
static void checkOutputs(const Microkernels& kernels, const Case& test, Guard guard, size_t stride, Lookup lookup,
                         Order order) {
  const PackedScale scale(test.layer.tableScale.data(), test.layer.bias.data(), test.layer.outputs);
  Guarded<int32_t> sums(test.sums.size(), guard);
  lookup(sumsOutput(sums.data(), stride));
  checkEqual(kernels, "sums", test, sums, order(test.sums));
  Guarded<float> y(test.y.size(), guard), residual(test.y.size(), guard);
  Output out = scale.output(y.data(), stride);
  lookup(out);
  checkEqual(kernels, "outputs", test, y, order(test.y));
  const std::vector<float> ordered = order(test.residual);
  std::copy(ordered.begin(), ordered.end(), residual.begin());
  out.residual = residual.data();
  lookup(out);
  checkEqual(kernels, "with residual", test, y, order(withResidual(test.y, test.residual, false)));
  out.floor = 0;
  lookup(out);
  checkEqual(kernels, "with residual and ReLU", test, y, order(withResidual(test.y, test.residual, true)));
}

static void checkShuffle(const Microkernels& kernels, const Case& test) {
  const size_t C = test.layer.numCodebooks, n = test.positions, M = test.layer.outputs, G = kernels.groupCodebooks;
  const PackedTable table(kernels, test.layer.lookup(), PackedTable::Order::kShuffle);
  for (Guard guard : kGuards) {
    const size_t numGroups = roundUp(C, G) / G, stride = (roundUp(n, 16) + 16 * (C % 2)) * G;
    Guarded<uint8_t> codes((numGroups - 1) * stride + roundUp(n, 16) * G, guard), rows(G * n, guard);
    std::fill(codes.begin(), codes.end(), 0xff);  // beyond the last position anything may stand
    for (size_t group = 0; group < numGroups; group++) {
      const size_t count = std::min(G, C - group * G);
      for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < n; i++) rows[g * n + i] = test.codes[i * C + group * G + g];
      uint8_t* to = codes.data() + group * stride;
      if (G == 1) std::copy(rows.begin(), rows.end(), to);
      else kernels.groupCodes(rows.data(), n, count, n, to);
    }
    Guarded<uint8_t> entries(table.bytes(), guard);
    std::copy_n(table.shuffle().entries, table.bytes(), entries.data());
    ShuffleTable view = table.shuffle();
    view.entries = entries.data();
    checkOutputs(
        kernels, test, guard, n, [&](const Output& out) { kernels.lookupShuffle(view, codes.data(), stride, n, out); },
        [&](const auto& sums) { return toChannelsFirst(sums, 1, n, M); });
  }
}

static void checkGather(const Microkernels& kernels, const Case& test) {
  const size_t M = test.layer.outputs;
  const PackedTable table(kernels, test.layer.lookup(), PackedTable::Order::kGather);
  for (Guard guard : kGuards) {
    Guarded<uint8_t> codes(test.codes.size(), guard), entries(table.bytes(), guard);
    std::copy(test.codes.begin(), test.codes.end(), codes.begin());
    GatherTable view = table.gather();
    std::copy_n(view.entries, table.bytes(), entries.data());
    view.entries = entries.data();
    checkOutputs(
        kernels, test, guard, M,
        [&](const Output& out) { kernels.lookupGather(view, codes.data(), test.positions, out); },
        [](const auto& rows) { return rows; });
  }
}

TEST("shuffled lookups add up to the reference's sums and outputs on every instruction set") {
  std::mt19937 random(1);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : kPositions)
      for (size_t M : kOutputs)
        for (size_t C : kCodebooks) {
          if (leftOut()) continue;
          const size_t K = random() % 3 ? 16 : 2 + random() % 15;
          checkShuffle(*kernels, Case(random, C, K, M, n, kBounds[random() % std::size(kBounds)]));
        }
}

TEST("gathered lookups add up to the reference's sums and outputs on every instruction set") {
  std::mt19937 random(2);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : {1, 2, 3, 17})
      for (size_t M : kOutputs)
        for (size_t C : kCodebooks)
          for (size_t K : {2, 3, 16, 17, 256}) {
            if (leftOut()) continue;
            checkGather(*kernels, Case(random, C, static_cast<size_t>(K), M, static_cast<size_t>(n),
                                       kBounds[random() % std::size(kBounds)]));
          }
}

TEST("sums in rows are finished as planes, on every instruction set") {
  std::mt19937 random(4);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : kPositions)
      for (size_t M : kOutputs) {
        const Case test(random, 2, 16, M, n);
        for (Guard guard : kGuards) {
          Guarded<int32_t> sums(n * M, guard);
          std::copy(test.sums.begin(), test.sums.end(), sums.begin());
          checkOutputs(
              *kernels, test, guard, n, [&](const Output& out) { kernels->finishTransposed(sums.data(), n, M, out); },
              [&](const auto& rows) { return toChannelsFirst(rows, 1, n, M); });
        }
      }
}

TEST("a table made in one order gives the same entries in the other") {
  std::mt19937 random(5);
  using Order = PackedTable::Order;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t C : kCodebooks)
      for (size_t M : kOutputs) {
        const RandomLayer layer(random, C, 2 + random() % 15, 1, M);
        const PackedTable shuffleFirst(*kernels, layer.lookup(), Order::kShuffle);
        const PackedTable gatherFirst(*kernels, layer.lookup(), Order::kGather);
        const GatherTable gathered = shuffleFirst.gather(), wantedGathered = gatherFirst.gather();
        const ShuffleTable shuffled = gatherFirst.shuffle(), wantedShuffled = shuffleFirst.shuffle();
        CHECK(shuffleFirst.bytes() == gatherFirst.bytes(), "%zu bytes", shuffleFirst.bytes());
        const size_t gatherBytes = roundUp(M, 64) * C * layer.numCentroids;
        CHECK(std::memcmp(gathered.entries, wantedGathered.entries, gatherBytes) == 0, "%s gather", kernels->isa);
        CHECK(std::memcmp(shuffled.entries, wantedShuffled.entries, shuffleFirst.bytes() - gatherBytes) == 0,
              "%s shuffle", kernels->isa);
      }
}

TEST("so many codebooks of extreme entries that 16 bits are full do not overflow, for tables of any width") {
  std::mt19937 random(3);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t C : std::initializer_list<size_t>{255, 256, 257, 511, 512, 513, 1000, 4095, 4096, 4097, 5000})
      for (int bound : kBounds)
        for (Fill fill : {Fill::kLowest, Fill::kHighest, Fill::kRandom}) {
          if ((C > 1000 && bound > 8) || leftOut()) continue;
          const Case test(random, C, 16, 5, 17, bound, fill);
          checkShuffle(*kernels, test);
          checkGather(*kernels, test);
        }
}
