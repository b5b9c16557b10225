// Sums over float tables, for fits of tables: lookups added to rows, and rows added to the entries that they look up.
// Every float is added to in a fixed order, and no task adds to another's, so results are the same to the last bit for
// every instruction set and any number of threads.
#pragma once

#include "core/executor.h"
#include "isa/microkernels.h"

namespace lutnn {

/// sums (rows, M) += Σ_c table[c][code_c], c rising; table (C, K, M)
void lookupAdd(const Microkernels& kernels, const TableSums& shape, const float* table, float* sums,
               Executor& executor);

/// table[c][code_c] += values[row], rows rising; values (rows, M), table (C, K, M)
void scatterAdd(const Microkernels& kernels, const TableSums& shape, const float* values, float* table,
                Executor& executor);

}  // namespace lutnn
