// Codes of 8-bit inputs: every instruction set against plain loops of the definition, bit for bit.
#include <algorithm>

#include "check.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const size_t kSizes[] = {1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 47, 100};
static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

/// Codes of rows by the definition in microkernels.h, with an input scale for each row.
static std::vector<uint8_t> referenceCodesInt8(const RandomLayer& layer, const std::vector<float>& x, size_t rows) {
  const size_t C = layer.numCodebooks, K = layer.numCentroids, V = layer.subvectorLength, D = C * V;
  float largestCentroid = 0;
  for (float value : layer.centroids) largestCentroid = std::max(largestCentroid, std::fabs(value));
  std::vector<uint8_t> codes(rows * C);
  for (size_t n = 0; n < rows; n++) {
    float largest = 0;
    for (size_t d = 0; d < D; d++) largest = std::max(largest, std::fabs(x[n * D + d]));
    const float inputScale = 127 / std::max(largest, largestCentroid / 64);
    for (size_t c = 0; c < C; c++) {
      const float* book = layer.centroids.data() + c * K * V;
      float widest = 0;
      for (size_t i = 0; i < K * V; i++) widest = std::max(widest, std::fabs(book[i]));
      const double weightScale = widest > 0 ? 127.0 / widest : 0;
      int64_t best = INT64_MIN;
      for (size_t k = 0; k < K; k++) {
        double norm = 0;
        int64_t score = 0;
        for (size_t v = 0; v < V; v++) {
          const float p = book[k * V + v];
          norm += static_cast<double>(p) * p;
          const float q = std::min(127.0f, std::max(-127.0f, x[n * D + c * V + v] * inputScale));
          score += static_cast<int64_t>(std::nearbyint(q)) * static_cast<int64_t>(std::nearbyint(p * weightScale));
        }
        const float halfNorm = static_cast<float>(-0.5 * norm * weightScale) * inputScale;
        score += static_cast<int64_t>(std::nearbyint(halfNorm));
        if (score <= best) continue;
        best = score;
        codes[n * C + c] = static_cast<uint8_t>(k);
      }
    }
  }
  return codes;
}

TEST("rows of 8-bit inputs get the definition's codes on every instruction set") {
  std::mt19937 random(1);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : std::initializer_list<size_t>{2, 3, 16, 17, 256})
      for (size_t V : std::initializer_list<size_t>{1, 2, 3, 4, 5, 8, 9, 16, 31, 32, 33})
        for (size_t rows : std::initializer_list<size_t>{1, 7, 8, 9, 33}) {
          const size_t C = 1 + random() % 4;
          const RandomLayer layer(random, C, K, V, 1, random() % 3 == 0);
          const std::vector<float> x = randomFloats(random, rows * C * V, random() % 3 == 0);
          const std::vector<uint8_t> wanted = referenceCodesInt8(layer, x, rows);
          const LutMatMul op(*kernels, layer.lookup(), Encoding::kInt8);
          for (Guard guard : kGuards) {
            Guarded<float> in(x.size(), guard);
            Guarded<uint8_t> codes(wanted.size(), guard);
            std::copy(x.begin(), x.end(), in.begin());
            op.encode(in.data(), rows, codes.data(), workspace);
            CHECK(std::equal(wanted.begin(), wanted.end(), codes.begin()), "%s (N %zu C %zu K %zu V %zu)", kernels->isa,
                  rows, C, K, V);
          }
        }
}

TEST("the steps before encoding give the same bytes on every instruction set, inside their arrays") {
  std::mt19937 random(2);
  const MicrokernelsInt8& plain = kScalarMicrokernelsInt8;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : kSizes)
      for (Guard guard : kGuards) {
        const std::vector<float> values = randomFloats(random, n);
        Guarded<float> x(n, guard);
        std::copy(values.begin(), values.end(), x.begin());
        if (n > 2) x[n / 2] = NAN, x[0] = INFINITY;
        CHECK(kernels->int8->largest(x.data(), n) == plain.largest(x.data(), n), "%s largest", kernels->isa);
        Guarded<uint8_t> q(n, guard), wanted(n, guard);
        kernels->int8->quantize(x.data(), n, 90, q.data());
        plain.quantize(x.data(), n, 90, wanted.data());
        CHECK(std::equal(q.begin(), q.end(), wanted.begin()), "%s quantize %zu", kernels->isa, n);

        Guarded<uint8_t> bytes(n + 3, guard), quads(4 * n, guard), wantedQuads(4 * n, guard);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
        kernels->int8->spread(bytes.data(), n, quads.data());
        plain.spread(bytes.data(), n, wantedQuads.data());
        CHECK(std::equal(quads.begin(), quads.end(), wantedQuads.begin()), "%s spread %zu", kernels->isa, n);
        for (size_t rows = 1; rows <= 4; rows++) {
          Guarded<uint8_t> planes(rows * n, guard);
          for (uint8_t& byte : planes) byte = static_cast<uint8_t>(random());
          kernels->int8->interleave(planes.data(), n, rows, n, quads.data());
          plain.interleave(planes.data(), n, rows, n, wantedQuads.data());
          CHECK(std::equal(quads.begin(), quads.end(), wantedQuads.begin()), "%s interleave %zu", kernels->isa, n);
        }
      }
}

TEST("convolutions of 8-bit inputs give the same codes on every instruction set, and nearly those of float32") {
  std::mt19937 random(3);
  Workspace workspace;
  size_t different = 0, total = 0;
  for (int trial = 0; trial < 150; trial++) {
    const auto conv = randomConv(random);
    if (!conv) continue;
    const auto& [channels, height, width, outputHeight, outputWidth, w, layer, x] = *conv;
    std::vector<uint8_t> wanted;
    for (const Microkernels* kernels : availableMicrokernels()) {
      const LutConv op(*kernels, layer.lookup(), w, Encoding::kInt8);
      const ConvPlan planes = op.plan(height, width);
      Guarded<float> in(x.size());
      std::copy(x.begin(), x.end(), in.begin());
      std::vector<uint8_t> codes(outputHeight * outputWidth * layer.numCodebooks), exact(codes.size());
      op.encode(planes, in.data(), 1, codes.data(), workspace);
      op.encodeExactly(planes, in.data(), 1, exact.data(), workspace);
      if (wanted.empty()) wanted = codes;
      CHECK(codes == wanted, "%s (x %zu,%zu filter %zu,%zu stride %zu,%zu channels %zu K %zu)", kernels->isa, height,
            width, w.filterHeight, w.filterWidth, w.strideHeight, w.strideWidth, channels, layer.numCentroids);
      for (size_t i = 0; i < codes.size(); i++) different += codes[i] != exact[i];
      total += codes.size();
    }
  }
  CHECK(different * 100 < total * 5, "%zu of %zu codes differ from those of float32", different, total);
}

TEST("8-bit codes of infinite, huge, tiny and NaN inputs stay below K") {
  std::mt19937 random(4);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : std::initializer_list<size_t>{2, 16, 100}) {
      const RandomLayer layer(random, 1, K, 5, 1);
      const LutMatMul op(*kernels, layer.lookup(), Encoding::kInt8);
      for (float odd : {INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-42f, 0.0f}) {
        const float x[] = {odd, odd, 1e-30f, odd, 0};
        uint8_t code = 255;
        op.encode(x, 1, &code, workspace);
        CHECK(code < K, "%s: %d (K %zu, input %g)", kernels->isa, code, K, static_cast<double>(odd));
      }
    }
}
