// Sums over float tables of every instruction set, bit for bit: plain loops add up in the order that the contract names.
#include <algorithm>
#include <string>

#include "check.h"
#include "core/table_sums.h"
#include "core/thread_pool.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

struct Case {
  size_t rows, C, K, M;
  std::vector<uint8_t> codes;  // (rows, C)
  std::vector<float> table, values;  // (C, K, M), (rows, M)
  std::vector<float> lookedUp, scattered;  // what the sums must be, from values and from table on

  Case(std::mt19937& random, size_t rows, size_t C, size_t K, size_t M)
      : rows(rows),
        C(C),
        K(K),
        M(M),
        codes(rows * C),
        table(randomFloats(random, C * K * M)),
        values(randomFloats(random, rows * M)),
        lookedUp(values),
        scattered(table) {
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() % K);
    for (size_t n = 0; n < rows; n++)
      for (size_t c = 0; c < C; c++)
        for (size_t m = 0; m < M; m++) {
          const size_t entry = (c * K + codes[n * C + c]) * M + m;
          lookedUp[n * M + m] += table[entry];
          scattered[entry] += values[n * M + m];
        }
  }

  std::string sizes() const {
    return "N " + std::to_string(rows) + " C " + std::to_string(C) + " K " + std::to_string(K) + " M " +
           std::to_string(M);
  }
};

template <class T>
static void copyTo(Guarded<T>& to, const std::vector<T>& from) {
  std::copy(from.begin(), from.end(), to.begin());
}

static void checkCase(const Case& c, Guard guard, size_t threads) {
  Guarded<uint8_t> codes(c.codes.size(), guard);
  Guarded<float> table(c.table.size(), guard), values(c.values.size(), guard);
  copyTo(codes, c.codes);
  const TableSums shape{codes.data(), c.rows, c.C, c.K, c.M};
  PoolExecutor executor(threads);
  for (const Microkernels* kernels : availableMicrokernels()) {
    copyTo(table, c.table);
    copyTo(values, c.values);
    lookupAdd(*kernels, shape, table.data(), values.data(), executor);
    CHECK(std::equal(values.begin(), values.end(), c.lookedUp.begin()), "lookupAdd, %s, %zu threads, %s", kernels->isa,
          threads, c.sizes().c_str());
    CHECK(std::equal(table.begin(), table.end(), c.table.begin()), "lookupAdd changed its table, %s", kernels->isa);
    copyTo(values, c.values);
    scatterAdd(*kernels, shape, values.data(), table.data(), executor);
    CHECK(std::equal(table.begin(), table.end(), c.scattered.begin()), "scatterAdd, %s, %zu threads, %s", kernels->isa,
          threads, c.sizes().c_str());
    CHECK(std::equal(values.begin(), values.end(), c.values.begin()), "scatterAdd changed its rows, %s", kernels->isa);
  }
}

TEST("sums over float tables are those of plain loops, bit for bit") {
  std::mt19937 random(1);
  for (size_t outputs : {1, 2, 3, 5, 7, 8, 15, 16, 17, 33, 63, 64, 65, 127, 131, 200})
    for (size_t codebooks : {1, 2, 7, 8, 9, 33})
      for (size_t centroids : {2, 16, 100}) {
        if (leftOut()) continue;
        const Case c(random, 19, codebooks, centroids, outputs);
        for (Guard guard : {Guard::kAfter, Guard::kBefore}) checkCase(c, guard, 1);
      }
}

TEST("sums over float tables do not depend on the number of threads") {
  std::mt19937 random(2);
  for (size_t rows : {1, 255, 256, 257, 1031})
    for (size_t codebooks : {1, 9, 40}) {
      const Case c(random, rows, codebooks, 16, 37);
      for (size_t threads : {1, 2, 3, 4, 5, 8}) checkCase(c, Guard::kAfter, threads);
    }
}

TEST("no rows add nothing") {
  std::mt19937 random(3);
  checkCase(Case(random, 0, 3, 16, 5), Guard::kAfter, 2);
}
