// What an x86 processor can do and its operating system has switched on.
#pragma once

namespace lutnn {

struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
};

CpuFeatures cpuFeatures();

}  // namespace lutnn
