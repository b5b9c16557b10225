// The pool of threads, and operators that share it; ThreadSanitizer's build runs this file.
#include <atomic>
#include <stdexcept>
#include <thread>

#include "check.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/thread_pool.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const Epilogue kPlain{};
static SerialExecutor serial;

TEST("callers on several threads share the pool, or work alone, with equal results") {
  std::mt19937 random(6);
  const RandomLayer layer(random, 8, 16, 9, 130);
  const LutConv op(*availableMicrokernels().front(), layer.lookup(), {8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1});
  const ConvPlan planes = op.plan(20, 20);
  const std::vector<float> x = randomFloats(random, 8 * 400);
  std::vector<float> wanted(130 * 400);
  Workspace workspace;
  op.run(planes, x.data(), 1, wanted.data(), kPlain, workspace, serial);
  std::vector<std::thread> callers;
  std::vector<int> equal(4);
  for (size_t i = 0; i < 4; i++)
    callers.emplace_back([&, i] {
      Workspace own;
      PoolExecutor executor(i + 1);
      std::vector<float> y(wanted.size());
      for (int turn = 0; turn < 50; turn++) {
        op.run(planes, x.data(), 1, y.data(), kPlain, own, executor);
        equal[i] += y == wanted;
      }
    });
  for (std::thread& caller : callers) caller.join();
  for (int count : equal) CHECK(count == 50, "%d of 50 runs gave equal results", count);
}

TEST("what a task throws reaches the caller, and the pool goes on working") {
  PoolExecutor executor(3);
  for (int turn = 0; turn < 20; turn++) {
    bool caught = false;
    try {
      executor.forEach(50, [](size_t task, size_t) {
        if (task == 7) throw std::runtime_error("seven");
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught, "nothing was thrown");
    std::atomic<size_t> sum{0};
    executor.forEach(50, [&](size_t task, size_t) { sum += task; });
    CHECK(sum == 1225, "%zu", sum.load());
  }
}

TEST("one operator serves several threads at once, and makes its table's second order only once") {
  std::mt19937 random(7);
  const RandomLayer layer(random, 6, 16, 9, 70);
  for (int turn = 0; turn < 10; turn++) {
    const LutConv op(*availableMicrokernels().front(), layer.lookup(), {6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1});
    std::vector<std::vector<float>> outputs(4);
    std::vector<std::thread> callers;
    for (size_t i = 0; i < 4; i++)
      callers.emplace_back([&, i] {
        const size_t size = i % 2 ? 3 : 40;  // few positions gather, many shuffle
        const std::vector<float> x(6 * size * size, 0.5f);
        const ConvPlan plan = op.plan(size, size);
        outputs[i].resize(70 * size * size);
        Workspace own;
        PoolExecutor executor(2);
        op.run(plan, x.data(), 1, outputs[i].data(), kPlain, own, executor);
      });
    for (std::thread& caller : callers) caller.join();
    CHECK(outputs[0] == outputs[2] && outputs[1] == outputs[3], "turn %d", turn);
  }
}

TEST("rows are shared among any number of threads with equal results") {
  std::mt19937 random(8);
  const RandomLayer layer(random, 8, 16, 4, 600);
  const LutMatMul op(*availableMicrokernels().front(), layer.lookup());
  const std::vector<float> x = randomFloats(random, 300 * 32);
  std::vector<float> wanted(300 * 600);
  Workspace workspace;
  op.run(x.data(), 300, wanted.data(), kPlain, workspace, serial);
  for (size_t threads : {2, 3, 4, 9}) {
    PoolExecutor executor(threads);
    std::vector<float> y(wanted.size());
    op.run(x.data(), 300, y.data(), kPlain, workspace, executor);
    CHECK(y == wanted, "%zu threads", threads);
  }
}

TEST("every task is done once for changing numbers of threads, and a few operations are the caller's alone") {
  PoolExecutor executor(3);
  for (size_t threads : {3, 1, 4, 2}) {
    executor.setThreads(threads);
    for (int turn = 0; turn < 20; turn++) {
      std::vector<int> done(100);
      executor.forEach(100, SIZE_MAX, [&](size_t task, size_t slot) { done[task] += slot < threads; });
      CHECK(done == std::vector<int>(100, 1), "%zu threads", threads);
    }
  }
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<int> done(100);
  executor.forEach(100, 1,
                   [&](size_t task, size_t slot) { done[task] += slot == 0 && std::this_thread::get_id() == caller; });
  CHECK(done == std::vector<int>(100, 1), "another thread did some");
}
