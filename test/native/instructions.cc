// Runs one microkernel a number of times on fixed data, for counting its instructions in an emulator:
//   instructions <isa> <kernel> <times>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/packing.h"
#include "isa/dispatch.h"

using namespace lutnn;

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const Microkernels& kernels = chooseMicrokernels(argv[1]);
  const std::string kernel = argv[2];
  const int times = std::atoi(argv[3]);
  constexpr size_t C = 64, K = 16, V = 9, M = 64, N = 64;  // 262,144 lookups; 589,824 multiply-adds
  uint32_t state = 1;  // few instructions beside those that count
  const auto random = [&state] { return (state = state * 1664525 + 1013904223) >> 24; };
  std::vector<float> centroids(C * K * V), x(N * C * V), scale(M, 1), y(N * M);
  std::vector<int8_t> entries(C * K * M);
  std::vector<uint8_t> codes(C * N);
  std::vector<ptrdiff_t> taps(V);
  for (float& value : centroids) value = static_cast<float>(random());
  for (float& value : x) value = static_cast<float>(random());
  for (int8_t& entry : entries) entry = static_cast<int8_t>(random());
  for (uint8_t& code : codes) code = random() % K;
  for (size_t v = 0; v < V; v++) taps[v] = static_cast<ptrdiff_t>(v * N);
  const Lookup lookup{C, K, V, M, centroids.data(), entries.data(), scale.data(), scale.data()};
  PackedCodebooks books;
  books.pack(centroids.data(), C, K, V);
  PackedCodebooksInt8 booksInt8;
  booksInt8.pack(centroids.data(), C, K, V, rowQuads(V));
  const size_t Q = booksInt8.view().numQuads;
  std::vector<uint8_t> quads(N * C * Q * 4);
  for (uint8_t& byte : quads) byte = static_cast<uint8_t>(random() | 1);  // −127 … 127 less their 128
  const PackedTable table(kernels, lookup, PackedTable::Order::kShuffle);
  const GatherTable gather = table.gather();
  const PackedScale packedScale(scale.data(), scale.data(), M);
  for (int i = 0; i < times; i++) {
    if (kernel == "encodeRows") kernels.encodeRows(books.view(), x.data(), C * V, N, codes.data());
    else if (kernel == "encodePositions")
      for (size_t c = 0; c < C; c++)
        kernels.encodePositions(books.view(), c, x.data() + c * V * N, taps.data(), N, codes.data() + c * N);
    else if (kernel == "encodeRowsInt8")
      kernels.int8->encodeRows(booksInt8.view(), quads.data(), scale.data(), N, codes.data());
    else if (kernel == "encodePositionsInt8")
      for (size_t c = 0; c < C; c++)
        kernels.int8->encodePositions(booksInt8.view(), c, quads.data() + c * Q * N * 4, taps.data(), 1, N,
                                      codes.data() + c * N);
    else if (kernel == "lookupShuffle")
      kernels.lookupShuffle(table.shuffle(), codes.data(), N, N, packedScale.output(y.data(), N));
    else if (kernel == "lookupGather") kernels.lookupGather(gather, codes.data(), N, packedScale.output(y.data(), M));
    else return 2;
  }
}
