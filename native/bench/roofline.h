// Peak rates of one instruction set, measured on registers alone.
#pragma once

#include <chrono>
#include <cstdint>

namespace lutnn {

struct Roofline {
  const char* isa;
  /// Runs `turns` turns of a loop and stores a vector of 64 bytes at most, so that it is not left out.
  void (*multiplyAdd)(int turns, void* result);
  void (*lookup)(int turns, void* result);
  /// Of one turn.
  double multiplyAdds, lookups;
};

extern const Roofline kAvx2Roofline, kAvx512Roofline, kAvx512VbmiRoofline;

}  // namespace lutnn
