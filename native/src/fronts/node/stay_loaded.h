// Node unloads an addon with the last thread that loaded it; what would still be in use then must not go.
#pragma once

namespace lutnn {

/// Keeps this library in the process until its end: its pool's threads sleep in its code between calls, and TensorFlow
/// keeps pointers to its functions for good. A later load finds the same library with its threads.
void stayLoaded();

}  // namespace lutnn
