// How sub-vectors lie in quads of bytes, for codes of 8-bit inputs.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "window.h"

namespace lutnn {

/// Element v of the sub-vector in each byte of a quad, or −1 for none; the first byte always has one.
using Quad = std::array<int, 4>;

/// Sub-vectors of V neighbouring elements, by fours, or by pairs in the first two of a quad.
std::vector<Quad> rowQuads(size_t subvectorLength, int width = 4);

/// Elements in the order in which pairs are summed up: of each the second, then the first.
std::vector<int> pairOrder(const std::vector<Quad>& pairs);

/// Sub-vectors of a window: a quad is up to 4 neighbours of a row of a plane, or the same place in 4 channels, whichever
/// takes fewer quads. Pairs, of width 2, are the same of 2.
struct WindowQuads {
  WindowQuads(const Window& window, size_t channelsPerCodebook, int width = 4);

  bool byChannels;
  std::vector<Quad> quads;

  /// Offset of each quad from the first position's place. Quads by channels lie where the planes of the first channel
  /// of each four would, without those of the other three.
  std::vector<ptrdiff_t> taps(const WindowPlanes& planes) const;

 private:
  size_t elementsPerChannel_, width_;
};

}  // namespace lutnn
