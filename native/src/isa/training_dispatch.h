// Which training microkernels run: those of the instruction set that the lookup microkernels have chosen.
#pragma once

#include "isa/dispatch.h"
#include "isa/training_microkernels.h"

namespace lutnn {

/// The training microkernels that go with lookup microkernels.
const TrainingMicrokernels& trainingMicrokernelsFor(const Microkernels& kernels);

}  // namespace lutnn
