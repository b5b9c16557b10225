// Threads of the process that operators share. The caller works along, and a caller that finds the pool busy works
// alone, so there are never more threads at work than the largest number that was asked for.
#pragma once

#include "core/executor.h"

namespace lutnn {

/// Runs tasks on up to `threads` threads, the caller's among them.
class PoolExecutor : public Executor {
 public:
  explicit PoolExecutor(size_t threads) : threads_(threads) {}
  using Executor::forEach;
  size_t slots() const override { return threads_; }
  /// Of what runs next; threads that are no longer wanted keep sleeping.
  void setThreads(size_t threads) { threads_ = threads; }
  void forEach(size_t tasks, const Body& body) override;

 private:
  size_t threads_;
};

}  // namespace lutnn
