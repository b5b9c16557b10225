// The soft-PQ lookup and its gradient over every instruction set against plain loops in double precision.
#include <algorithm>
#include <cmath>
#include <string>

#include "check.h"
#include "guarded.h"
#include "isa/training_dispatch.h"
#include "reference.h"
#include "training/soft_lookup.h"

using namespace lutnn;

/// Of gradients, relative to the largest entry, all inputs being of order one: float32 sums of some hundred terms, and
/// squared distances as differences of larger numbers.
static constexpr double kTolerance = 1e-4;

struct Problem {
  size_t rows, C, K, V, M;
  bool fromWeight, squared;
  std::vector<float> x, centroids, table, dy;  // x (rows, C·V); table or weight
  float theta;
};

struct Gradients {
  std::vector<double> x, centroids, table;
  double theta, thetaTerms;  // thetaTerms: of the absolute values of what theta is the sum of
};

/// The real table (C, K, M), each sum upwards in v by fused multiply-add.
static std::vector<float> realTable(const Problem& p) {
  if (!p.fromWeight) return p.table;
  std::vector<float> table(p.C * p.K * p.M, 0.0f);
  for (size_t c = 0; c < p.C; c++)
    for (size_t k = 0; k < p.K; k++)
      for (size_t m = 0; m < p.M; m++)
        for (size_t v = 0; v < p.V; v++) {
          float& sum = table[(c * p.K + k) * p.M + m];
          sum = std::fmaf(p.centroids[(c * p.K + k) * p.V + v], p.table[(c * p.V + v) * p.M + m], sum);
        }
  return table;
}

static Gradients referenceGradients(const Problem& p) {
  const std::vector<float> table = realTable(p);
  const size_t D = p.C * p.V;
  Gradients g{std::vector<double>(p.rows * D), std::vector<double>(p.C * p.K * p.V),
              std::vector<double>(p.table.size()), 0, 0};
  std::vector<double> dTable(p.C * p.K * p.M);
  const double m = std::log1p(std::exp(static_cast<double>(p.theta))) + 1;
  for (size_t n = 0; n < p.rows; n++)
    for (size_t c = 0; c < p.C; c++) {
      const float* x = &p.x[n * D + c * p.V];
      std::vector<double> d(p.K), slope(p.K), a(p.K), G(p.K);
      double least = 1e300, total = 0, mean = 0;
      for (size_t k = 0; k < p.K; k++) {
        double square = 0;
        for (size_t v = 0; v < p.V; v++) {
          const double difference = static_cast<double>(x[v]) - p.centroids[(c * p.K + k) * p.V + v];
          square += difference * difference;
        }
        d[k] = p.squared ? square : std::sqrt(square + kDistanceFloor);
        slope[k] = p.squared ? 1 : 1 / (2 * d[k]);
        least = std::min(least, d[k]);
      }
      for (size_t k = 0; k < p.K; k++) total += a[k] = std::exp(-m * (d[k] - least));
      for (size_t k = 0; k < p.K; k++) {
        a[k] /= total;
        for (size_t j = 0; j < p.M; j++) {
          const double dy = p.dy[n * p.M + j];
          G[k] += dy * table[(c * p.K + k) * p.M + j];
          dTable[(c * p.K + k) * p.M + j] += a[k] * dy;
        }
        mean += a[k] * G[k];
      }
      for (size_t k = 0; k < p.K; k++) {
        const double q = a[k] * (G[k] - mean);
        g.theta -= q * d[k];
        g.thetaTerms += std::fabs(q * d[k]);
        for (size_t v = 0; v < p.V; v++) {
          const double pull =
              2 * -m * q * slope[k] * (static_cast<double>(x[v]) - p.centroids[(c * p.K + k) * p.V + v]);
          g.x[n * D + c * p.V + v] += pull;
          g.centroids[(c * p.K + k) * p.V + v] -= pull;
        }
      }
    }
  g.theta /= 1 + std::exp(-static_cast<double>(p.theta));
  if (!p.fromWeight) {
    g.table = dTable;
    return g;
  }
  for (size_t c = 0; c < p.C; c++)
    for (size_t k = 0; k < p.K; k++)
      for (size_t v = 0; v < p.V; v++)
        for (size_t j = 0; j < p.M; j++) {
          const size_t atTable = (c * p.K + k) * p.M + j, atWeight = (c * p.V + v) * p.M + j;
          const size_t atCentroid = (c * p.K + k) * p.V + v;
          g.centroids[atCentroid] += dTable[atTable] * p.table[atWeight];
          g.table[atWeight] += dTable[atTable] * p.centroids[atCentroid];
        }
  return g;
}

