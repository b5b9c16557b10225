#include "core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace lutnn {
namespace {

class Pool {
 public:
  /// False where another caller's tasks are running.
  bool tryRun(size_t threads, size_t tasks, const Executor::Body& body) {
    std::unique_lock<std::mutex> mine(running_, std::try_to_lock);
    if (!mine) return false;
    const size_t helpers = startWorkers(std::min(threads, tasks) - 1);
    {
      std::lock_guard<std::mutex> lock(state_);
      body_ = &body;
      tasks_ = tasks;
      next_ = 0;
      helpers_ = busy_ = helpers;
      round_++;
    }
    start_.notify_all();
    take(body, tasks, 0);
    std::unique_lock<std::mutex> lock(state_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return true;
  }

 private:
  /// How many there are of those wanted: fewer where the system refuses to start more.
  size_t startWorkers(size_t wanted) {
    try {
      while (workers_.size() < wanted) {
        const size_t slot = workers_.size() + 1;
        workers_.emplace_back([this, slot] { work(slot); });
      }
    } catch (const std::system_error&) {
    }
    return std::min(wanted, workers_.size());
  }

  void take(const Executor::Body& body, size_t tasks, size_t slot) {
    try {
      for (size_t task; (task = next_.fetch_add(1)) < tasks;) body(task, slot);
    } catch (...) {
      next_ = tasks;
      std::lock_guard<std::mutex> lock(state_);
      failure_ = std::current_exception();
    }
  }

  void work(size_t slot) {
    size_t seen = 0;
    for (;;) {
      std::unique_lock<std::mutex> lock(state_);
      start_.wait(lock, [&] { return round_ != seen && slot <= helpers_; });
      seen = round_;
      const Executor::Body& body = *body_;
      const size_t tasks = tasks_;
      lock.unlock();
      take(body, tasks, slot);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex running_, state_;
  std::condition_variable start_, done_;
  std::vector<std::thread> workers_;  // they wait until the process ends
  const Executor::Body* body_ = nullptr;
  std::atomic<size_t> next_{0};
  std::exception_ptr failure_;
  size_t tasks_ = 0, helpers_ = 0, busy_ = 0, round_ = 0;
};

}  // namespace

void PoolExecutor::forEach(size_t tasks, const Body& body) {
  static Pool* pool = new Pool;  // never deleted: its threads may outlive static objects
  if (threads_ > 1 && tasks > 1 && pool->tryRun(threads_, tasks, body)) return;
  for (size_t task = 0; task < tasks; task++) body(task, 0);
}

}  // namespace lutnn
