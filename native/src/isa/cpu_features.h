// What a processor can do and its operating system has switched on.
#pragma once

namespace lutnn {

struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool avx512 = false;  // F, BW, DQ and VL
  bool avx512Vbmi = false;
  bool avx512Vbmi2 = false;
  bool avx512Vnni = false;
  bool amxInt8 = false;  // tiles of bytes, which the process may use
  bool neonDotProduct = false;
};

/// Asks the system for permission to use tiles where it wants to be asked.
CpuFeatures cpuFeatures();

}  // namespace lutnn
