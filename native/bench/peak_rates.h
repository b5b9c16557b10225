// Peak rates of one instruction set, measured on registers alone, and of memory.
#pragma once

namespace lutnn {

/// One file an instruction set, as the microkernels.
struct PeakLoops {
  const char* isa;
  /// Runs `turns` turns of a loop and stores a vector of 64 bytes at most, so that it is not left out.
  void (*multiplyAdd)(int turns, void* result);
  void (*lookup)(int turns, void* result);
  /// Of one turn.
  double multiplyAdds, lookups;
};

extern const PeakLoops kAvx2PeakLoops, kAvx512PeakLoops, kAvx512VbmiPeakLoops, kNeonPeakLoops;

/// Each a nanosecond; 0 where there is no loop.
struct PeakRates {
  double multiplyAdds, lookups, bytes;
};

/// Of an instruction set that is there, by its name.
PeakRates measurePeakRates(const char* isa);

}  // namespace lutnn
