// What a convolution needs to know of images of one size.
#pragma once

#include "core/window.h"

namespace lutnn {

struct ConvPlan : WindowPlanes {
  /// Where what is read lies from the first position's place, in the order of the operator.
  std::vector<ptrdiff_t> readTaps;
};

}  // namespace lutnn
