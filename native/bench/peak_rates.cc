#include "peak_rates.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace lutnn {

/// The best of several runs of `loop`, which does `work`, in work a nanosecond.
template <class Loop>
static double bestRate(int runs, double work, Loop loop) {
  double best = 0;
  for (int i = 0; i < runs; i++) {
    const auto before = std::chrono::steady_clock::now();
    loop();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - before;
    best = std::max(best, work / time.count());
  }
  return best;
}

/// Of memory that no cache holds.
static double readRate() {
  std::vector<uint64_t> memory(size_t{6} << 20, 1);  // 48 MiB
  volatile uint64_t result = 0;
  return bestRate(2, static_cast<double>(memory.size() * sizeof(uint64_t)), [&] {
    uint64_t sums[8] = {};
    for (size_t i = 0; i < memory.size(); i += 8)
      for (size_t j = 0; j < 8; j++) sums[j] += memory[i + j];
    for (uint64_t sum : sums) result = result + sum;
  });
}

static const PeakLoops* loopsOf([[maybe_unused]] const char* isa) {
#if defined(LUTNN_X86)
  if (std::strcmp(isa, "amx") == 0) return &kAvx512VbmiPeakLoops;  // tiles look nothing up
  for (const PeakLoops* loops : {&kAvx512VbmiPeakLoops, &kAvx512PeakLoops, &kAvx2PeakLoops})
    if (std::strcmp(loops->isa, isa) == 0) return loops;
#elif defined(LUTNN_ARM64)
  if (std::strncmp(isa, "neon", 4) == 0) return &kNeonPeakLoops;
#endif
  return nullptr;
}

PeakRates measurePeakRates(const char* isa) {
  constexpr int kTurns = 20000, kRuns = 12;
  PeakRates rates{0, 0, readRate()};
  const PeakLoops* loops = loopsOf(isa);
  if (!loops) return rates;
  alignas(64) char result[64];
  rates.multiplyAdds = bestRate(kRuns, kTurns * loops->multiplyAdds, [&] { loops->multiplyAdd(kTurns, result); });
  rates.lookups = bestRate(kRuns, kTurns * loops->lookups, [&] { loops->lookup(kTurns, result); });
  return rates;
}

}  // namespace lutnn
