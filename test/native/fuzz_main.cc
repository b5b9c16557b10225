// fuzz_… CASES SEED: random bytes for an entry point of libFuzzer's, on the instruction set that LUTNN_FORCE_ISA names; fuzz_… FOLDER: the
// bytes of each file there on that one, too. Alone it names those that are available, one a line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/// SplitMix64: 64 well-mixed bits of each count.
static uint64_t mixed(uint64_t count) {
  uint64_t z = count * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static void say(const char* what) {
  const auto [refused, carriedOut] = fuzzedCalls;
  const char* isa = std::getenv("LUTNN_FORCE_ISA");
  std::printf("%s on %s: %ld calls refused, %ld carried out\n", what, isa ? isa : lutnn_available_isa(0), refused,
              carriedOut);
}

/// Inputs that are kept, so that an entry point without libFuzzer still meets what that has found.
static int replay(const char* folder) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::fprintf(stderr, "%s\n", entry.path().filename().c_str());  // the last one is what a sanitizer speaks of
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    files++;
  }
  say((std::to_string(files) + " inputs of " + folder).c_str());
  return files > 0 ? 0 : 1;
}

int main(int count, char** arguments) {
  if (count == 2) return replay(arguments[1]);
  if (count < 3) {
    for (size_t i = 0; const char* isa = lutnn_available_isa(i); i++) std::puts(isa);
    return 0;
  }
  const uint64_t cases = std::strtoull(arguments[1], nullptr, 10), seed = std::strtoull(arguments[2], nullptr, 10);
  // Most inputs are long enough for every number of a sequence.
  constexpr uint64_t least = 16, range = 4000;
  std::vector<uint64_t> words((least + range) / sizeof(uint64_t));
  for (uint64_t i = 0; i < cases; i++) {
    const uint64_t first = mixed(mixed(seed) + i), size = least + first % range;
    for (size_t word = 0; word * sizeof(uint64_t) < size; word++) words[word] = mixed(first + word);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(words.data()), size);
  }
  say((std::to_string(cases) + " drawn sequences from seed " + std::to_string(seed)).c_str());
  const auto [refused, carriedOut] = fuzzedCalls;
  return refused > 0 && carriedOut > refused / 10 ? 0 : 1;
}
