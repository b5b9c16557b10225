#include "cpu_features.h"

#include <cstdint>

#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif

namespace lutnn {

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

static Registers cpuid(uint32_t leaf) {
  Registers r;
#ifdef _MSC_VER
  int values[4];
  __cpuid(values, 0);
  if (static_cast<uint32_t>(values[0]) < leaf) return r;
  __cpuidex(values, static_cast<int>(leaf), 0);
  r.eax = values[0], r.ebx = values[1], r.ecx = values[2], r.edx = values[3];
#else
  __get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

/// Register states that the operating system saves for a thread (XCR0).
static uint64_t savedStates() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

static bool bit(uint32_t word, int index) { return (word >> index & 1) != 0; }

CpuFeatures cpuFeatures() {
  constexpr uint64_t kSse = 1 << 1, kAvx = 1 << 2;
  CpuFeatures features;
  const Registers basic = cpuid(1), extended = cpuid(7);
  const bool hasXgetbv = bit(basic.ecx, 27);
  const uint64_t states = hasXgetbv ? savedStates() : 0;
  if ((states & (kSse | kAvx)) == (kSse | kAvx)) {
    features.avx2 = bit(extended.ebx, 5);
    features.fma = bit(basic.ecx, 12);
  }
  return features;
}

}  // namespace lutnn
