#include "isa/avx512vbmi/dense.h"

namespace lutnn {

constinit const MicrokernelsDense kAvx512VbmiMicrokernelsDense = DenseOf<Vnni>::microkernels();

}  // namespace lutnn
