// Milliseconds of processor time of the training operators' forward and backward pass, one thread, least of some runs:
//   training_bench [runs [name]]
// LUTNN_FORCE_ISA chooses the instruction set. Sizes are those of the networks that `npm run bench:training` times.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

#include "isa/training_dispatch.h"
#include "machine.h"
#include "training/soft_lookup.h"

using namespace lutnn;

namespace {

struct Layer {
  const char* name;
  size_t batch, size, channels, outputs, stride;  // 3×3, V = 9
};
constexpr Layer kConvolutions[] = {
    {"32x32x16-16", 64, 32, 16, 16, 1},   {"32x32x16-32-2", 64, 32, 16, 32, 2}, {"16x16x32-32", 64, 16, 32, 32, 1},
    {"16x16x32-64-2", 64, 16, 32, 64, 2}, {"8x8x64-64", 64, 8, 64, 64, 1},      {"16x16x64-128", 64, 16, 64, 128, 1},
    {"8x8x128-256", 64, 8, 128, 256, 1},  {"4x4x256-256", 64, 4, 256, 256, 1},
};
struct Matrix {
  const char* name;
  size_t rows, inputs, outputs;  // V = 32
};
constexpr Matrix kMatrices[] = {
    {"768-768", 4096, 768, 768}, {"768-3072", 4096, 768, 3072}, {"3072-768", 4096, 3072, 768}};

std::vector<float> numbers(size_t count, float deviation) {
  static std::mt19937 random(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

template <class Work>
double leastMilliseconds(int runs, Work work) {
  double least = 1e9;
  for (int run = 0; run < runs; run++) {
    timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    work();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    least = std::min(least, (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6);
  }
  return least;
}

template <class SourceOf>
void time(const char* name, int runs, size_t inputs, size_t V, size_t M, size_t xFloats, size_t positions,
          SourceOf sourceOf) {
  const Microkernels& lookup = chooseMicrokernels();
  static Trainer trainer(trainingMicrokernelsFor(lookup), lookup, 1);
  const size_t C = inputs / V, K = 16;
  const std::vector<float> x = numbers(xFloats, 1), centroids = numbers(C * K * V, 1),
                           weight = numbers(inputs * M, 0.1f), dy = numbers(positions * M, 1);
  std::vector<float> y(positions * M), dx(xFloats), dCentroids(centroids.size()), dWeight(weight.size());
  float dTheta;
  const SoftLayer layer{.numCodebooks = C,
                        .numCentroids = K,
                        .subvectorLength = V,
                        .outputs = M,
                        .centroids = centroids.data(),
                        .table = weight.data(),
                        .fromWeight = true};
  const Source source = sourceOf(x.data(), dx.data());
  const double forward = leastMilliseconds(runs, [&] { trainer.forward(layer, {8, false}, source, y.data()); });
  const double backward = leastMilliseconds(runs, [&] {
    trainer.backward(layer, {false, 14.3846f}, source, dy.data(), {dCentroids.data(), dWeight.data(), &dTheta});
  });
  std::printf("%-14s %8s %9.2f %9.2f\n", name, trainer.isa(), forward, backward);
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%s\n", lutnn::machineName().c_str());
  const int runs = argc > 1 ? std::atoi(argv[1]) : 20;
  const auto wanted = [&](const char* name) { return argc <= 2 || std::strcmp(argv[2], name) == 0; };
  std::printf("%-14s %8s %9s %9s\n", "layer", "isa", "forward", "backward");
  for (const Layer& l : kConvolutions) {
    if (!wanted(l.name)) continue;
    const size_t pad = l.stride == 1 ? 1 : 0;
    const Window window{.inputChannels = l.channels,
                        .filterHeight = 3,
                        .filterWidth = 3,
                        .strideHeight = l.stride,
                        .strideWidth = l.stride,
                        .dilationHeight = 1,
                        .dilationWidth = 1,
                        .padTop = pad,
                        .padLeft = pad,
                        .padBottom = 1,
                        .padRight = 1};
    const auto imagesOf = [&](const float* x, float* dx) {
      return Images{.x = x,
                    .dx = dx,
                    .batch = l.batch,
                    .height = l.size,
                    .width = l.size,
                    .window = window,
                    .subvectorLength = 9};
    };
    time(l.name, runs, 9 * l.channels, 9, l.outputs, l.batch * l.size * l.size * l.channels,
         imagesOf(nullptr, nullptr).positions(), imagesOf);
  }
  for (const Matrix& m : kMatrices)
    if (wanted(m.name))
      time(m.name, runs, m.inputs, 32, m.outputs, m.rows * m.inputs, m.rows,
           [&](const float* x, float* dx) { return Rows{x, dx, m.rows, m.inputs / 32, 32}; });
}
