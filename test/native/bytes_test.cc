// Lookups that read bytes and write them: on every instruction set the bits of those that read and write floats.
#include <algorithm>

#include "check.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/thread_pool.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

/// Arrays of a case: x and its bytes between inaccessible pages, a residual, and what results are quantised by.
struct Case {
  Guarded<float> x;
  Guarded<uint8_t> bytes;
  std::vector<float> residual;
  float scale;
  uint8_t zeroPoint;

  Case(std::mt19937& random, const std::vector<float>& values, const RandomIntegers& integers, size_t outputs,
       Guard guard)
      : x(values.size(), guard),
        bytes(values.size(), guard),
        residual(randomFloats(random, outputs)),
        scale(static_cast<float>(1 + random() % 100) / 7),
        zeroPoint(static_cast<uint8_t>(random() % 256)) {
    std::copy(values.begin(), values.end(), x.begin());
    for (size_t i = 0; i < values.size(); i++)
      bytes[i] = static_cast<uint8_t>(referenceByte(values[i], integers.inputScale, integers.zeroPoint));
    for (float& value : residual) value *= 100;
  }
};

/// run(input, y, epilogue, executor) against itself: floats in and floats out are what other tests hold to the reference.
template <class Run>
static void checkBytes(const char* isa, Case& all, Guard guard, const Run& run) {
  SerialExecutor serial;
  PoolExecutor three(3);
  const size_t outputs = all.residual.size();
  for (const bool adds : {false, true})
    for (const auto& [relu, gelu] : {std::pair{false, false}, {true, false}, {false, true}}) {
      const float* residual = adds ? all.residual.data() : nullptr;
      std::vector<float> wanted(outputs);
      run(LayerInput(all.x.data()), wanted.data(), Epilogue{residual, relu}, serial);
      if (gelu) kScalarMicrokernels.gelu(wanted.data(), outputs);
      Guarded<float> y(outputs, guard);
      Guarded<uint8_t> both(outputs, guard), alone(outputs, guard);
      const auto quantized = [&](Guarded<uint8_t>& to) { return ByteResults{to.data(), all.scale, all.zeroPoint}; };
      if (adds) std::copy(all.residual.begin(), all.residual.end(), y.begin());  // its memory becomes the result's
      run(LayerInput(all.bytes.data()), y.data(), Epilogue{adds ? y.data() : nullptr, relu, quantized(both), gelu},
          three);
      run(LayerInput(all.bytes.data()), nullptr, Epilogue{residual, relu, quantized(alone), gelu}, serial);
      size_t floats = 0, bytes = 0;
      for (size_t i = 0; i < outputs; i++) {
        const int byte = referenceByte(wanted[i], all.scale, all.zeroPoint);
        floats += std::memcmp(&y[i], &wanted[i], sizeof(float)) != 0;
        bytes += both[i] != byte || alone[i] != byte;
      }
      CHECK(floats == 0 && bytes == 0, "%s: %zu floats and %zu bytes of %zu differ (residual %d, relu %d, gelu %d)",
            isa, floats, bytes, outputs, adds, relu, gelu);
    }
}

TEST("convolutions of bytes give the results of floats, and their bytes, on every instruction set") {
  std::mt19937 random(1);
  Workspace workspace;
  for (int trial = 0; trial < 120; trial++) {
    const auto conv = randomConv(random);
    if (!conv) continue;
    const auto& [channels, height, width, outputHeight, outputWidth, w, layer, x] = *conv;
    const RandomIntegers integers(random, layer, random() % 3 == 0);
    for (const Microkernels* kernels : availableMicrokernels()) {
      if (leftOut()) continue;
      const auto read = static_cast<LutConv::Read>(layer.numCentroids > 16 ? 0 : random() % 3);
      const LutConv op(*kernels, integers.lookup(layer), w, Encoding::kInteger, read);
      const ConvPlan plan = op.plan(height, width);
      for (Guard guard : kGuards) {
        Case all(random, x, integers, layer.outputs * outputHeight * outputWidth, guard);
        checkBytes(kernels->isa, all, guard, [&](LayerInput in, float* y, const Epilogue& epilogue, Executor& threads) {
          op.run(plan, in, 1, y, epilogue, workspace, threads);
        });
      }
    }
  }
}

TEST("images of bytes of more positions than a tile holds, two of them, give the results of floats") {
  std::mt19937 random(2);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t stride : {1, 2}) {
      if (leftOut()) continue;
      const Window w{2, 3, 3, stride, stride, 1, 1, 1, 1, 1, 1};
      const RandomLayer layer(random, 2, 16, 9, 3);
      const RandomIntegers integers(random, layer);
      const LutConv op(*kernels, integers.lookup(layer), w, Encoding::kInteger);
      const ConvPlan plan = op.plan(97, 111);
      const size_t outputs = 2 * 3 * plan.outputHeight() * plan.outputWidth();
      Case all(random, randomFloats(random, 2 * 2 * 97 * 111), integers, outputs, Guard::kAfter);
      checkBytes(kernels->isa, all, Guard::kAfter,
                 [&](LayerInput in, float* y, const Epilogue& epilogue, Executor& threads) {
                   op.run(plan, in, 2, y, epilogue, workspace, threads);
                 });
    }
}

TEST("rows of bytes give the results of floats, and their bytes, on every instruction set") {
  std::mt19937 random(3);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t V : std::initializer_list<size_t>{1, 3, 4, 9, 32})
      for (size_t rows : std::initializer_list<size_t>{1, 7, 33, 70, 257})
        for (Guard guard : kGuards) {
          if (leftOut()) continue;
          const RandomLayer layer(random, 1 + random() % 4, random() % 2 ? 16 : 2 + random() % 40, V,
                                  1 + random() % 300);
          const RandomIntegers integers(random, layer, random() % 3 == 0);
          const LutMatMul op(*kernels, integers.lookup(layer), Encoding::kInteger);
          Case all(random, randomFloats(random, rows * layer.numCodebooks * V), integers, rows * layer.outputs, guard);
          checkBytes(kernels->isa, all, guard,
                     [&](LayerInput in, float* y, const Epilogue& epilogue, Executor& threads) {
                       op.run(in, rows, y, epilogue, workspace, threads);
                     });
        }
}
