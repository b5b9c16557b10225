#include "core/encoder.h"

namespace lutnn {

std::unique_ptr<Encoder> makeEncoder(Encoding encoding, const Microkernels& kernels, const Lookup& lookup,
                                     const Window* window) {
  switch (encoding) {
    case Encoding::kInt8: return makeInt8Encoder(kernels, lookup, window);
    case Encoding::kInteger: return makeIntegerEncoder(kernels, lookup, window);
    case Encoding::kTree: return makeTreeEncoder(kernels, lookup);
    case Encoding::kFloat32:
    case Encoding::kCodes: break;
  }
  return makeFloat32Encoder(kernels, lookup);
}

}  // namespace lutnn
