// The operators over every instruction set against plain loops; tensors lie between inaccessible pages.
#include <algorithm>
#include <atomic>

#include "check.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/thread_pool.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

template <class T>
static size_t differences(const Guarded<T>& got, const std::vector<T>& wanted) {
  size_t wrong = 0;
  for (size_t i = 0; i < wanted.size(); i++) wrong += std::memcmp(&got[i], &wanted[i], sizeof(T)) != 0;
  return wrong;
}

static const Epilogue kPlain{};
static SerialExecutor serial;

/// y + residual, then max(0, ·).
static std::vector<float> withEpilogue(const std::vector<float>& y, const std::vector<float>& residual) {
  std::vector<float> wanted(y.size());
  for (size_t i = 0; i < y.size(); i++) {
    wanted[i] = y[i] + residual[i];
    if (wanted[i] < 0) wanted[i] = 0;
  }
  return wanted;
}

static void checkMatMul(const Microkernels& kernels, std::mt19937& random, Workspace& workspace, size_t rows, size_t C,
                        size_t K, size_t V, size_t M) {
  const RandomLayer layer(random, C, K, V, M);
  const std::vector<float> x = randomFloats(random, rows * C * V);
  const auto codes = referenceEncode(layer, x.data(), rows);
  const auto sums = referenceSums(layer, codes.data(), rows);
  const auto y = referenceOutputs(layer, sums);
  const LutMatMul op(kernels, layer.lookup());
  for (Guard guard : kGuards) {
    Guarded<float> in(x.size(), guard), out(y.size(), guard);
    Guarded<uint8_t> outCodes(codes.size(), guard);
    Guarded<int32_t> outSums(sums.size(), guard);
    std::copy(x.begin(), x.end(), in.begin());
    op.run(in.data(), rows, out.data(), kPlain, workspace, serial);
    op.encode(in.data(), rows, outCodes.data(), workspace);
    op.lookup(outCodes.data(), rows, outSums.data());
    CHECK(differences(outCodes, codes) == 0, "%s codes (N %zu C %zu K %zu V %zu)", kernels.isa, rows, C, K, V);
    CHECK(differences(outSums, sums) == 0, "%s sums (N %zu C %zu K %zu M %zu)", kernels.isa, rows, C, K, M);
    CHECK(differences(out, y) == 0, "%s outputs (N %zu C %zu K %zu V %zu M %zu)", kernels.isa, rows, C, K, V, M);
    const std::vector<float> residual = randomFloats(random, y.size());
    std::copy(residual.begin(), residual.end(), out.begin());
    PoolExecutor three(3);
    op.run(in.data(), rows, out.data(), {out.data(), true}, workspace, three);
    CHECK(differences(out, withEpilogue(y, residual)) == 0, "%s in place, with ReLU, on 3 threads (N %zu M %zu)",
          kernels.isa, rows, M);
  }
}

struct Shape {
  size_t batch, height, width, K, channelsPerCodebook, M;
};

static void checkConv(const Microkernels& kernels, std::mt19937& random, Workspace& workspace, const Window& w,
                      const Shape& s, LutConv::Read read = LutConv::Read::kFastest) {
  const size_t V = s.channelsPerCodebook * w.filterHeight * w.filterWidth, C = w.inputChannels / s.channelsPerCodebook;
  const RandomLayer layer(random, C, s.K, V, s.M);
  const LutConv op(kernels, layer.lookup(), w, Encoding::kFloat32, read);
  const ConvPlan planes = op.plan(s.height, s.width);
  const size_t outputs = planes.outputHeight() * planes.outputWidth(), positions = s.batch * outputs;
  const auto x = randomFloats(random, s.batch * w.inputChannels * s.height * s.width);
  const auto windows =
      referenceWindows(w, x.data(), s.batch, s.height, s.width, planes.outputHeight(), planes.outputWidth());
  const auto codes = referenceEncode(layer, windows.data(), positions);
  const auto sums = referenceSums(layer, codes.data(), positions);
  const auto y = toChannelsFirst(referenceOutputs(layer, sums), s.batch, outputs, s.M);
  for (Guard guard : kGuards) {
    Guarded<float> in(x.size(), guard), out(y.size(), guard);
    Guarded<uint8_t> outCodes(codes.size(), guard);
    Guarded<int32_t> outSums(sums.size(), guard);
    std::copy(x.begin(), x.end(), in.begin());
    op.run(planes, in.data(), s.batch, out.data(), kPlain, workspace, serial);
    op.encode(planes, in.data(), s.batch, outCodes.data(), workspace);
    op.lookup(outCodes.data(), positions, outSums.data(), workspace);
    const size_t wrong[] = {differences(outCodes, codes), differences(outSums, sums), differences(out, y)};
    CHECK(wrong[0] + wrong[1] + wrong[2] == 0,
          "%s: %zu codes, %zu sums, %zu outputs differ (x %zu,%zu,%zu,%zu filter %zu,%zu stride %zu,%zu dilation "
          "%zu,%zu pads %zu,%zu,%zu,%zu K %zu V %zu M %zu)",
          kernels.isa, wrong[0], wrong[1], wrong[2], s.batch, w.inputChannels, s.height, s.width, w.filterHeight,
          w.filterWidth, w.strideHeight, w.strideWidth, w.dilationHeight, w.dilationWidth, w.padTop, w.padLeft,
          w.padBottom, w.padRight, s.K, V, s.M);
    const std::vector<float> residual = randomFloats(random, y.size());
    std::copy(residual.begin(), residual.end(), out.begin());
    PoolExecutor three(3);
    op.run(planes, in.data(), s.batch, out.data(), {out.data(), true}, workspace, three);
    CHECK(differences(out, withEpilogue(y, residual)) == 0, "%s in place, with ReLU, on 3 threads", kernels.isa);
  }
}

