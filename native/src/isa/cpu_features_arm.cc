#include "isa/cpu_features.h"

#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#include <windows.h>
#endif

namespace lutnn {

CpuFeatures cpuFeatures() {
  CpuFeatures features;
#if defined(__linux__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  features.neonDotProduct = (getauxval(AT_HWCAP) & kDotProduct) != 0;
#elif defined(__APPLE__)
  int value = 0;
  size_t size = sizeof value;
  features.neonDotProduct = sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value == 1;
#elif defined(_WIN32)
  constexpr DWORD kDotProduct = 43;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
  features.neonDotProduct = IsProcessorFeaturePresent(kDotProduct) != 0;
#endif
  return features;
}

}  // namespace lutnn
