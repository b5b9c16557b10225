#include "training/thread_pool.h"

namespace lutnn {

/// Multiply-adds of some ten microseconds: about as long as a sleeping thread takes to begin.
static constexpr size_t kWorthThreads = size_t{1} << 19;

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  start_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::setThreads(size_t threads) {
  const std::lock_guard<std::mutex> lock(mutex_);
  threads_ = threads;
}

void ThreadPool::takeItems(size_t worker, std::unique_lock<std::mutex>& lock) {
  Job& job = *job_;
  job.running++;
  while (job.next < job.items) {
    const size_t item = job.next++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*job.work)(item, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (!failure) continue;
    if (!job.failure) job.failure = failure;
    job.next = job.items;
  }
  job.running--;
}

void ThreadPool::wait(size_t worker) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (size_t seen = 0;;) {
    start_.wait(lock, [&] { return ending_ || (job_ && jobNumber_ != seen && worker < threads_); });
    if (ending_) return;
    seen = jobNumber_;
    takeItems(worker, lock);
    end_.notify_one();
  }
}

void ThreadPool::run(size_t items, size_t operations, const std::function<void(size_t, size_t)>& work) {
  if (operations < kWorthThreads) {
    for (size_t item = 0; item < items; item++) work(item, 0);
    return;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  while (workers_.size() + 1 < threads_ && items > 1)
    workers_.emplace_back(&ThreadPool::wait, this, workers_.size() + 1);
  Job job{&work, items, 0, 0, nullptr};
  job_ = &job;
  jobNumber_++;
  if (items > 1) start_.notify_all();
  takeItems(0, lock);
  end_.wait(lock, [&] { return job.running == 0; });
  job_ = nullptr;
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace lutnn
