// Times convolutions of 1×1 windows read by shuffle and by gather, over sizes: prints time by shuffle over time by
// gather, and up to how many output positions gathering is faster, which are the gatherLimits of the microkernels.
// Pin it, and run it more than once: where both are about as fast, the limit wanders.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "core/lut_conv.h"
#include "isa/dispatch.h"
#include "machine.h"

using namespace lutnn;

static double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static double bestTime(const LutConv& op, const ConvPlan& planes, const float* x, float* y) {
  Workspace workspace;
  SerialExecutor executor;
  double best = 1e18;
  const double start = nanoseconds();
  for (int i = 0; i < 5 || nanoseconds() - start < 2e7; i++) {
    const double before = nanoseconds();
    op.run(planes, x, 1, y, {}, workspace, executor);
    best = std::min(best, nanoseconds() - before);
  }
  return best;
}

/// Time by shuffle over time by gather.
static double gain(const Microkernels& kernels, size_t C, size_t M, size_t positions) {
  std::mt19937 random(1);
  std::vector<float> values(C * 16 + C * positions), scale(M, 1), y(M * positions);
  std::vector<int8_t> entries(C * 16 * M);
  for (float& value : values) value = static_cast<float>(random() % 1000);
  for (int8_t& entry : entries) entry = static_cast<int8_t>(random());
  const Lookup lookup{.numCodebooks = C,
                      .numCentroids = 16,
                      .subvectorLength = 1,
                      .outputs = M,
                      .centroids = values.data(),
                      .lookupTable = entries.data(),
                      .tableScale = scale.data(),
                      .bias = scale.data()};
  const Window window{.inputChannels = C,
                      .filterHeight = 1,
                      .filterWidth = 1,
                      .strideHeight = 1,
                      .strideWidth = 1,
                      .dilationHeight = 1,
                      .dilationWidth = 1};
  const LutConv shuffle(kernels, lookup, window, Encoding::kFloat32, LutConv::Read::kShuffle);
  const LutConv gather(kernels, lookup, window, Encoding::kFloat32, LutConv::Read::kGather);
  const ConvPlan planes = shuffle.plan(1, positions);
  const float* x = values.data() + C * 16;
  return bestTime(shuffle, planes, x, y.data()) / bestTime(gather, planes, x, y.data());
}

int main() {
  std::printf("%s\n", lutnn::machineName().c_str());
  const size_t positions[] = {1, 2, 4, 6, 8, 9, 12, 16, 25, 36, 49, 64, 100, 144, 196, 400, 784};
  for (const Microkernels* kernels : availableMicrokernels()) {
    std::printf("%s\n", kernels->isa);
    for (size_t C : {16, 64, 256, 512})
      for (size_t M : {64, 512}) {
        size_t limit = 0;
        bool faster = true;
        std::printf("  C %3zu M %3zu:", C, M);
        for (size_t n : positions) {
          const double ratio = gain(*kernels, C, M, n);
          faster &= ratio >= 1;
          if (faster) limit = n;
          std::printf(" %zu:%.2f", n, ratio);
        }
        std::printf(" -> %zu\n", limit);
      }
  }
}
