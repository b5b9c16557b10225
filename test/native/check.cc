#include "check.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

namespace lutnn {

constexpr int kMaxPrinted = 5;

struct Registered {
  const char* title;
  void (*body)();
};

static std::vector<Registered>& tests() {
  static std::vector<Registered> all;
  return all;
}
static int failures = 0;
int argumentCount;
char** argumentValues;

Test::Test(const char* title, void (*body)()) { tests().push_back({title, body}); }

bool leftOut() {
  static const char* const every = std::getenv("LUTNN_TEST_EVERY");
  static const long n = every ? std::strtol(every, nullptr, 10) : 1;
  static long calls = 0;
  return n > 1 && calls++ % n != 0;
}

void fail(const char* file, int line, const char* condition, const char* format, ...) {
  if (++failures > kMaxPrinted) return;
  std::printf("  %s:%d: %s: ", file, line, condition);
  va_list details;
  va_start(details, format);
  std::vprintf(format, details);
  va_end(details);
  std::printf("\n");
}

}  // namespace lutnn

int main(int argc, char** argv) {
  using namespace lutnn;
  argumentCount = argc;
  argumentValues = argv;
  int failed = 0;
  for (const Registered& test : tests()) {
    failures = 0;
    try {
      test.body();
    } catch (const std::exception& error) {
      fail(test.title, 0, "no exception", "%s", error.what());
    }
    std::printf("%s %s", failures ? "FAILED" : "passed", test.title);
    if (failures) std::printf(" (%d failures)", failures);
    std::printf("\n");
    std::fflush(stdout);
    failed += failures != 0;
  }
  return failed != 0;
}
