#include "isa/dispatch.h"

#include <cstdlib>
#include <stdexcept>

#include "isa/cpu_features.h"

namespace lutnn {

#if defined(LUTNN_AMX)
/// AMX multiplies the bytes of dense layers; all else is AVX-512's. Made here: a file of an instruction set must run nothing of it
/// before it is chosen.
static const Microkernels& amxMicrokernels() {
  static const Microkernels amx = [] {
    Microkernels kernels = kAvx512VbmiMicrokernels;
    kernels.isa = "amx";
    kernels.dense = &kAmxMicrokernelsDense;
    return kernels;
  }();
  return amx;
}
#endif

static std::vector<const Microkernels*> findMicrokernels() {
  std::vector<const Microkernels*> found;
#if defined(LUTNN_X86)
  const CpuFeatures cpu = cpuFeatures();
  if (cpu.avx512 && cpu.avx512Vbmi && cpu.avx512Vbmi2 && cpu.avx512Vnni) {
#if defined(LUTNN_AMX)
    if (cpu.amxInt8) found.push_back(&amxMicrokernels());
#endif
    found.push_back(&kAvx512VbmiMicrokernels);
  }
  if (cpu.avx512) found.push_back(&kAvx512Microkernels);
  if (cpu.avx2 && cpu.fma) found.push_back(&kAvx2Microkernels);
#elif defined(LUTNN_ARM64)
  if (cpuFeatures().neonDotProduct) found.push_back(&kNeonDotMicrokernels);
  found.push_back(&kNeonMicrokernels);
#endif
  found.push_back(&kScalarMicrokernels);
  return found;
}

const std::vector<const Microkernels*>& availableMicrokernels() {
  static const std::vector<const Microkernels*> available = findMicrokernels();
  return available;
}

const Microkernels* microkernelsNamed(const std::string& isa) {
  for (const Microkernels* kernels : availableMicrokernels())
    if (kernels->isa == isa) return kernels;
  return nullptr;
}

std::string availableNames() {
  std::string names;
  for (const Microkernels* kernels : availableMicrokernels())
    names += (names.empty() ? "" : ", ") + std::string(kernels->isa);
  return names;
}

const Microkernels& chooseMicrokernels(const char* forced) {
  if (!forced || !*forced) return *availableMicrokernels().front();
  if (const Microkernels* kernels = microkernelsNamed(forced)) return *kernels;
  throw std::runtime_error("LUTNN_FORCE_ISA must name an instruction set that is available here (got \"" +
                           std::string(forced) + "\"); available are: " + availableNames());
}

const Microkernels& chooseMicrokernels() { return chooseMicrokernels(std::getenv("LUTNN_FORCE_ISA")); }

}  // namespace lutnn
