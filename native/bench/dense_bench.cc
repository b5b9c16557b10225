// Dense layers in integers, whole: GMAC/s of every instruction set on the shapes that conversions leave dense, bytes in and bytes
// out, one thread. Built by -DLUTNN_BENCH=ON.
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "core/dense_conv.h"
#include "core/dense_matmul.h"
#include "isa/dispatch.h"
#include "machine.h"

using namespace lutnn;

namespace {

struct Shape {
  const char* name;
  size_t channels, size, outputs, filter, stride;  // of square images; of a matrix size rows of channels, and no filter
};
constexpr Shape kShapes[] = {
    {"stem 224²×3→64 7×7 s2", 3, 224, 64, 7, 2}, {"stem 32²×3→64 3×3", 3, 32, 64, 3, 1},
    {"224²×3→64 3×3", 3, 224, 64, 3, 1},         {"56²×64→64 3×3", 64, 56, 64, 3, 1},
    {"14²×256→256 3×3", 256, 14, 256, 3, 1},     {"7²×512→512 3×3", 512, 7, 512, 3, 1},
    {"56²×64→256 1×1", 64, 56, 256, 1, 1},       {"56²×64→128 1×1 s2", 64, 56, 128, 1, 2},
    {"128×768→768", 768, 128, 768, 0, 0},        {"128×768→3072", 768, 128, 3072, 0, 0},
    {"128×3072→768", 3072, 128, 768, 0, 0},      {"1×512→1000", 512, 1, 1000, 0, 0},
};

/// The least ms of a call, of many over a fifth of a second.
template <class Run>
double least(Run run) {
  using Clock = std::chrono::steady_clock;
  const auto ms = [](Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  double best = 1e9;
  for (const Clock::time_point start = Clock::now(); ms(Clock::now() - start) < 200;) {
    const Clock::time_point from = Clock::now();
    run();
    best = std::min(best, ms(Clock::now() - from));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%s\n", lutnn::machineName().c_str());
  std::mt19937 random(1);
  std::printf("%-24s %-11s %9s %9s %9s %9s\n", "layer", "isa", "ms", "order", "product", "GMAC/s");
  for (const Shape& s : kShapes)
    for (const Microkernels* kernels : availableMicrokernels()) {
      if (argc > 1 ? std::string(argv[1]) != kernels->isa : std::string(kernels->isa) == "scalar") continue;
      const bool isConv = s.filter > 0;
      const size_t D = s.channels * (isConv ? s.filter * s.filter : 1), pad = isConv ? s.filter / 2 : 0;
      std::vector<int8_t> weights(D * s.outputs);
      for (int8_t& w : weights) w = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      const std::vector<float> scale(s.outputs, 1e-4f), bias(s.outputs, 0.1f);
      const Dense dense{D, s.outputs, 1, 128, weights.data(), scale.data(), bias.data()};
      const size_t positions = isConv ? outputExtent(s.size, s.filter, s.stride, 1, pad, pad) : s.size;
      const size_t results = (isConv ? positions * positions : positions) * s.outputs;
      std::vector<uint8_t> x(s.channels * s.size * (isConv ? s.size : 1)), y(results);
      for (uint8_t& byte : x) byte = static_cast<uint8_t>(random());
      const Epilogue epilogue{.relu = true, .quantized = {y.data(), 0.05f, 0}};
      Workspace workspace;
      SerialExecutor serial;
      double times[2] = {}, ms;
      size_t runs = 0;
      const auto timed = [&](auto run) {
        return least([&] {
          runs++;
          run();
        });
      };
      workspace.times = times;
      if (isConv) {
        const DenseConv op(*kernels, dense,
                           {s.channels, s.filter, s.filter, s.stride, s.stride, 1, 1, pad, pad, pad, pad});
        const ConvPlan plan = op.plan(s.size, s.size);
        ms = timed([&] { op.run(plan, x.data(), 1, nullptr, epilogue, workspace, serial); });
      } else {
        const DenseMatMul op(*kernels, dense);
        ms = timed([&] { op.run(x.data(), s.size, nullptr, epilogue, workspace, serial); });
      }
      const double n = static_cast<double>(runs);
      std::printf("%-24s %-11s %9.4f %9.4f %9.4f %9.1f\n", s.name, kernels->isa, ms, times[0] / n, times[1] / n,
                  static_cast<double>(results * D) / ms / 1e6);
    }
}
