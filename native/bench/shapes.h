// The layers that every benchmark measures: BERT's fully connected ones and ResNet18's on ImageNet and CIFAR.
#pragma once

#include <cstddef>

namespace lutnn {

struct BenchShape {
  const char* name;
  size_t rows, inputs;                    // matrix: rows > 0
  size_t size, channels, filter, stride;  // convolution of a square image
  size_t outputs, subvectorLength;
};

constexpr BenchShape kBenchShapes[] = {
    {"FC 128x768 to 3072", 128, 768, 0, 0, 0, 0, 3072, 32},
    {"FC 128x768 to 768", 128, 768, 0, 0, 0, 0, 768, 32},
    {"FC 128x3072 to 768", 128, 3072, 0, 0, 0, 0, 768, 32},
    {"conv 56x56 64 to 64 3x3", 0, 0, 56, 64, 3, 1, 64, 9},
    {"conv 28x28 128 to 128 3x3", 0, 0, 28, 128, 3, 1, 128, 9},
    {"conv 14x14 256 to 256 3x3", 0, 0, 14, 256, 3, 1, 256, 9},
    {"conv 7x7 512 to 512 3x3", 0, 0, 7, 512, 3, 1, 512, 9},
    {"conv 56x56 64 to 128 1x1 stride 2", 0, 0, 56, 64, 1, 2, 128, 4},
    {"conv 14x14 256 to 512 1x1 stride 2", 0, 0, 14, 256, 1, 2, 512, 4},
    {"conv 32x32 64 to 64 3x3", 0, 0, 32, 64, 3, 1, 64, 9},
    {"conv 8x8 256 to 256 3x3", 0, 0, 8, 256, 3, 1, 256, 9},
    {"conv 4x4 512 to 512 3x3", 0, 0, 4, 512, 3, 1, 512, 9},
};

}  // namespace lutnn
