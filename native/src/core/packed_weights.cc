#include "core/packed_weights.h"

#include <cstring>

namespace lutnn {

PackedWeights::PackedWeights(const MicrokernelsDense& kernels, const Dense& dense, Of of,
                             const std::vector<Quad>& quads)
    : numQuads_(roundUp(quads.size(), of == Of::kRows ? kernels.rowQuads : kernels.columnQuads)) {
  const size_t group = of == Of::kRows ? 1 : kernels.columnQuads, M = dense.outputs, D = dense.inputs;
  const size_t padded = roundUp(M, kDenseOutputs), panel = numQuads_ * kDenseOutputs * 4;
  int8_t* weights = weights_.reserve(padded * numQuads_ * 4);
  int32_t* starts = starts_.reserve(padded);
  std::memset(weights, 0, weights_.bytes());
  std::memset(starts, 0, starts_.bytes());
  const int missing = (kernels.isSigned ? 128 : 0) - dense.inputZeroPoint;
  for (size_t m = 0; m < M; m++) {
    int32_t sum = 0;
    for (size_t q = 0; q < quads.size(); q++)
      for (size_t byte = 0; byte < 4; byte++) {
        if (quads[q][byte] < 0) continue;
        const size_t d = static_cast<size_t>(quads[q][byte]), lane = m % kDenseOutputs;
        const int8_t weight = dense.weights[of == Of::kRows ? d * M + m : m * D + d];
        const size_t place = ((q / group * kDenseOutputs + lane) * group + q % group) * 4 + byte;
        weights[m / kDenseOutputs * panel + place] = weight;
        sum += weight;
      }
    starts[m] = missing * sum;
  }
}

}  // namespace lutnn
