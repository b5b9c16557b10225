// Which microkernels run. dispatch.cc is the only place of choice.
#pragma once

#include <string>
#include <vector>

#include "isa/microkernels.h"

namespace lutnn {

/// Those that are compiled in and that this processor and system support, fastest first; never empty.
const std::vector<const Microkernels*>& availableMicrokernels();

/// Those of that name, or null.
const Microkernels* microkernelsNamed(const std::string& isa);
/// The names of those that are available, fastest first, with commas.
std::string availableNames();

/// The fastest available, or those named by `forced` (null or empty: none are).
/// Throws std::runtime_error where they are not available.
const Microkernels& chooseMicrokernels(const char* forced);

/// The same with the environment's LUTNN_FORCE_ISA.
const Microkernels& chooseMicrokernels();

}  // namespace lutnn
