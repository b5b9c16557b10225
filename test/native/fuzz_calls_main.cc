// fuzz_calls CASES SEED: random bytes for fuzz_calls.cc.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern long fuzzedCalls[2];
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int count, char** arguments) {
  const long cases = count > 1 ? std::atol(arguments[1]) : 1000;
  const unsigned long seed = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 1;
  std::vector<uint8_t> bytes;
  for (long i = 0; i < cases; i++) {
    std::mt19937 random(static_cast<uint32_t>(seed * 1000003 + static_cast<unsigned long>(i)));
    bytes.resize(16 + random() % 700);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  const auto [refused, carriedOut] = fuzzedCalls;
  std::printf("%ld drawn sequences from seed %lu: %ld calls refused, %ld carried out\n", cases, seed, refused,
              carriedOut);
  return refused > 0 && carriedOut > refused / 10 ? 0 : 1;
}
