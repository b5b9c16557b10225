#include "isa/dispatch.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "check.h"

using namespace lutnn;

TEST("the environment's instruction set runs when it is available, and is refused by name when not") {
  if (argumentCount < 2) return;
  bool available = false;
  for (const Microkernels* kernels : availableMicrokernels())
    available |= std::strcmp(kernels->isa, argumentValues[1]) == 0;
  try {
    const Microkernels& chosen = chooseMicrokernels();
    CHECK(available && std::strcmp(chosen.isa, argumentValues[1]) == 0, "%s ran", chosen.isa);
  } catch (const std::runtime_error& refusal) {
    CHECK(!available && std::strstr(refusal.what(), argumentValues[1]), "%s", refusal.what());
  }
}

TEST("without a wish the fastest available instruction set runs") {
  CHECK(&chooseMicrokernels(nullptr) == availableMicrokernels().front(), "%s", chooseMicrokernels(nullptr).isa);
  CHECK(&chooseMicrokernels("") == availableMicrokernels().front(), "%s", chooseMicrokernels("").isa);
}

TEST("scalar is always available") { CHECK(&chooseMicrokernels("scalar") == &kScalarMicrokernels, "another ran"); }

TEST("an unknown instruction set is refused with a list of those available") {
  try {
    chooseMicrokernels("sse9");
    CHECK(false, "nothing was thrown");
  } catch (const std::runtime_error& refusal) {
    CHECK(std::strstr(refusal.what(), "sse9") && std::strstr(refusal.what(), "scalar"), "%s", refusal.what());
  }
}
