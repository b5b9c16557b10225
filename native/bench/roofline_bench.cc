// Measures the peak rates of each instruction set and prints them as JSON: multiply-adds in float32, and table lookups
// with their sums, a nanosecond, from registers alone. Pin it.
#include "roofline.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "dispatch.h"

using namespace lutnn;

static double bestRate(void (*loop)(int, void*), double work) {
  alignas(64) char result[64];
  constexpr int kTurns = 100000;
  double best = 0;
  for (int i = 0; i < 200; i++) {
    const auto before = std::chrono::steady_clock::now();
    loop(kTurns, result);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - before;
    best = std::max(best, kTurns * work / time.count());
  }
  return best;
}

int main() {
  const char* separator = "{";
  for (const Microkernels* kernels : availableMicrokernels())
    for (const Roofline& roofline : {kAvx512VbmiRoofline, kAvx512Roofline, kAvx2Roofline}) {
      if (std::strcmp(kernels->isa, roofline.isa) != 0) continue;
      std::printf("%s\n  \"%s\": {\"multiplyAddsPerNanosecond\": %.1f, \"lookupsPerNanosecond\": %.1f}", separator,
                  roofline.isa, bestRate(roofline.multiplyAdd, roofline.multiplyAdds),
                  bestRate(roofline.lookup, roofline.lookups));
      separator = ",";
    }
  std::printf("\n}\n");
}