template <class Got>
static double difference(const Got& got, const std::vector<double>& wanted) {
  double largest = 0.1, worst = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    largest = std::max(largest, std::fabs(wanted[i]));
    const double error = std::fabs(got[i] - wanted[i]);
    worst = error <= worst ? worst : error;  // NaN counts
  }
  return worst / largest;
}

static Problem randomProblem(std::mt19937& random, size_t rows, size_t C, size_t K, size_t V, size_t M, bool fromWeight,
                             bool squared) {
  return {rows,
          C,
          K,
          V,
          M,
          fromWeight,
          squared,
          randomFloats(random, rows * C * V),
          randomFloats(random, C * K * V),
          randomFloats(random, fromWeight ? C * V * M : C * K * M),
          randomFloats(random, rows * M),
          0.4f};
}

/// Every array between inaccessible pages.
template <class T>
static void copyTo(Guarded<T>& to, const std::vector<T>& from) {
  std::copy(from.begin(), from.end(), to.begin());
}

struct Outcome {
  std::vector<float> dx, dCentroids, dTable;
  float dTheta;
};

/// `sourceOf(x, dx)` says where the sub-vectors lie.
template <class SourceOf>
static Outcome runBackward(Trainer& trainer, const Problem& p, size_t xFloats, const std::vector<float>& image,
                           SourceOf sourceOf) {
  Guarded<float> x(xFloats), dx(xFloats), centroids(p.centroids.size()), table(p.table.size()), dy(p.dy.size());
  Guarded<float> dCentroids(p.centroids.size()), dTable(p.table.size()), dTheta(1);
  copyTo(x, image);
  copyTo(centroids, p.centroids);
  copyTo(table, p.table);
  copyTo(dy, p.dy);
  std::fill(dx.begin(), dx.end(), 7.0f);  // what was there does not matter
  trainer.backward({p.C, p.K, p.V, p.M, centroids.data(), table.data(), p.fromWeight}, {p.squared, p.theta},
                   sourceOf(x.data(), dx.data()), dy.data(), {dCentroids.data(), dTable.data(), dTheta.data()});
  return {{dx.begin(), dx.end()}, {dCentroids.begin(), dCentroids.end()}, {dTable.begin(), dTable.end()}, dTheta[0]};
}

static void checkOutcome(const char* isa, const Problem& p, const Outcome& got, const Gradients& wanted,
                         const std::vector<double>& wantedX) {
  const std::string where = std::string(isa) + (p.fromWeight ? ", weight" : ", table") +
                            (p.squared ? ", squared" : "") + ", N " + std::to_string(p.rows) + " C " +
                            std::to_string(p.C) + " K " + std::to_string(p.K) + " V " + std::to_string(p.V) + " M " +
                            std::to_string(p.M);
  const double x = difference(got.dx, wantedX), centroids = difference(got.dCentroids, wanted.centroids);
  const double table = difference(got.dTable, wanted.table);
  const double theta = std::fabs(got.dTheta - wanted.theta) / std::max(0.1, wanted.thetaTerms);
  CHECK(x < kTolerance, "dx %g: %s", x, where.c_str());
  CHECK(centroids < kTolerance, "dCentroids %g: %s", centroids, where.c_str());
  CHECK(table < kTolerance, "dTable %g: %s", table, where.c_str());
  CHECK(theta < kTolerance, "dTheta %g: %s", theta, where.c_str());
}

