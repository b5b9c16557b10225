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
  bool neonDotProduct = false;
};

CpuFeatures cpuFeatures();

}  // namespace lutnn
