// Differential fuzzing: microkernels and operators of an instruction set on random shapes, strides, tails and
// misalignments against the plain loops of reference.h, or against the scalar file where those have no loop.
//   fuzz <cases> <first seed> [isa]
// Case i is drawn from seed + i alone, which is what a failure prints: fuzz 1 <seed> <isa> repeats it.
// Inaccessible pages lie on both ends of the memory of every array that the code under test reads or writes; an array
// touches one of them, and a pattern fills the gap to the other.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/thread_pool.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

namespace {

/// Multiply-adds or lookups of the reference in one case, so that a million cases take minutes.
constexpr size_t kMostWork = 60000;

class Case {
 public:
  Case(const Microkernels& kernels, uint32_t seed) : kernels_(kernels), random_(seed) {}

  /// What differs, or nothing.
  std::string run() {
    static constexpr void (Case::* kKinds[])() = {
        &Case::encodeRows, &Case::encodePositions, &Case::lookupShuffle, &Case::lookupGather, &Case::finishTransposed,
        &Case::steps,      &Case::encodeInt8,      &Case::encodeTree,    &Case::matMul,       &Case::conv};
    (this->*kKinds[random_() % std::size(kKinds)])();
    for (size_t i = 0; i < used_; i++)
      if (!rooms()[i].untouched()) fail("wrote beside an array");
    return failure_;
  }

 private:
  // Drawing

  size_t below(size_t n) { return random_() % n; }
  bool chance(size_t of) { return below(of) == 0; }
  /// 1 … most: often small, often beside a multiple of a vector's lanes.
  size_t size(size_t most) {
    size_t drawn = 1 + below(most);
    if (chance(2)) drawn = 1 + below(5);
    else if (chance(2)) drawn = (size_t{4} << below(5)) * (1 + below(3)) + below(3) - 1;
    return std::min(drawn, most);
  }
  size_t centroids() { return chance(2) ? 16 : chance(2) ? 2 + below(15) : 2 + below(255); }
  size_t length() {
    static constexpr size_t kCommon[] = {4, 8, 9, 16, 18, 32};
    return chance(2) ? kCommon[below(std::size(kCommon))] : size(40);
  }
  /// Halves the largest of them until their product is at most `work`.
  static void shrink(size_t work, std::initializer_list<size_t*> sizes) {
    for (;;) {
      size_t product = 1, *largest = *sizes.begin();
      for (size_t* each : sizes) {
        product *= *each;
        if (*each > *largest) largest = each;
      }
      if (product <= work) return;
      *largest = (*largest + 1) / 2;
    }
  }
  /// Normal; or few values, which tie; or tiny and huge ones.
  std::vector<float> floats(size_t count) {
    std::vector<float> values = randomFloats(random_, count, chance(3));
    if (!chance(4)) return values;
    const float scale = std::ldexp(1.0f, static_cast<int>(below(100)) - 50);
    for (float& value : values) value *= scale;
    return values;
  }
  RandomLayer layer(size_t C, size_t K, size_t V, size_t M) {
    RandomLayer drawn(random_, C, K, V, M, chance(3));
    const int bound = 128 >> below(6);
    const bool lowest = chance(16), highest = chance(16);  // sums as large as they get
    for (int8_t& entry : drawn.lookupTable)
      entry = static_cast<int8_t>(lowest ? -bound : highest ? bound - 1 : entry % bound);
    return drawn;
  }

  // Memory

