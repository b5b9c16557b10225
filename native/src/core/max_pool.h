// The largest byte of each window of images.
#pragma once

#include "core/executor.h"
#include "core/packing.h"
#include "core/window.h"

namespace lutnn {

/// Channels of one size, of any number of images, side by side.
struct PoolPlanes {
  size_t count, height, width, outputHeight, outputWidth;
};

/// x (planes, height, width) → y (planes, output height, output width). Without dilation; every window holds a byte.
void maxPool(const Window& window, const PoolPlanes& planes, const uint8_t* x, uint8_t* y, Workspace& workspace,
             Executor& executor);

}  // namespace lutnn
