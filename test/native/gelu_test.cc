// GELU: the scalar microkernel is near the definition, and every other instruction set has its bits.
#include <algorithm>
#include <cmath>

#include "check.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static double definition(double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }

TEST("GELU is within its bound of the definition, from the smallest numbers to the largest") {
  std::vector<float> x;
  for (float value = 1e-30f; value < 1e30f; value *= 1.37f) x.push_back(value), x.push_back(-value);
  for (int i = -80000; i <= 80000; i++) x.push_back(static_cast<float>(i) / 10000);
  std::vector<float> y = x;
  kScalarMicrokernels.gelu(y.data(), y.size());
  for (size_t i = 0; i < x.size(); i++) {
    const double error = std::fabs(static_cast<double>(y[i]) - definition(static_cast<double>(x[i])));
    CHECK(error <= static_cast<double>(kGeluError * std::fabs(x[i])), "%g: %g", static_cast<double>(x[i]), error);
  }
}

TEST("GELU of zero, infinite and no numbers is what the formula gives") {
  float x[] = {0.0f, INFINITY, NAN, 1000.0f, -1000.0f, 3e38f};
  kScalarMicrokernels.gelu(x, 6);
  CHECK(x[0] == 0 && x[1] == INFINITY && std::isnan(x[2]) && x[3] == 1000 && x[4] == 0, "%g %g %g %g %g",
        static_cast<double>(x[0]), static_cast<double>(x[1]), static_cast<double>(x[2]), static_cast<double>(x[3]),
        static_cast<double>(x[4]));
}

TEST("GELU has the same bits on every instruction set, inside its array") {
  std::mt19937 random(1);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t n : std::initializer_list<size_t>{0, 1, 3, 4, 7, 16, 31, 63, 64, 65, 127, 300})
      for (Guard guard : {Guard::kAfter, Guard::kBefore}) {
        Guarded<float> got(n, guard);
        std::vector<float> wanted = randomFloats(random, n);
        for (float& value : wanted) value *= static_cast<float>(1 << random() % 5);
        if (n > 8) wanted[0] = 0, wanted[1] = -0.0f, wanted[2] = 1e-42f, wanted[3] = 1e30f, wanted[4] = INFINITY;
        std::copy(wanted.begin(), wanted.end(), got.begin());
        kernels->gelu(got.data(), n);
        kScalarMicrokernels.gelu(wanted.data(), n);
        for (size_t i = 0; i < n; i++)
          CHECK(std::memcmp(&got[i], &wanted[i], sizeof(float)) == 0, "%s: %a, not %a", kernels->isa,
                static_cast<double>(got[i]), static_cast<double>(wanted[i]));
      }
}