  static GuardedRoom* rooms() {
    static constexpr size_t kRoom = size_t{1} << 21;
    static GuardedRoom all[] = {GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom),
                                GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom),
                                GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom), GuardedRoom(kRoom)};
    return all;
  }
  template <class T>
  T* place(size_t count) {
    return rooms()[used_++].place<T>(count, chance(2) ? Guard::kAfter : Guard::kBefore);
  }
  template <class T>
  T* copy(const T* from, size_t count) {
    return std::copy_n(from, count, place<T>(count)) - count;
  }
  template <class T>
  T* copy(const std::vector<T>& from) {
    return copy(from.data(), from.size());
  }
  Codebooks guarded(const PackedCodebooks& books) {
    Codebooks view = books.view();
    const size_t blocks = view.numCodebooks * view.numBlocks;
    view.centroids = copyAligned(view.centroids, blocks * view.subvectorLength * 16);
    view.halfNorms = copyAligned(view.halfNorms, blocks * 16);
    return view;
  }
  /// Of whole cache lines, so that either edge aligns it.
  template <class T>
  T* copyAligned(const T* from, size_t count) {
    return copy(from, count);
  }

  // Comparing

  void fail(const std::string& what) {
    if (failure_.empty()) failure_ = kind_ + ": " + what;
  }
  void describe(const char* kind, std::initializer_list<std::pair<const char*, size_t>> sizes) {
    kind_ = kind;
    for (const auto& [name, value] : sizes) kind_ += std::string(" ") + name + " " + std::to_string(value);
  }
  template <class T>
  void compare(const char* what, const T* got, const std::vector<T>& wanted) {
    size_t wrong = 0;
    for (size_t i = 0; i < wanted.size(); i++) wrong += std::memcmp(got + i, &wanted[i], sizeof(T)) != 0;
    if (wrong) fail(std::to_string(wrong) + " of " + std::to_string(wanted.size()) + " " + what + " differ");
  }
  /// Runs `lookup` once, for sums or for outputs with or without residual and ReLU.
  template <class Order>
  void compareOutput(const RandomLayer& layer, const std::vector<int32_t>& sums, size_t stride,
                     const std::function<void(const Output&)>& lookup, Order order) {
    if (chance(3)) {
      int32_t* got = place<int32_t>(sums.size());
      lookup(sumsOutput(got, stride));
      return compare("sums", got, order(sums));
    }
    const PackedScale scale(layer.tableScale.data(), layer.bias.data(), layer.outputs);
    std::vector<float> wanted = order(referenceOutputs(layer, sums));
    const bool relu = chance(2), inPlace = chance(2);
    float* residual = nullptr;
    if (chance(2)) {
      const std::vector<float> values = floats(wanted.size());
      residual = copy(values);
      for (size_t i = 0; i < wanted.size(); i++) wanted[i] += values[i];
    }
    for (float& value : wanted) value = relu && value < 0 ? 0 : value;
    float* got = residual && inPlace ? residual : place<float>(wanted.size());
    lookup(scale.output(got, stride, {residual, relu}));
    compare("outputs", got, wanted);
  }

  // Kinds

  void encodeRows() {
    size_t N = size(70), C = size(12), K = centroids(), V = length(), gap = chance(2) ? 0 : size(20);
    shrink(kMostWork / K, {&N, &C, &V});
    describe("encodeRows", {{"N", N}, {"C", C}, {"K", K}, {"V", V}, {"gap", gap}});
    const RandomLayer drawn = layer(C, K, V, 1);
    const size_t D = C * V, stride = D + gap;
    const std::vector<float> x = floats(N * D);
    float* rows = place<float>((N - 1) * stride + D);
    for (size_t n = 0; n < N; n++) std::copy_n(x.data() + n * D, D, rows + n * stride);
    PackedCodebooks books;
    books.pack(drawn.centroids.data(), C, K, V);
    const Codebooks view = guarded(books);
    uint8_t* codes = place<uint8_t>(N * C);
    kernels_.encodeRows(view, rows, stride, N, codes);
    compare("codes", codes, referenceEncode(drawn, x.data(), N));
  }

  void encodePositions() {
    size_t N = size(150), C = size(4), K = centroids(), V = length();
    shrink(kMostWork / K, {&N, &C, &V});
    describe("encodePositions", {{"N", N}, {"C", C}, {"K", K}, {"V", V}});
    const RandomLayer drawn = layer(C, K, V, 1);
    const size_t span = 1 + below(2 * N + 40);  // where the first position's elements lie
    std::vector<ptrdiff_t> taps(V);
    for (ptrdiff_t& tap : taps) tap = static_cast<ptrdiff_t>(below(span));
    taps[below(V)] = 0;
    taps[below(V)] = static_cast<ptrdiff_t>(span - 1);
    const size_t reach = static_cast<size_t>(*std::max_element(taps.begin(), taps.end())) + N;
    const std::vector<float> plane = floats(reach);
    const float* x = copy(plane);
    const ptrdiff_t* places = copy(taps);
    PackedCodebooks books;
    books.pack(drawn.centroids.data(), C, K, V);
    const Codebooks view = guarded(books);
    const size_t c = below(C);
    uint8_t* codes = place<uint8_t>(N);
    kernels_.encodePositions(view, c, x, places, N, codes);
    std::vector<uint8_t> wanted(N);
    std::vector<float> a(V);
    for (size_t n = 0; n < N; n++) {
      for (size_t v = 0; v < V; v++) a[v] = plane[static_cast<size_t>(taps[v]) + n];
      wanted[n] = referenceCode(a.data(), drawn.centroids.data() + c * K * V, K, V);
    }
    compare("codes", codes, wanted);
  }

  std::vector<uint8_t> drawCodes(size_t count, size_t K) {
    std::vector<uint8_t> codes(count);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(below(K));
    return codes;
  }

  void lookupShuffle() {
    size_t N = size(200), C = chance(8) ? size(2000) : size(40), K = 2 + below(15), M = size(140);
    shrink(kMostWork, {&N, &C, &M});
    describe("lookupShuffle", {{"N", N}, {"C", C}, {"K", K}, {"M", M}});
    const RandomLayer drawn = layer(C, K, 1, M);
    const std::vector<uint8_t> codes = drawCodes(N * C, K);
    const PackedTable table(kernels_, drawn.lookup(), PackedTable::Order::kShuffle);
    const size_t G = kernels_.groupCodebooks, groups = (C + G - 1) / G;
    const size_t stride = (roundUp(N, 16) + below(40)) * G;
    uint8_t* grouped = place<uint8_t>((groups - 1) * stride + roundUp(N, 16) * G);
    for (size_t group = 0; group < groups; group++) {
      const size_t count = std::min(G, C - group * G), gap = below(20);
      std::vector<uint8_t> some((count - 1) * (N + gap) + N);
      for (size_t g = 0; g < count; g++)
        for (size_t n = 0; n < N; n++) some[g * (N + gap) + n] = codes[n * C + group * G + g];
      if (G == 1) std::copy(some.begin(), some.end(), grouped + group * stride);
      else kernels_.groupCodes(some.data(), N + gap, count, N, grouped + group * stride);
    }
    ShuffleTable view = table.shuffle();
    view.entries = copyAligned(view.entries, table.bytes());
    compareOutput(
        drawn, referenceSums(drawn, codes.data(), N), N,
        [&](const Output& out) { kernels_.lookupShuffle(view, grouped, stride, N, out); },
        [&](const auto& rows) { return toChannelsFirst(rows, 1, N, M); });
  }

  void lookupGather() {
    size_t N = size(40), C = chance(8) ? size(2000) : size(40), K = centroids(), M = size(300);
    shrink(kMostWork, {&N, &C, &M});
    shrink((size_t{1} << 20) / roundUp(M, 64), {&K, &C});
    K = std::max<size_t>(K, 2);
    describe("lookupGather", {{"N", N}, {"C", C}, {"K", K}, {"M", M}});
    const RandomLayer drawn = layer(C, K, 1, M);
    const std::vector<uint8_t> codes = drawCodes(N * C, K);
    const PackedTable table(kernels_, drawn.lookup(), PackedTable::Order::kGather);
    GatherTable view = table.gather();
    view.entries = copyAligned(view.entries, table.bytes());
    const uint8_t* rows = copy(codes);
    compareOutput(
        drawn, referenceSums(drawn, codes.data(), N), M,
        [&](const Output& out) { kernels_.lookupGather(view, rows, N, out); }, [](const auto& sums) { return sums; });
  }

  void finishTransposed() {
    size_t N = size(150), M = size(150);
    describe("finishTransposed", {{"N", N}, {"M", M}});
    const RandomLayer drawn = layer(1, 2, 1, M);
    std::vector<int32_t> sums(N * M);
    for (int32_t& sum : sums) sum = static_cast<int32_t>(random_()) >> below(16);
    const int32_t* from = copy(sums);
    compareOutput(
        drawn, sums, N, [&](const Output& out) { kernels_.finishTransposed(from, N, M, out); },
        [&](const auto& rows) { return toChannelsFirst(rows, 1, N, M); });
  }

  /// The steps before encoding.
  void steps() {
    const size_t N = size(200), rows = 1 + below(4), stride = N + below(9);
    describe("steps", {{"N", N}, {"rows", rows}, {"stride", stride}});
    const std::vector<float> values = floats(2 * N);
    const size_t few = 1 + below(std::min<size_t>(N, 40)), xStride = 2 * few - 1 + below(9), yStride = few + below(9);
    const std::vector<float> lines = floats((rows - 1) * xStride + 2 * few - 1);
    const std::vector<float> before = floats((rows - 1) * yStride + few);
    float* second = copy(before);
    kernels_.copyEverySecond({copy(lines), xStride, second, yStride, rows, few});
    std::vector<float> halved = before;
    for (size_t r = 0; r < rows; r++)
      for (size_t n = 0; n < few; n++) halved[r * yStride + n] = lines[r * xStride + 2 * n];
    compare("of every second", second, halved);

    const MicrokernelsInt8 &int8 = *kernels_.int8, &plain = kScalarMicrokernelsInt8;
    const std::vector<float> some(values.begin(), values.begin() + static_cast<ptrdiff_t>(N));
    const float* input = copy(some);
    const float largest = plain.largest(some.data(), N);
    if (int8.largest(input, N) != largest) fail("another largest");
    const float scale = largest > 0 ? 127 / largest : 1;
    uint8_t* q = place<uint8_t>(N);
    int8.quantize(input, N, scale, q);
    std::vector<uint8_t> bytes(N), quads(4 * N);
    plain.quantize(some.data(), N, scale, bytes.data());
    compare("of quantize", q, bytes);
    const uint8_t zeroPoint = static_cast<uint8_t>(chance(2) ? 128 * below(2) : below(256));
    int8.quantizeBy(input, N, 1 / scale, zeroPoint, q);
    for (size_t n = 0; n < N; n++) bytes[n] = static_cast<uint8_t>(referenceByte(some[n], 1 / scale, zeroPoint));
    compare("of quantizeBy", q, bytes);
    bytes.resize(N + 3);
    plain.spread(bytes.data(), N, quads.data());
    uint8_t* got = place<uint8_t>(4 * N);
    int8.spread(copy(bytes), N, got);
    compare("of spread", got, quads);
    std::vector<uint8_t> planes((rows - 1) * stride + N);
    for (uint8_t& byte : planes) byte = static_cast<uint8_t>(below(256));
    plain.interleave(planes.data(), stride, rows, N, quads.data());
    int8.interleave(copy(planes), stride, rows, N, got);
    compare("of interleave", got, quads);
  }

  void encodeInt8() {
    size_t N = size(80), C = size(4), K = centroids(), V = length();
    shrink(kMostWork / K, {&N, &C, &V});
    describe("encodeInt8", {{"N", N}, {"C", C}, {"K", K}, {"V", V}});
    const RandomLayer drawn = layer(C, K, V, 1);
    PackedCodebooksInt8 books;
    books.pack(drawn.centroids.data(), C, K, V, rowQuads(V));
    CodebooksInt8 view = books.view();
    const size_t Q = view.numQuads, blocks = C * view.numBlocks;
    view.weights = copyAligned(view.weights, blocks * Q * 64);
    view.halfNorms = copyAligned(view.halfNorms, blocks * 16);
    view.offsets = copyAligned(view.offsets, blocks * 16);
    std::vector<uint8_t> quads(N * C * Q * 4);
    for (uint8_t& byte : quads) byte = static_cast<uint8_t>(below(256));
    if (chance(4)) {  // products as large as they get, with any signs
      for (uint8_t& byte : quads) byte = chance(2) ? 0 : 255;
      std::vector<int8_t> weights(blocks * Q * 64);
      for (int8_t& weight : weights) weight = chance(2) ? -127 : 127;
      std::vector<int32_t> offsets(blocks * 16, 0);
      for (size_t i = 0; i < weights.size(); i++) offsets[i / (Q * 64) * 16 + i / 4 % 16] -= 128 * weights[i];
      view.weights = copyAligned(weights.data(), weights.size());
      view.offsets = copyAligned(offsets.data(), offsets.size());
    }
    const uint8_t* in = copy(quads);
    if (chance(2)) {
      std::vector<float> scales(N);
      for (float& scale : scales) scale = books.inputScale(std::fabs(randomFloats(random_, 1)[0]));
      uint8_t* codes = place<uint8_t>(N * C);
      std::vector<uint8_t> wanted(N * C);
      kernels_.int8->encodeRows(view, in, copy(scales), N, codes);
      kScalarMicrokernelsInt8.encodeRows(view, quads.data(), scales.data(), N, wanted.data());
      return compare("codes", codes, wanted);
    }
    std::vector<ptrdiff_t> taps(Q);
    for (ptrdiff_t& tap : taps) tap = static_cast<ptrdiff_t>(below(N * C * Q - N + 1));
    const size_t c = below(C);
    const float scale = books.inputScale(1);
    uint8_t* codes = place<uint8_t>(N);
    std::vector<uint8_t> wanted(N);
    kernels_.int8->encodePositions(view, c, in, copy(taps), scale, N, codes);
    kScalarMicrokernelsInt8.encodePositions(view, c, quads.data(), taps.data(), scale, N, wanted.data());
    compare("codes", codes, wanted);
  }

  /// By microkernels and by operators, against plain descent.
  void encodeTree() {
    size_t N = size(150), C = size(6), V = length();
    shrink(kMostWork / 16, {&N, &C, &V});
    describe("encodeTree", {{"N", N}, {"C", C}, {"V", V}});
    RandomLayer drawn = layer(C, 16, V, 2);
    const std::vector<float> x = floats(N * C * V), some = floats(C * 15);
    std::vector<int32_t> dimensions(C * kTreeLevels);
    for (int32_t& dimension : dimensions) dimension = static_cast<int32_t>(below(V));
    Lookup lookup = drawn.lookup();
    lookup.treeDimensions = dimensions.data();
    lookup.treeThresholds = some.data();
    std::vector<uint8_t> wanted(N * C);
    for (size_t n = 0; n < N; n++)
      for (size_t c = 0; c < C; c++) {
        size_t heap = 0;  // children of i are 2 i + 1 and 2 i + 2
        for (size_t level = 0; level < 4; level++)
          heap = 2 * heap + 1 +
                 (x[(n * C + c) * V + static_cast<size_t>(dimensions[c * 4 + level])] > some[c * 15 + heap]);
        wanted[n * C + c] = static_cast<uint8_t>(heap - 15);
      }
    const LutMatMul op(kernels_, lookup, Encoding::kTree);
    uint8_t* codes = place<uint8_t>(N * C);
    op.encode(copy(x), N, codes, workspace());
    compare("codes of rows", codes, wanted);

    // Rows as positions: element v of all rows side by side.
    PackedTrees trees;
    trees.pack(lookup);
    const size_t c = below(C);
    std::vector<float> planes(V * N);
    std::vector<ptrdiff_t> taps(V);
    std::vector<uint8_t> book(N);
    for (size_t v = 0; v < V; v++) taps[v] = static_cast<ptrdiff_t>(v * N);
    for (size_t n = 0; n < N; n++) {
      for (size_t v = 0; v < V; v++) planes[v * N + n] = x[(n * C + c) * V + v];
      book[n] = wanted[n * C + c];
    }
    uint8_t* positions = place<uint8_t>(N);
    kernels_.encodePositionsTree(trees.view(), c, copy(planes), copy(taps), N, positions);
    compare("codes of positions", positions, book);
  }

  Encoding anEncoding(size_t V) {
    if (chance(3)) return Encoding::kInt8;
    return V <= kMaxLengthInteger && chance(3) ? Encoding::kInteger : Encoding::kFloat32;
  }

  Workspace& workspace() {
    static Workspace kept;
    return kept;
  }

  void matMul() {
    size_t N = chance(20) ? size(300) : size(40), C = size(12), K = centroids(), V = length(), M = size(300);
    shrink(kMostWork / K, {&N, &C, &V});
    shrink(kMostWork, {&M, &N});
    shrink(kMostWork, {&C, &M, &N});
    const Encoding encoding = anEncoding(V);
    const size_t threads = 1 + below(3);
    describe("LutMatMul", {{"N", N},
                           {"C", C},
                           {"K", K},
                           {"V", V},
                           {"M", M},
                           {"encoding", static_cast<size_t>(encoding)},
                           {"threads", threads}});
    const RandomLayer drawn = layer(C, K, V, M);
    const RandomIntegers integers(random_, drawn, chance(3));
    const LutMatMul op(kernels_, encoding == Encoding::kInteger ? integers.lookup(drawn) : drawn.lookup(), encoding);
    const std::vector<float> x = floats(N * C * V);
    const float* in = copy(x);
    uint8_t* codes = place<uint8_t>(N * C);
    op.encode(in, N, codes, workspace());
    std::vector<uint8_t> wanted(N * C);
    if (encoding == Encoding::kInt8)
      LutMatMul(kScalarMicrokernels, drawn.lookup(), encoding).encode(x.data(), N, wanted.data(), workspace());
    else if (encoding == Encoding::kInteger) wanted = referenceEncodeIntegers(drawn, integers, x.data(), N);
    else wanted = referenceEncode(drawn, x.data(), N);
    compare("codes", codes, wanted);
    const std::vector<int32_t> sums = referenceSums(drawn, wanted.data(), N);
    PoolExecutor executor(threads);
    compareOutput(
        drawn, sums, M,
        [&](const Output& out) {
          if (out.sums) op.lookup(codes, N, out.sums);
          else op.run(in, N, out.y, {out.residual, out.floor == 0}, workspace(), executor);
        },
        [](const auto& rows) { return rows; });
  }

  void conv() {
    size_t channels = size(3), C = size(5), batch = size(3), height = size(30), width = size(60);
    size_t K = centroids(), M = size(100);
    const bool pads = chance(2), strides = chance(2), dilates = chance(2);
    const auto pad = [&] { return pads ? below(4) : 0; };
    const size_t filterHeight = 1 + below(4), filterWidth = 1 + below(4), V = channels * filterHeight * filterWidth;
    Window w{0,
             filterHeight,
             filterWidth,
             strides ? 1 + below(3) : 1,
             strides ? 1 + below(3) : 1,
             dilates ? 1 + below(3) : 1,
             dilates ? 1 + below(3) : 1,
             pad(),
             pad(),
             pad(),
             pad()};
    const Encoding encoding = anEncoding(V);
    shrink(kMostWork / K / V * w.strideHeight * w.strideWidth + 1, {&batch, &C, &height, &width});
    w.inputChannels = channels * C;
    const size_t outputHeight =
        outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
    const size_t outputWidth =
        outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
    const size_t plane = outputHeight * outputWidth, positions = batch * plane, threads = 1 + below(3);
    const auto read = K > 16 || chance(3) ? LutConv::Read::kFastest
                      : chance(2)         ? LutConv::Read::kGather
                                          : LutConv::Read::kShuffle;
    describe("LutConv", {{"batch", batch},
                         {"channels", w.inputChannels},
                         {"height", height},
                         {"width", width},
                         {"filter", w.filterHeight},
                         {"by", w.filterWidth},
                         {"stride", w.strideHeight},
                         {"by", w.strideWidth},
                         {"dilation", w.dilationHeight},
                         {"by", w.dilationWidth},
                         {"top", w.padTop},
                         {"left", w.padLeft},
                         {"bottom", w.padBottom},
                         {"right", w.padRight},
                         {"K", K},
                         {"V", V},
                         {"M", M},
                         {"encoding", static_cast<size_t>(encoding)},
                         {"threads", threads},
                         {"read", static_cast<size_t>(read)}});
    if (positions == 0) return;
    const RandomLayer drawn = layer(C, K, V, M);
    const RandomIntegers integers(random_, drawn, chance(3));
    const LutConv op(kernels_, encoding == Encoding::kInteger ? integers.lookup(drawn) : drawn.lookup(), w, encoding,
                     read);
    const ConvPlan plan = op.plan(height, width);
    if (plan.outputHeight() != outputHeight || plan.outputWidth() != outputWidth) return fail("another output size");
    const std::vector<float> x = floats(batch * w.inputChannels * height * width);
    const float* in = copy(x);
    uint8_t* codes = place<uint8_t>(positions * C);
    op.encode(plan, in, batch, codes, workspace());
    std::vector<uint8_t> wanted(positions * C);
    const auto windows = referenceWindows(w, x.data(), batch, height, width, outputHeight, outputWidth);
    if (encoding == Encoding::kInt8) {
      const LutConv scalar(kScalarMicrokernels, drawn.lookup(), w, encoding);
      scalar.encode(scalar.plan(height, width), x.data(), batch, wanted.data(), workspace());
    } else if (encoding == Encoding::kInteger) {
      wanted = referenceEncodeIntegers(drawn, integers, windows.data(), positions);
    } else {
      wanted = referenceEncode(drawn, windows.data(), positions);
    }
    compare("codes", codes, wanted);
    const std::vector<int32_t> sums = referenceSums(drawn, wanted.data(), positions);
    if (chance(4)) {
      int32_t* got = place<int32_t>(sums.size());
      op.lookup(codes, positions, got, workspace());
      return compare("sums", got, sums);
    }
    PoolExecutor executor(threads);
    compareOutput(
        drawn, sums, plane,
        [&](const Output& out) {
          if (out.sums) op.lookup(codes, positions, out.sums, workspace());
          else op.run(plan, in, batch, out.y, {out.residual, out.floor == 0}, workspace(), executor);
        },
        [&](const auto& rows) {
          // Sums come as rows, outputs as planes.
          using Rows = std::decay_t<decltype(rows)>;
          if constexpr (std::is_same_v<Rows, std::vector<int32_t>>) return rows;
          else return toChannelsFirst(rows, batch, plane, M);
        });
  }

  const Microkernels& kernels_;
  std::mt19937 random_;
  size_t used_ = 0;
  std::string kind_, failure_;
};

/// What runs, for the line that a crash leaves behind.
const char* runningIsa = "";
uint32_t runningSeed = 0;

void onCrash(int number) {
  std::fprintf(stderr, "%s, seed %u: signal %d, most likely memory beside an array was touched\n", runningIsa,
               runningSeed, number);
  std::_Exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "fuzz <cases> <first seed> [isa]\n");
    return 2;
  }
  const auto cases = static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10));
  const auto first = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  std::signal(SIGSEGV, onCrash);
  std::signal(SIGBUS, onCrash);
  size_t failures = 0;
  for (const Microkernels* kernels : availableMicrokernels()) {
    if (argc > 3 && std::string(kernels->isa) != argv[3]) continue;
    for (uint32_t i = 0; i < cases; i++) {
      runningIsa = kernels->isa;
      runningSeed = first + i;
      const std::string failure = Case(*kernels, first + i).run();
      if (failure.empty()) continue;
      std::fprintf(stderr, "%s, seed %u: %s\n", kernels->isa, first + i, failure.c_str());
      if (++failures == 20) return 1;
    }
    std::printf("%s: %u cases from seed %u\n", kernels->isa, cases, first);
    std::fflush(stdout);
  }
  return failures ? 1 : 0;
}
