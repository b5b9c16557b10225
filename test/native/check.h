// A test is TEST("a sentence") { … CHECK(condition, "printf-like details", …); … }. main() runs all of a program's.
#pragma once

#include <cstdarg>

namespace lutnn {

struct Test {
  Test(const char* title, void (*body)());
};

/// Counts a failure and prints where and what; the first few of each test only.
void fail(const char* file, int line, const char* condition, const char* format, ...);

/// For tests of many combinations: true for all but every n-th call, n being LUTNN_TEST_EVERY. Where that is not set,
/// nothing is left out; the tests in an emulator set it.
bool leftOut();

/// Arguments of the program, for tests that take some.
extern int argumentCount;
extern char** argumentValues;

}  // namespace lutnn

#define LUTNN_JOIN2(a, b) a##b
#define LUTNN_JOIN(a, b) LUTNN_JOIN2(a, b)
#define TEST(title)                                                                           \
  static void LUTNN_JOIN(testBody, __LINE__)();                                               \
  static const lutnn::Test LUTNN_JOIN(test, __LINE__)(title, LUTNN_JOIN(testBody, __LINE__)); \
  static void LUTNN_JOIN(testBody, __LINE__)()
#define CHECK(condition, ...)                                                   \
  do {                                                                          \
    if (!(condition)) lutnn::fail(__FILE__, __LINE__, #condition, __VA_ARGS__); \
  } while (0)
