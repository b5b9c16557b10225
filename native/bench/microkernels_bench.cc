// Each microkernel alone on warm caches, as a share of the processor's peak: encode in fused multiply-adds and lookups
// in table entries, per nanosecond. Prints one JSON object a line. Pin it: taskset -c 1 microkernels_bench [isa …]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/packing.h"
#include "isa/dispatch.h"
#include "machine.h"
#include "shapes.h"

using namespace lutnn;

static double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Timing {
  double best, median;
};

/// Time of one call in ns, over many calls in about `budget` ns.
template <class Body>
static Timing measure(Body body, double budget = 3e7) {
  std::vector<double> times;
  body();
  for (const double start = nanoseconds(); nanoseconds() - start < budget || times.size() < 5;) {
    const double before = nanoseconds();
    body();
    times.push_back(nanoseconds() - before);
  }
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

static void report(const Microkernels& kernels, const char* shape, const char* what, double work, Timing time) {
  std::printf(
      "{\"isa\":\"%s\",\"shape\":\"%s\",\"kernel\":\"%s\",\"bestMicroseconds\":%.2f,\"medianMicroseconds\":%.2f,"
      "\"perNanosecondBest\":%.1f,\"perNanosecondMedian\":%.1f}\n",
      kernels.isa, shape, what, time.best / 1e3, time.median / 1e3, work / time.best, work / time.median);
  std::fflush(stdout);
}

static void bench(const Microkernels& kernels, const BenchShape& s) {
  const size_t area = (s.size / std::max<size_t>(s.stride, 1)) * (s.size / std::max<size_t>(s.stride, 1));
  const size_t n = s.rows ? s.rows : area;
  const size_t inputs = s.rows ? s.inputs : s.channels * s.filter * s.filter;
  const size_t C = inputs / s.subvectorLength, K = 16, V = s.subvectorLength, M = s.outputs;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centroids(C * K * V), scale(M, 0.01f), bias(M, 0.5f), x(n * inputs + 64), y(n * M);
  std::vector<int8_t> entries(C * K * M);
  for (float& value : centroids) value = normal(random);
  for (float& value : x) value = normal(random);
  for (int8_t& value : entries) value = static_cast<int8_t>(random());
  const Lookup lookup{.numCodebooks = C,
                      .numCentroids = K,
                      .subvectorLength = V,
                      .outputs = M,
                      .centroids = centroids.data(),
                      .lookupTable = entries.data(),
                      .tableScale = scale.data(),
                      .bias = bias.data()};
  PackedCodebooks books;
  books.pack(centroids.data(), C, K, V);
  const PackedScale packedScale(scale.data(), bias.data(), M);
  const size_t stride = (roundUp(n, 64) / 64 | 1) * 64;
  std::vector<uint8_t> codes(roundUp(C, 4) * stride), rowCodes(n * C);
  for (uint8_t& code : rowCodes) code = random() % 16;
  const double fmas = static_cast<double>(n) * inputs * K, lookups = static_cast<double>(n) * C * M;

  if (s.rows) {
    report(kernels, s.name, "encodeRows", fmas,
           measure([&] { kernels.encodeRows(books.view(), x.data(), inputs, n, rowCodes.data()); }));
  } else {
    std::vector<ptrdiff_t> taps(V);
    for (size_t v = 0; v < V; v++) taps[v] = static_cast<ptrdiff_t>(v);
    report(kernels, s.name, "encodePositions", fmas, measure([&] {
             for (size_t c = 0; c < C; c++)
               kernels.encodePositions(books.view(), c, x.data() + c * n, taps.data(), n, codes.data() + c * stride);
           }));
  }
  const size_t group = kernels.groupCodebooks;
  for (size_t i = 0; i < codes.size(); i++) codes[i] = static_cast<uint8_t>(random() % 16 + 16 * (i % group));
  for (int bits : {8, 7, 4}) {
    for (int8_t& entry : entries) entry = static_cast<int8_t>(entry % (1 << (bits - 1)));
    const PackedTable table(kernels, lookup, PackedTable::Order::kShuffle);
    const std::string width = bits < 8 ? " " + std::to_string(bits) + " bit" : "";
    report(kernels, s.name, ("lookupShuffle" + width).c_str(), lookups, measure([&] {
             for (size_t first = 0; first < n; first += 256) {
               const Output out = packedScale.output(y.data() + first, n);
               kernels.lookupShuffle(table.shuffle(), codes.data() + first * group, stride * group,
                                     std::min<size_t>(256, n - first), out);
             }
           }));
    report(kernels, s.name, ("lookupGather" + width).c_str(), lookups,
           measure([&] { kernels.lookupGather(table.gather(), rowCodes.data(), n, packedScale.output(y.data(), M)); }));
  }
  std::vector<int32_t> sums(n * M, 3);
  report(kernels, s.name, "finishTransposed", static_cast<double>(n) * M,
         measure([&] { kernels.finishTransposed(sums.data(), n, M, packedScale.output(y.data(), n)); }));
}

int main(int argc, char** argv) {
  std::printf("%s\n", lutnn::machineName().c_str());
  for (const Microkernels* kernels : availableMicrokernels()) {
    bool wanted = argc == 1 && std::strcmp(kernels->isa, "scalar") != 0;
    for (int i = 1; i < argc; i++) wanted |= std::strcmp(kernels->isa, argv[i]) == 0;
    if (!wanted) continue;
    for (const BenchShape& shape : kBenchShapes) bench(*kernels, shape);
  }
}
