#include "core/table_sums.h"

#include <algorithm>

namespace lutnn {

/// Of a task: long enough that another thread's waking pays, short enough that threads end together.
static constexpr size_t kTaskRows = 256, kTaskCodebooks = 8;

static constexpr size_t tasksOf(size_t count, size_t each) { return (count + each - 1) / each; }

void lookupAdd(const Microkernels& kernels, const TableSums& shape, const float* table, float* sums,
               Executor& executor) {
  executor.forEach(tasksOf(shape.rows, kTaskRows), [&](size_t task, size_t) {
    const size_t first = task * kTaskRows;
    kernels.lookupAdd(shape, table, first, std::min(shape.rows, first + kTaskRows), sums);
  });
}

void scatterAdd(const Microkernels& kernels, const TableSums& shape, const float* values, float* table,
                Executor& executor) {
  executor.forEach(tasksOf(shape.numCodebooks, kTaskCodebooks), [&](size_t task, size_t) {
    const size_t first = task * kTaskCodebooks;
    kernels.scatterAdd(shape, values, first, std::min(shape.numCodebooks, first + kTaskCodebooks), table);
  });
}

}  // namespace lutnn
