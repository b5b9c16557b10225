// Tables as INT8, bit for bit: plain loops in double, which hold the quotient of two floats so exactly that rounding it to a
// float gives the float's own quotient, round by the C library.
#include <algorithm>
#include <limits>
#include <string>

#include "check.h"
#include "core/quantize_table.h"
#include "guarded.h"
#include "reference.h"

using namespace lutnn;

static void checkTable(const std::vector<float>& entries, size_t M, bool perOutput, int limit, Guard guard) {
  const size_t rows = entries.size() / M;
  std::vector<float> scale(M);
  for (size_t m = 0; m < M; m++) {
    double largest = 0;
    for (size_t i = 0; i < entries.size(); i++)
      if (!perOutput || i % M == m) largest = std::max(largest, std::fabs(static_cast<double>(entries[i])));
    const float step = static_cast<float>(largest / limit);
    scale[m] = step > 0 ? step : 1;
  }
  Guarded<float> table(entries.size(), guard), gotScale(M, guard);
  Guarded<int8_t> values(entries.size(), guard);
  std::copy(entries.begin(), entries.end(), table.begin());
  CHECK(quantizeTable({table.data(), rows, M}, perOutput, limit, values.data(), gotScale.data()), "a finite table");
  CHECK(std::equal(scale.begin(), scale.end(), gotScale.begin()), "scale of (%zu, %zu), limit %d", rows, M, limit);
  for (size_t i = 0; i < entries.size(); i++) {
    const double steps = std::nearbyint(static_cast<float>(static_cast<double>(entries[i]) / scale[i % M]));
    const int wanted = static_cast<int>(std::clamp(steps, -1.0 * limit, 1.0 * limit));
    CHECK(values[i] == wanted, "entry %zu of (%zu, %zu), limit %d: %d, not %d", i, rows, M, limit, values[i], wanted);
  }
}

TEST("tables as INT8 are those of plain loops, bit for bit") {
  std::mt19937 random(1);
  for (size_t outputs : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 130})
    for (size_t rows : {1, 2, 31})
      for (int limit : {1, 7, 31, 63, 127}) {
        if (leftOut()) continue;
        std::vector<float> entries = randomFloats(random, rows * outputs);
        std::vector<float> tied(rows * outputs);  // halves of a step, and 127 steps
        for (size_t i = 0; i < tied.size(); i++)
          tied[i] = i == 0 ? 127 : static_cast<float>(static_cast<int>(random() % 509) - 254) / 2;
        std::vector<float> tiny(rows * outputs);  // of which some scales round to 0, or to a number of few bits
        for (float& entry : tiny) entry = static_cast<float>(random() % 400) * std::numeric_limits<float>::denorm_min();
        for (bool perOutput : {false, true})
          for (Guard guard : {Guard::kAfter, Guard::kBefore})
            for (const auto* table : {&entries, &tied, &tiny}) checkTable(*table, outputs, perOutput, limit, guard);
      }
}

TEST("a table with an entry that is not finite is refused and nothing written") {
  for (float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                      -std::numeric_limits<float>::infinity()})
    for (size_t at : {0, 7, 39}) {
      std::vector<float> entries(40, 1);
      entries[at] = wrong;
      std::vector<int8_t> values(40, 5);
      std::vector<float> scale(10, 5);
      CHECK(!quantizeTable({entries.data(), 4, 10}, true, 127, values.data(), scale.data()), "entry %zu", at);
      CHECK(std::count(values.begin(), values.end(), 5) == 40, "values stay");
      CHECK(std::count(scale.begin(), scale.end(), 5.0f) == 10, "scales stay");
    }
}