TEST("matrix multiplication gives the reference's codes, sums and outputs") {
  std::mt19937 random(1);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t rows : {1, 2, 3, 5, 7, 16, 17, 31, 33, 257})
      for (size_t K : {2, 3, 16, 17, 256}) {
        if (leftOut()) continue;
        checkMatMul(*kernels, random, workspace, static_cast<size_t>(rows), 1 + random() % 7, static_cast<size_t>(K),
                    1 + random() % 33, 1 + random() % 140);
      }
}

TEST("convolution gives the reference's codes, sums and outputs for any filter, stride, dilation and padding") {
  std::mt19937 random(2);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (int trial = 0; trial < 250; trial++) {
      const auto upTo = [&](size_t most) { return 1 + random() % most; };
      Shape s{upTo(3), upTo(20), upTo(40), random() % 2 ? 16 : 2 + random() % 40, upTo(3), upTo(70)};
      Window w{s.channelsPerCodebook * upTo(3),
               upTo(4),
               upTo(4),
               upTo(3),
               upTo(3),
               upTo(3),
               upTo(3),
               upTo(5) - 1,
               upTo(5) - 1,
               upTo(5) - 1,
               upTo(5) - 1};
      if (random() % 3 == 0) w.padTop = w.padLeft = w.padBottom = w.padRight = 0;
      if (random() % 3 == 0) w.strideHeight = w.strideWidth = 1;
      const size_t fits =
          outputExtent(s.height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom) *
          outputExtent(s.width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
      if (!fits || leftOut()) continue;
      checkConv(*kernels, random, workspace, w, s);
      if (s.K > 16) continue;
      checkConv(*kernels, random, workspace, w, s, LutConv::Read::kShuffle);
      checkConv(*kernels, random, workspace, w, s, LutConv::Read::kGather);
    }
}

TEST("images of more positions than a tile holds are computed tile by tile") {
  std::mt19937 random(3);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t stride : {1, 2}) {
      const Window w{2, 3, 3, stride, stride, 1, 1, 1, 1, 1, 1};
      checkConv(*kernels, random, workspace, w, {1, 97, 111, 16, 1, 3});
      checkConv(*kernels, random, workspace, w, {1, 97, 111, 17, 1, 3});
    }
}

TEST("a row of more positions than a tile holds is one tile") {
  std::mt19937 random(4);
  Workspace workspace;
  for (const Microkernels* kernels : availableMicrokernels())
    checkConv(*kernels, random, workspace, {1, 1, 3, 1, 1, 1, 1, 0, 1, 0, 1}, {1, 2, 5001, 16, 1, 2});
}

static std::atomic<int> encodeCalls, lookupCalls;

TEST("operators compute by the microkernels that they are given and by no others") {
  std::mt19937 random(5);
  Workspace workspace;
  Microkernels counting = kScalarMicrokernels;
  counting.encodeRows = [](const Codebooks& books, const float* x, size_t stride, size_t rows, uint8_t* codes) {
    encodeCalls++;
    kScalarMicrokernels.encodeRows(books, x, stride, rows, codes);
  };
  counting.lookupGather = [](const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
    lookupCalls++;
    kScalarMicrokernels.lookupGather(table, codes, rows, out);
  };
  counting.encodePositions = [](const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps,
                                size_t positions, uint8_t* codes) {
    encodeCalls++;
    kScalarMicrokernels.encodePositions(books, codebook, x, taps, positions, codes);
  };
  counting.lookupShuffle = [](const ShuffleTable& table, const uint8_t* codes, size_t stride, size_t positions,
                              const Output& out) {
    lookupCalls++;
    kScalarMicrokernels.lookupShuffle(table, codes, stride, positions, out);
  };
  checkMatMul(counting, random, workspace, 5, 2, 16, 4, 3);
  CHECK(encodeCalls == 6 && lookupCalls == 6, "%d, %d", encodeCalls.load(),
        lookupCalls.load());  // run, encode or lookup, and run again, twice
  checkConv(counting, random, workspace, {2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 5, 5, 16, 1, 3});
  CHECK(encodeCalls == 18 && lookupCalls == 12, "%d, %d", encodeCalls.load(), lookupCalls.load());
}
