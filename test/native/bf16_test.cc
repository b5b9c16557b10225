// Codes of inputs rounded to bfloat16: every instruction set against plain loops of the definition, bit for bit.
#include <algorithm>

#include "bf16.h"
#include "check.h"
#include "dispatch.h"
#include "guarded.h"
#include "lut_conv.h"
#include "lut_matmul.h"
#include "reference.h"

using namespace lutnn;

static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

/// The instruction sets, and again without the instruction that adds up products of bfloat16 where one has it.
static std::vector<Microkernels> everyWay() {
  std::vector<Microkernels> all;
  for (const Microkernels* kernels : availableMicrokernels()) {
    all.push_back(*kernels);
    if (!kernels->bf16) continue;
    all.push_back(*kernels);
    all.back().bf16 = nullptr;
  }
  return all;
}

TEST("numbers are rounded as defined, by loops and by instructions") {
  std::vector<float> numbers = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN, 0x1p-50f, -0x1p-50f, 0x1.fffffep-51f,
                                0x1.fffffep127f, 0x1.fep127f, 0x1.fefffep127f, 1e-42f, 0x1.01p0f, 0x1.03p0f, -0x1.01p0f};
  std::mt19937 random(1);
  for (int i = 0; i < 20000; i++) {
    const uint32_t bits = static_cast<uint32_t>(random()) & (i % 2 ? 0xffffffffu : 0xffff8000u);
    float number;
    std::memcpy(&number, &bits, sizeof number);
    numbers.push_back(number);
  }
  for (float number : numbers)
    CHECK(roundToBf16(number) == referenceBf16(number), "%a: %a", static_cast<double>(number),
          static_cast<double>(roundToBf16(number)));
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : {size_t{1}, size_t{15}, size_t{16}, size_t{17}, numbers.size()})
      for (Guard guard : kGuards) {
        if (!kernels->bf16) continue;
        Guarded<float> x(n, guard);
        Guarded<uint16_t> y(n, guard);
        std::copy_n(numbers.begin(), n, x.begin());
        kernels->bf16->round(x.data(), n, y.data());
        for (size_t i = 0; i < n; i++) {
          const uint32_t bits = static_cast<uint32_t>(y[i]) << 16;
          float got;
          std::memcpy(&got, &bits, sizeof got);
          CHECK(got == referenceBf16(x[i]), "%s: %a becomes %a", kernels->isa, static_cast<double>(x[i]), static_cast<double>(got));
        }
      }
}

TEST("rows rounded to bfloat16 get the definition's codes on every instruction set") {
  std::mt19937 random(2);
  Workspace workspace;
  size_t different = 0, total = 0;
  for (const Microkernels& kernels : everyWay())
    for (size_t K : std::initializer_list<size_t>{2, 3, 16, 17, 256})
      for (size_t V : std::initializer_list<size_t>{1, 2, 3, 4, 5, 8, 9, 16, 31, 32, 33})
        for (size_t rows : std::initializer_list<size_t>{1, 7, 8, 9, 33}) {
          if (leftOut()) continue;
          const size_t C = 1 + random() % 4;
          const bool coarse = random() % 3 == 0;
          const RandomLayer layer(random, C, K, V, 1, coarse);
          std::vector<float> x = randomFloats(random, rows * C * V, coarse);
          if (random() % 4 == 0)
            for (float& value : x) value = std::ldexp(value, static_cast<int>(random() % 120) - 60);
          const std::vector<uint8_t> wanted =
              referenceEncodeBf16(layer, x.data(), rows, pairOrder(rowQuads(V, 2)));
          const LutMatMul op(kernels, layer.lookup(), Encoding::kBf16);
          std::vector<uint8_t> exact(wanted.size());
          for (Guard guard : kGuards) {
            Guarded<float> in(x.size(), guard);
            Guarded<uint8_t> codes(wanted.size(), guard);
            std::copy(x.begin(), x.end(), in.begin());
            op.encode(in.data(), rows, codes.data(), workspace);
            CHECK(std::equal(wanted.begin(), wanted.end(), codes.begin()), "%s (N %zu C %zu K %zu V %zu)", kernels.isa,
                  rows, C, K, V);
          }
          op.encodeAs(Encoding::kFloat32, x.data(), rows, exact.data(), workspace);
          for (size_t i = 0; i < exact.size(); i++) different += exact[i] != wanted[i];
          total += exact.size();
        }
  CHECK(different * 100 < total * 2, "%zu of %zu codes differ from those of float32", different, total);
}

TEST("convolutions of inputs rounded to bfloat16 get the definition's codes on every instruction set") {
  std::mt19937 random(3);
  Workspace workspace;
  for (int trial = 0; trial < 150; trial++) {
    if (leftOut()) continue;
    const auto conv = randomConv(random);
    if (!conv) continue;
    const auto& [channels, height, width, outputHeight, outputWidth, w, layer, x] = *conv;
    const auto windows = referenceWindows(w, x.data(), 1, height, width, outputHeight, outputWidth);
    const std::vector<uint8_t> wanted = referenceEncodeBf16(layer, windows.data(), outputHeight * outputWidth,
                                                            pairOrder(WindowQuads(w, channels, 2).quads));
    for (const Microkernels& kernels : everyWay()) {
      const LutConv op(kernels, layer.lookup(), w, Encoding::kBf16);
      const ConvPlan planes = op.plan(height, width);
      Guarded<float> in(x.size());
      std::copy(x.begin(), x.end(), in.begin());
      std::vector<uint8_t> codes(wanted.size());
      op.encode(planes, in.data(), 1, codes.data(), workspace);
      CHECK(codes == wanted, "%s (x %zu,%zu filter %zu,%zu stride %zu,%zu channels %zu K %zu)", kernels.isa, height,
            width, w.filterHeight, w.filterWidth, w.strideHeight, w.strideWidth, channels, layer.numCentroids);
    }
  }
}
