// How sub-vectors lie in quads of bytes, for codes of 8-bit inputs.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/window.h"

namespace lutnn {

/// Element v of the sub-vector in each byte of a quad, or −1 for none; the first byte always has one.
using Quad = std::array<int, 4>;

/// Sub-vectors of V neighbouring elements, by fours.
std::vector<Quad> rowQuads(size_t subvectorLength);

/// Sub-vectors of a window: a quad is up to 4 neighbours of a row of a plane, or the same place in 4 channels, whichever
/// takes fewer quads.
struct WindowQuads {
  WindowQuads(const Window& window, size_t channelsPerCodebook);

  bool byChannels;
  std::vector<Quad> quads;

  /// Offset of each quad from the first position's place. Quads by channels lie where the planes of the first channel
  /// of each four would, without those of the other three.
  std::vector<ptrdiff_t> taps(const WindowPlanes& planes) const;

 private:
  size_t elementsPerChannel_;
};

}  // namespace lutnn
