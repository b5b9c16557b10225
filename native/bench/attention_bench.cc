// Attention of bytes beside that of floats, no session around them: least µs of a call in turns, one thread, every instruction set.
// Built by -DLUTNN_BENCH=ON: attention_bench [queries and positions, 128] [heads, 12] [turns, 60]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "core/buffer.h"
#include "core/lutnn.h"
#include "machine.h"

namespace {

/// µs of a call.
template <class Run>
double timed(Run run) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point from = Clock::now();
  run();
  return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
}

void require(lutnn_code code, const lutnn_error& error) {
  if (code == LUTNN_OK) return;
  std::fprintf(stderr, "attention_bench: %s\n", error.message);
  std::exit(1);
}

long argument(int argc, char** argv, int place, long otherwise) {
  const long given = argc > place ? std::atol(argv[place]) : otherwise;
  if (given > 0) return given;
  std::fprintf(stderr, "attention_bench: arguments must be whole numbers from 1 (got %s)\n", argv[place]);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t length = argument(argc, argv, 1, 128), heads = argument(argc, argv, 2, 12);
  const long turns = argument(argc, argv, 3, 60);
  std::printf("%s; %ld queries and positions, %ld heads, least of %ld turns\n", lutnn::machineName().c_str(),
              static_cast<long>(length), static_cast<long>(heads), turns);
  std::printf("%-12s %-12s %12s %12s\n", "numbers", "isa", "floats µs", "bytes µs");
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  lutnn_error error;
  for (const int64_t numbers : {32, 64}) {
    const int64_t all = length * heads * numbers;
    lutnn::Buffer<float> floats(all), y(all);  // aligned, as a session's memory is
    lutnn::Buffer<uint8_t> bytes(all);
    for (int64_t i = 0; i < all; i++) {
      floats.data()[i] = normal(random);
      bytes.data()[i] = static_cast<uint8_t>(random());
    }
    const lutnn_floats f{floats.data(), all};
    const lutnn_bytes b{bytes.data(), all};
    for (size_t i = 0; const char* isa = lutnn_available_isa(i); i++) {
      lutnn_context* context = nullptr;
      require(lutnn_context_create_for(isa, &context, &error), error);
      const lutnn_attention ofFloats{.batch = 1,
                                     .heads = heads,
                                     .queries = length,
                                     .positions = length,
                                     .depth = numbers,
                                     .outputs = numbers,
                                     .query = f,
                                     .key = f,
                                     .value = f,
                                     .scale = 0.2f,
                                     .y = {y.data(), all}};
      const lutnn_attention_of_bytes ofBytes{.batch = 1,
                                             .heads = heads,
                                             .queries = length,
                                             .positions = length,
                                             .depth = numbers,
                                             .outputs = numbers,
                                             .query = b,
                                             .key = b,
                                             .value = b,
                                             .scale = 1e-4f,
                                             .value_scale = 0.02f,
                                             .y = {y.data(), all}};
      double least[2] = {1e12, 1e12};
      for (long turn = 0; turn < turns + 3; turn++) {  // the first three warm up
        const double times[2] = {
            timed([&] { require(lutnn_attention_run(&ofFloats, context, &error), error); }),
            timed([&] { require(lutnn_attention_of_bytes_run(&ofBytes, context, &error), error); })};
        for (int kind = 0; kind < 2; kind++)
          if (turn >= 3 && times[kind] < least[kind]) least[kind] = times[kind];
      }
      std::printf("%-12ld %-12s %12.0f %12.0f\n", static_cast<long>(numbers), isa, least[0], least[1]);
      lutnn_context_free(context);
    }
  }
}
