// What the functions of the C API run with: the instruction set and its memory, and the host's threads.
#pragma once

#include <exception>
#include <mutex>

#include "core/executor.h"
#include "core/lutnn.h"
#include "core/packing.h"

struct lutnn_context {
  const lutnn::Microkernels& kernels;
  lutnn::Workspace workspace;
  lutnn::PackedCodebooks books;  // of the last lutnn_encode_rows
};

namespace lutnn {

/// Threads of the host's as an executor. What a task throws waits here until all are done.
class HostExecutor : public Executor {
 public:
  explicit HostExecutor(const lutnn_executor& host) : host_(host) {}
  using Executor::forEach;
  size_t slots() const override { return static_cast<size_t>(host_.slots); }
  void forEach(size_t tasks, const Body& body) override {
    Tasks all{body, {}, nullptr};
    host_.for_each(host_.host, static_cast<int64_t>(tasks), run, &all);
    if (all.failure) std::rethrow_exception(all.failure);
  }

 private:
  struct Tasks {
    const Body& body;
    std::mutex mutex;
    std::exception_ptr failure;
  };
  static void run(void* state, int64_t task, int64_t slot) {
    auto& all = *static_cast<Tasks*>(state);
    try {
      all.body(static_cast<size_t>(task), static_cast<size_t>(slot));
    } catch (...) {
      const std::lock_guard<std::mutex> lock(all.mutex);
      all.failure = std::current_exception();
    }
  }

  const lutnn_executor& host_;
};

/// Calls run(executor) on the host's threads where these are given, else on the caller's alone.
template <class Run>
void onExecutor(const lutnn_executor* given, const Run& run) {
  if (!given) {
    SerialExecutor own;
    return run(own);
  }
  HostExecutor host(*given);
  run(host);
}

}  // namespace lutnn
