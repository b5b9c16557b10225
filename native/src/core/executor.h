// How an operator's tasks are spread over threads. Operators cut their work into tasks in the same way for any number of
// threads, and no task adds to another's floats, so results do not depend on it.
#pragma once

#include <cstddef>
#include <functional>

namespace lutnn {

class Executor {
 public:
  /// Called with a task's number, and with a slot below slots() that no other running task has.
  using Body = std::function<void(size_t task, size_t slot)>;

  virtual ~Executor() = default;
  virtual size_t slots() const = 0;
  /// Returns when all tasks are done. Where one throws, some are left out and one of the exceptions is thrown on.
  virtual void forEach(size_t tasks, const Body& body) = 0;
  /// The same for tasks that take about `operations` multiply-adds together: where that is less than waking a thread is
  /// worth, the caller does all.
  void forEach(size_t tasks, size_t operations, const Body& body) {
    if (operations >= kWorthThreads) return forEach(tasks, body);
    for (size_t task = 0; task < tasks; task++) body(task, 0);
  }

 private:
  /// Some ten microseconds: about as long as a sleeping thread takes to begin.
  static constexpr size_t kWorthThreads = size_t{1} << 19;
};

class SerialExecutor : public Executor {
 public:
  using Executor::forEach;
  size_t slots() const override { return 1; }
  void forEach(size_t tasks, const Body& body) override {
    for (size_t task = 0; task < tasks; task++) body(task, 0);
  }
};

}  // namespace lutnn
