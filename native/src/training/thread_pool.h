// A few threads that wait for work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lutnn {

class ThreadPool {
 public:
  explicit ThreadPool(size_t threads) : threads_(threads) {}
  ThreadPool(const ThreadPool&) = delete;
  ~ThreadPool();

  size_t threads() const { return threads_; }
  /// Of the next run; threads that are no longer wanted keep sleeping.
  void setThreads(size_t threads);

  /// Calls work(item, worker) once for every item below `items`, items in rising order and several at a time, worker
  /// below threads(). Returns when all are done; throws what the first one that failed threw. One caller at a time.
  /// `operations` is about what all items take, in multiply-adds; where it is less than waking a thread is worth, the
  /// caller does all.
  void run(size_t items, size_t operations, const std::function<void(size_t item, size_t worker)>& work);

 private:
  struct Job {
    const std::function<void(size_t, size_t)>* work;
    size_t items, next, running;
    std::exception_ptr failure;
  };
  /// Takes items of the present job until none is left; `lock` is held before and after.
  void takeItems(size_t worker, std::unique_lock<std::mutex>& lock);
  void wait(size_t worker);

  std::mutex mutex_;
  std::condition_variable start_, end_;
  size_t threads_;
  std::vector<std::thread> workers_;  // worker 0 is the caller
  Job* job_ = nullptr;
  size_t jobNumber_ = 0;
  bool ending_ = false;
};

}  // namespace lutnn
