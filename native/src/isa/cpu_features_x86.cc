#include "isa/cpu_features.h"

#include <cstdint>
#include <initializer_list>

#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
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

static bool bits(uint32_t word, std::initializer_list<int> indices) {
  for (int index : indices)
    if (!(word >> index & 1)) return false;
  return true;
}

/// Whether the threads of this process may use tiles. Linux saves their 8 KB for those alone that have asked.
static bool mayUseTiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

CpuFeatures cpuFeatures() {
  constexpr uint64_t kAvxStates = 0x06, kAvx512States = 0xe6, kTileStates = 0x60000;  // of XCR0
  const Registers basic = cpuid(1), extended = cpuid(7);
  const uint64_t states = bits(basic.ecx, {27}) ? savedStates() : 0;
  CpuFeatures features;
  if ((states & kAvxStates) == kAvxStates) {
    features.avx2 = bits(extended.ebx, {5});
    features.fma = bits(basic.ecx, {12});
  }
  if ((states & kAvx512States) == kAvx512States) {
    features.avx512 = bits(extended.ebx, {16, 17, 30, 31});
    features.avx512Vbmi = bits(extended.ecx, {1});
    features.avx512Vbmi2 = bits(extended.ecx, {6});
    features.avx512Vnni = bits(extended.ecx, {11});
  }
  if ((states & kTileStates) == kTileStates) features.amxInt8 = bits(extended.edx, {24, 25}) && mayUseTiles();
  return features;
}

}  // namespace lutnn
