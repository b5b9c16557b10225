#include "core/quads.h"

#include <algorithm>

namespace lutnn {

/// Bytes of a quad.
constexpr int kWidth = 4;

std::vector<Quad> rowQuads(size_t subvectorLength) {
  std::vector<Quad> quads;
  const int length = static_cast<int>(subvectorLength);
  for (int first = 0; first < length; first += kWidth) {
    Quad quad;
    for (int b = 0; b < 4; b++) quad[static_cast<size_t>(b)] = first + b < length ? first + b : -1;
    quads.push_back(quad);
  }
  return quads;
}

/// Taps of a filter's row that lie within 4 places of a plane's row share a quad.
static std::vector<Quad> columnQuads(const AxisTaps& columns) {
  std::vector<int> order(columns.shift.size());
  for (size_t j = 0; j < order.size(); j++) order[j] = static_cast<int>(j);
  const auto place = [&](int j) { return std::make_pair(columns.phase[j], columns.shift[j]); };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return place(a) < place(b); });
  std::vector<Quad> quads;
  for (int j : order) {
    const bool joins = !quads.empty() && place(quads.back()[0]).first == place(j).first &&
                       place(j).second - place(quads.back()[0]).second < kWidth;
    if (!joins) quads.push_back({j, -1, -1, -1});
    else quads.back()[static_cast<size_t>(place(j).second - place(quads.back()[0]).second)] = j;
  }
  return quads;
}

WindowQuads::WindowQuads(const Window& w, size_t channels) : elementsPerChannel_(w.filterHeight * w.filterWidth) {
  const AxisTaps columns(w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft);
  const std::vector<Quad> row = columnQuads(columns);
  byChannels = (channels + kWidth - 1) / kWidth * elementsPerChannel_ < channels * w.filterHeight * row.size();
  const int perChannel = static_cast<int>(elementsPerChannel_), count = static_cast<int>(channels);
  if (byChannels) {
    for (int first = 0; first < count; first += kWidth)
      for (int v = 0; v < perChannel; v++) {
        Quad quad;
        for (int b = 0; b < 4; b++) quad[b] = first + b < count ? (first + b) * perChannel + v : -1;
        quads.push_back(quad);
      }
    return;
  }
  for (int channel = 0; channel < count; channel++)
    for (size_t i = 0; i < w.filterHeight; i++)
      for (Quad quad : row) {
        const int first = channel * perChannel + static_cast<int>(i * w.filterWidth);
        for (int& j : quad) j = j < 0 ? -1 : first + j;
        quads.push_back(quad);
      }
}

std::vector<ptrdiff_t> WindowQuads::taps(const WindowPlanes& planes) const {
  std::vector<ptrdiff_t> offsets;
  for (const Quad& quad : quads) {
    const size_t element = static_cast<size_t>(quad[0]), group = element / elementsPerChannel_ / kWidth;
    const size_t leftOut = byChannels ? group * (kWidth - 1) * planes.channelElements() : 0;
    offsets.push_back(planes.taps()[element] - static_cast<ptrdiff_t>(leftOut));
  }
  return offsets;
}

}  // namespace lutnn