/// With the training microkernels of each instruction set once.
template <class Body>
static void forEveryIsa(size_t threads, Body body) {
  std::string last;
  for (const Microkernels* kernels : availableMicrokernels()) {
    const TrainingMicrokernels& training = trainingMicrokernelsFor(*kernels);
    if (last == training.isa) continue;
    last = training.isa;
    Trainer trainer(training, *kernels, threads);
    body(trainer, *kernels);
  }
}

TEST("gradients of rows agree with plain loops") {
  std::mt19937 random(1);
  const size_t sizes[][5] = {{1, 1, 2, 1, 1},    {3, 2, 5, 3, 4},      {7, 3, 16, 9, 5},
                             {17, 5, 16, 4, 3},  {33, 2, 16, 32, 47},  {300, 3, 16, 9, 80},
                             {19, 2, 40, 7, 33}, {530, 17, 16, 9, 16}, {40, 1, 256, 2, 9}};
  for (const auto& [rows, C, K, V, M] : sizes)
    for (bool fromWeight : {true, false})
      for (bool squared : {false, true}) {
        const Problem p = randomProblem(random, rows, C, K, V, M, fromWeight, squared);
        const Gradients wanted = referenceGradients(p);
        forEveryIsa(2, [&](Trainer& trainer, const Microkernels&) {
          const Outcome got = runBackward(trainer, p, p.x.size(), p.x,
                                          [&](const float* x, float* dx) { return Rows{x, dx, p.rows, p.C, p.V}; });
          checkOutcome(trainer.isa(), p, got, wanted, wanted.x);
        });
      }
}

/// More groups of rows than a thread's share can be cut into evenly.
TEST("gradients of many rows count every row, on 1 to 8 threads") {
  std::mt19937 random(7);
  for (size_t rows : {9000, 10007})
    for (bool fromWeight : {true, false}) {
      const Problem p = randomProblem(random, rows, 3, 16, 4, 5, fromWeight, false);
      const Gradients wanted = referenceGradients(p);
      for (size_t threads = 1; threads <= 8; threads++)
        forEveryIsa(threads, [&](Trainer& trainer, const Microkernels&) {
          const Outcome got = runBackward(trainer, p, p.x.size(), p.x,
                                          [&](const float* x, float* dx) { return Rows{x, dx, p.rows, p.C, p.V}; });
          checkOutcome(trainer.isa(), p, got, wanted, wanted.x);
        });
    }
}

struct ImageShape {
  size_t batch, height, width, channels, channelsPerCodebook, K, M;
};

