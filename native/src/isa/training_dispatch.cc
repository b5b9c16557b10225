#include "isa/training_dispatch.h"

#include <cstring>

namespace lutnn {

const TrainingMicrokernels& trainingMicrokernelsFor(const Microkernels& kernels) {
#ifdef LUTNN_X86
  // AMX is AVX-512 with other dense products.
  if (std::strncmp(kernels.isa, "avx512", 6) == 0 || std::strcmp(kernels.isa, "amx") == 0) return kTrainingAvx512;
  if (std::strcmp(kernels.isa, "avx2") == 0) return kTrainingAvx2;
#endif
#ifdef LUTNN_ARM64
  if (std::strncmp(kernels.isa, "neon", 4) == 0) return kTrainingNeon;
#endif
  static_cast<void>(kernels);
  return kTrainingScalar;
}

}  // namespace lutnn
