// Codes that are defined in integers: every instruction set against plain loops of the definition, bit for bit.
#include <algorithm>
#include <cmath>

#include "check.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

TEST("inputs become the bytes of the definition on every instruction set, inside their arrays") {
  std::mt19937 random(1);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : std::initializer_list<size_t>{1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100})
      for (int zeroPoint : {0, 1, 128, 200, 255})
        for (Guard guard : kGuards) {
          const float scale = zeroPoint == 1 ? 0.25f : 0.0173f;
          Guarded<float> x(n, guard);
          Guarded<uint8_t> q(n, guard);
          for (float& value : x) value = static_cast<float>(static_cast<int>(random() % 1100) - 550) / 2 * scale;
          if (n > 7) x[1] = NAN, x[2] = INFINITY, x[3] = -INFINITY, x[4] = 3e38f, x[5] = -3e38f, x[6] = 1e-42f;
          kernels->int8->quantizeBy(x.data(), n, scale, static_cast<uint8_t>(zeroPoint), q.data());
          for (size_t i = 0; i < n; i++)
            CHECK(q[i] == referenceByte(x[i], scale, zeroPoint), "%s: %d (zero point %d, x %g)", kernels->isa, q[i],
                  zeroPoint, static_cast<double>(x[i]));
        }
}

TEST("inputs at and beside halves become the bytes that a division gives, for scales of every kind") {
  std::mt19937 random(5);
  for (const Microkernels* kernels : availableMicrokernels())
    for (int trial = 0; trial < 3000; trial++) {
      if (leftOut()) continue;
      uint32_t bits = static_cast<uint32_t>(random());  // any mantissa, those near a power of two more often
      bits = trial % 3 == 0 ? bits & 0xf : trial % 3 == 1 ? 0x7fffff - (bits & 0xf) : bits & 0x7fffff;
      const int exponent =
          trial % 7 == 0 ? static_cast<int>(random() % 240) - 120 : static_cast<int>(random() % 20) - 12;
      const float scale = std::ldexp(1 + static_cast<float>(bits) * 0x1p-23f, exponent);
      const int zeroPoint = static_cast<int>(random() % 256);
      float x[48];
      uint8_t q[48];
      for (float& value : x) {
        value = (static_cast<float>(random() % 560) - 280 + 0.5f) * scale;
        for (int steps = static_cast<int>(random() % 7) - 3; steps != 0; steps += steps < 0 ? 1 : -1)
          value = std::nextafter(value, steps < 0 ? -INFINITY : INFINITY);
      }
      kernels->int8->quantizeBy(x, 48, scale, static_cast<uint8_t>(zeroPoint), q);
      for (size_t i = 0; i < 48; i++)
        CHECK(q[i] == referenceByte(x[i], scale, zeroPoint), "%s: %d (zero point %d, x %a, scale %a)", kernels->isa,
              q[i], zeroPoint, static_cast<double>(x[i]), static_cast<double>(scale));
    }
}

TEST("rows get the definition's codes on every instruction set, ties the lower index") {
  std::mt19937 random(2);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : std::initializer_list<size_t>{2, 3, 16, 17, 256})
      for (size_t V : std::initializer_list<size_t>{1, 2, 3, 4, 5, 9, 16, 31, 32, 256})
        for (size_t rows : std::initializer_list<size_t>{1, 7, 8, 9, 33}) {
          if (leftOut()) continue;
          const bool coarse = random() % 3 == 0;
          const RandomLayer layer(random, 1 + random() % 4, K, V, 1);
          const RandomIntegers integers(random, layer, coarse);
          std::vector<float> x = randomFloats(random, rows * layer.numCodebooks * V, coarse);
          for (float& value : x) value *= coarse ? integers.inputScale : 1.0f;
          const std::vector<uint8_t> wanted = referenceEncodeIntegers(layer, integers, x.data(), rows);
          const LutMatMul op(*kernels, integers.lookup(layer), Encoding::kInteger);
          for (Guard guard : kGuards) {
            Guarded<float> in(x.size(), guard);
            Guarded<uint8_t> codes(wanted.size(), guard);
            std::copy(x.begin(), x.end(), in.begin());
            op.encode(in.data(), rows, codes.data(), workspace);
            CHECK(std::equal(wanted.begin(), wanted.end(), codes.begin()), "%s (N %zu C %zu K %zu V %zu zero %d)",
                  kernels->isa, rows, layer.numCodebooks, K, V, integers.zeroPoint);
          }
        }
}

TEST("convolutions get the definition's codes on every instruction set, padding being zeros") {
  std::mt19937 random(3);
  Workspace workspace;
  for (int trial = 0; trial < 150; trial++) {
    const auto conv = randomConv(random);
    if (!conv) continue;
    const auto& [channels, height, width, outputHeight, outputWidth, w, layer, x] = *conv;
    const RandomIntegers integers(random, layer, random() % 3 == 0);
    const size_t positions = outputHeight * outputWidth;
    const auto windows = referenceWindows(w, x.data(), 1, height, width, outputHeight, outputWidth);
    const std::vector<uint8_t> wanted = referenceEncodeIntegers(layer, integers, windows.data(), positions);
    for (const Microkernels* kernels : availableMicrokernels()) {
      const LutConv op(*kernels, integers.lookup(layer), w, Encoding::kInteger);
      Guarded<float> in(x.size());
      std::copy(x.begin(), x.end(), in.begin());
      std::vector<uint8_t> codes(wanted.size());
      op.encode(op.plan(height, width), in.data(), 1, codes.data(), workspace);
      CHECK(codes == wanted, "%s (x %zu,%zu filter %zu,%zu stride %zu,%zu channels %zu K %zu zero %d)", kernels->isa,
            height, width, w.filterHeight, w.filterWidth, w.strideHeight, w.strideWidth, channels, layer.numCentroids,
            integers.zeroPoint);
    }
  }
}