/// Windows of channels-last images as rows (positions, channels · filter area), and rows' gradients back to the images.
template <class Visit>
static void eachWindowElement(const Window& w, const ImageShape& s, Visit visit) {
  const size_t outputHeight =
      outputExtent(s.height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
  const size_t outputWidth =
      outputExtent(s.width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
  size_t at = 0;
  for (size_t n = 0; n < s.batch; n++)
    for (size_t oy = 0; oy < outputHeight; oy++)
      for (size_t ox = 0; ox < outputWidth; ox++)
        for (size_t c = 0; c < s.channels; c++)
          for (size_t i = 0; i < w.filterHeight; i++)
            for (size_t j = 0; j < w.filterWidth; j++, at++) {
              const size_t y = oy * w.strideHeight + i * w.dilationHeight - w.padTop;
              const size_t x = ox * w.strideWidth + j * w.dilationWidth - w.padLeft;
              if (y < s.height && x < s.width) visit(at, ((n * s.height + y) * s.width + x) * s.channels + c);
            }
}

static constexpr size_t kWide = size_t{1} << 23;

static const struct {
  Window window;
  ImageShape shape;
} kImages[] = {
    {{5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {2, 7, 5, 5, 1, 16, 6}},
    {{16, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {3, 16, 16, 16, 1, 16, 40}},
    {{4, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1}, {5, 8, 8, 4, 1, 16, 3}},
    {{20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {9, 4, 4, 20, 1, 16, 17}},
    {{6, 2, 3, 1, 2, 2, 1, 0, 1, 1, 0}, {1, 9, 11, 6, 2, 5, 19}},
    {{3, 5, 5, 3, 2, 1, 2, 2, 4, 2, 4}, {2, 13, 12, 3, 1, 16, 2}},
    {{8, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0}, {3, 6, 5, 8, 4, 16, 9}},
    {{2, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0}, {1, 19, 30, 2, 1, 16, 33}},
    {{2, 3, 3, 4, 4, 1, 1, 0, 0, 0, 0}, {2, 10, 10, 2, 1, 16, 4}},
    // Strides beyond the image: memory for it alone, or little_memory.cc refuses it.
    {{3, 2, 3, kWide, kWide, 1, 2, 0, 2, kWide, kWide}, {2, 3, 5, 3, 1, 16, 4}},
};

TEST("gradients of images agree with those of their windows as rows") {
  std::mt19937 random(2);
  for (const auto& [window, shape] : kImages) {
    const Window& w = window;
    const ImageShape& s = shape;
    const size_t V = s.channelsPerCodebook * w.filterHeight * w.filterWidth, C = s.channels / s.channelsPerCodebook;
    const Images geometry{nullptr, nullptr, s.batch, s.height, s.width, w, V};
    const size_t positions = geometry.positions();
    for (bool fromWeight : {true, false}) {
      Problem p = randomProblem(random, positions, C, s.K, V, s.M, fromWeight, false);
      const std::vector<float> image = randomFloats(random, s.batch * s.height * s.width * s.channels);
      std::fill(p.x.begin(), p.x.end(), 0.0f);
      eachWindowElement(w, s, [&](size_t at, size_t pixel) { p.x[at] = image[pixel]; });
      const Gradients wanted = referenceGradients(p);
      std::vector<double> wantedX(image.size());
      eachWindowElement(w, s, [&](size_t at, size_t pixel) { wantedX[pixel] += wanted.x[at]; });
      forEveryIsa(3, [&](Trainer& trainer, const Microkernels&) {
        const Outcome got = runBackward(trainer, p, image.size(), image, [&](const float* x, float* dx) {
          return Images{x, dx, s.batch, s.height, s.width, w, V};
        });
        checkOutcome(trainer.isa(), p, got, wanted, wantedX);
      });
    }
  }
}

TEST("outputs are the integer sums of the quantised table times its scale") {
  std::mt19937 random(3);
  const size_t sizes[][5] = {
      {1, 1, 2, 1, 1}, {7, 3, 16, 9, 5}, {300, 5, 16, 4, 70}, {19, 2, 40, 7, 33}, {21, 300, 16, 1, 17}};
  for (const auto& [rows, C, K, V, M] : sizes)
    for (bool fromWeight : {true, false})
      for (int bits : {4, 6, 7, 8, 16})
        for (bool perOutput : {false, true}) {
          const Problem p = randomProblem(random, rows, C, K, V, M, fromWeight, false);
          const std::vector<float> table = realTable(p);
          const float limit = static_cast<float>((1 << (bits - 1)) - 1);
          std::vector<float> scale(M, 0.0f), wanted;
          for (size_t i = 0; i < table.size(); i++) scale[i % M] = std::max(scale[i % M], std::fabs(table[i]));
          if (!perOutput) std::fill(scale.begin(), scale.end(), *std::max_element(scale.begin(), scale.end()));
          for (float& value : scale) value = value > 0 ? value / limit : 1;
          RandomLayer layer(random, C, K, V, M);
          layer.centroids = p.centroids;
          const auto codes = referenceEncode(layer, p.x.data(), rows);
          for (size_t n = 0; n < rows; n++)
            for (size_t m = 0; m < M; m++) {
              int32_t sum = 0;
              for (size_t c = 0; c < C; c++) {
                const float value = table[(c * K + codes[n * C + c]) * M + m] / scale[m];
                sum += static_cast<int32_t>(std::clamp(std::nearbyint(value), -limit, limit));
              }
              wanted.push_back(static_cast<float>(sum) * scale[m]);
            }
          forEveryIsa(2, [&](Trainer& trainer, const Microkernels&) {
            Guarded<float> x(p.x.size()), centroids(p.centroids.size()), parameter(p.table.size()), y(rows * M);
            copyTo(x, p.x);
            copyTo(centroids, p.centroids);
            copyTo(parameter, p.table);
            trainer.forward({C, K, V, M, centroids.data(), parameter.data(), fromWeight}, {bits, perOutput},
                            Rows{x.data(), nullptr, rows, C, V}, y.data());
            size_t wrong = 0;
            for (size_t i = 0; i < wanted.size(); i++) wrong += y[i] != wanted[i];
            CHECK(wrong == 0, "%s: %zu of %zu outputs differ (N %zu C %zu K %zu V %zu M %zu, %d bits)", trainer.isa(),
                  wrong, wanted.size(), rows, C, K, V, M, bits);
          });
        }
}

TEST("results do not depend on the number of threads") {
  std::mt19937 random(4);
  const Problem p = randomProblem(random, 1000, 6, 16, 9, 70, true, false);
  forEveryIsa(1, [&](Trainer& trainer, const Microkernels&) {
    Outcome first;
    for (size_t threads : {1, 2, 5, 3}) {
      trainer.setThreads(threads);
      const Outcome got = runBackward(trainer, p, p.x.size(), p.x,
                                      [&](const float* x, float* dx) { return Rows{x, dx, p.rows, p.C, p.V}; });
      if (threads == 1) first = got;
      CHECK(got.dx == first.dx && got.dCentroids == first.dCentroids && got.dTable == first.dTable &&
                got.dTheta == first.dTheta,
            "%s: another result with %zu threads", trainer.isa(), threads);
    }
  });
}

TEST("outputs are NaN where the table is not finite") {
  std::mt19937 random(5);
  Problem p = randomProblem(random, 3, 2, 4, 2, 5, true, false);
  p.table[7] = INFINITY;
  forEveryIsa(1, [&](Trainer& trainer, const Microkernels&) {
    std::vector<float> y(p.rows * p.M);
    trainer.forward({p.C, p.K, p.V, p.M, p.centroids.data(), p.table.data(), true}, {8, false},
                    Rows{p.x.data(), nullptr, p.rows, p.C, p.V}, y.data());
    CHECK(std::all_of(y.begin(), y.end(), [](float value) { return std::isnan(value); }), "%s", trainer.isa());
  });
}

TEST("k-means gives the same centroids on every instruction set, for any number of threads, and at once or in parts") {
  std::mt19937 random(6);
  const size_t sizes[][4] = {{1, 1, 2, 1}, {37, 5, 3, 4}, {200, 3, 16, 9}, {300, 2, 40, 2}, {90, 4, 7, 33}};
  for (const auto& [rows, C, K, V] : sizes) {
    const std::vector<float> points = randomFloats(random, rows * C * V);
    std::vector<double> draws(C * K);
    for (double& draw : draws) draw = std::uniform_real_distribution<double>(0, 1)(random);
    Guarded<float> guarded(points.size());
    copyTo(guarded, points);
    const Clustering problem{guarded.data(), rows, C, K, V, 10, draws.data()};
    std::vector<float> wanted;
    for (size_t threads : {1, 3})
      forEveryIsa(threads, [&](Trainer& trainer, const Microkernels&) {
        Guarded<float> centroids(C * K * V);
        for (size_t c = 0; c < C; c += 2)
          trainer.cluster(problem, c, std::min<size_t>(2, C - c), centroids.data() + c * K * V);
        const std::vector<float> got(centroids.begin(), centroids.end());
        if (wanted.empty()) wanted = got;
        CHECK(got == wanted, "%s, %zu threads, N %zu C %zu K %zu V %zu", trainer.isa(), threads, rows, C, K, V);
      });
  }
}
