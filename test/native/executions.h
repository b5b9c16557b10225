// What computes the same everywhere: each instruction set of this machine, on the caller's thread alone and on three.
#pragma once

#include "core/thread_pool.h"
#include "isa/dispatch.h"

namespace lutnn {

template <class Body>
void forEachExecutor(const Body& body) {
  SerialExecutor serial;
  PoolExecutor three(3);
  body(static_cast<Executor&>(serial));
  body(static_cast<Executor&>(three));
}

/// body(microkernels, executor)
template <class Body>
void forEachExecution(const Body& body) {
  forEachExecutor([&](Executor& executor) {
    for (const Microkernels* kernels : availableMicrokernels()) body(*kernels, executor);
  });
}

}  // namespace lutnn
