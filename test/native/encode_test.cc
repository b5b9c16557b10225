// Codes of every instruction set, bit for bit, on sizes off every alignment and with inaccessible pages around.
#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>

#include "check.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

static const size_t kRows[] = {1, 2, 3, 5, 7, 16, 17, 31, 33};
static const size_t kCodebooks[] = {1, 2, 3, 5, 7};
static const size_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 18, 31, 32, 33};
static const size_t kCentroids[] = {2, 3, 15, 16, 17, 33, 255, 256};
static const Guard kGuards[] = {Guard::kAfter, Guard::kBefore};

/// Packed centroids, moved between inaccessible pages.
struct GuardedCodebooks {
  Guarded<float> centroids, halfNorms;
  Codebooks view;

  GuardedCodebooks(const RandomLayer& layer, Guard guard) : GuardedCodebooks(packed(layer), guard) {}

 private:
  static PackedCodebooks packed(const RandomLayer& layer) {
    PackedCodebooks books;
    books.pack(layer.centroids.data(), layer.numCodebooks, layer.numCentroids, layer.subvectorLength);
    return books;
  }
  GuardedCodebooks(const PackedCodebooks& books, Guard guard)
      : centroids(books.view().numCodebooks * books.view().numBlocks * books.view().subvectorLength * 16, guard),
        halfNorms(books.view().numCodebooks * books.view().numBlocks * 16, guard),
        view(books.view()) {
    std::copy_n(view.centroids, centroids.size(), centroids.data());
    std::copy_n(view.halfNorms, halfNorms.size(), halfNorms.data());
    view.centroids = centroids.data();
    view.halfNorms = halfNorms.data();
  }
};

static void checkRows(const Microkernels& kernels, std::mt19937& random, const RandomLayer& layer, size_t rows,
                      size_t gap, bool coarse) {
  const size_t C = layer.numCodebooks, D = C * layer.subvectorLength, stride = D + gap;
  const std::vector<float> x = randomFloats(random, rows * D, coarse);
  const std::vector<uint8_t> wanted = referenceEncode(layer, x.data(), rows);
  for (Guard guard : kGuards) {
    const GuardedCodebooks books(layer, guard);
    Guarded<float> spaced((rows - 1) * stride + D, guard);
    Guarded<uint8_t> codes(rows * C, guard);
    std::fill(spaced.begin(), spaced.end(), NAN);
    for (size_t n = 0; n < rows; n++) std::copy_n(x.data() + n * D, D, spaced.data() + n * stride);
    kernels.encodeRows(books.view, spaced.data(), stride, rows, codes.data());
    const size_t wrong =
        rows * C - static_cast<size_t>(std::inner_product(codes.begin(), codes.end(), wanted.begin(), size_t{0},
                                                          std::plus<>(), std::equal_to<>()));
    CHECK(wrong == 0, "%s: %zu of %zu codes differ (C %zu K %zu V %zu)", kernels.isa, wrong, rows * C, C,
          layer.numCentroids, layer.subvectorLength);
  }
}

static void checkPositions(const Microkernels& kernels, std::mt19937& random, const RandomLayer& layer,
                           size_t positions, bool coarse) {
  const size_t C = layer.numCodebooks, V = layer.subvectorLength;
  // Element v of all positions is a row of its own, so that reading past the last position meets the guard.
  const std::vector<float> x = randomFloats(random, V * positions, coarse);
  for (Guard guard : kGuards) {
    const GuardedCodebooks books(layer, guard);
    Guarded<float> planes(V * positions, guard);
    Guarded<uint8_t> codes(positions, guard);
    std::copy(x.begin(), x.end(), planes.begin());
    std::vector<ptrdiff_t> taps(V);
    for (size_t v = 0; v < V; v++) taps[v] = static_cast<ptrdiff_t>((V - 1 - v) * positions);
    for (size_t c = 0; c < C; c++) {
      kernels.encodePositions(books.view, c, planes.data(), taps.data(), positions, codes.data());
      size_t wrong = 0;
      std::vector<float> a(V);
      for (size_t n = 0; n < positions; n++) {
        for (size_t v = 0; v < V; v++) a[v] = planes[static_cast<size_t>(taps[v]) + n];
        const float* centroids = layer.centroids.data() + c * layer.numCentroids * V;
        wrong += codes[n] != referenceCode(a.data(), centroids, layer.numCentroids, V);
      }
      CHECK(wrong == 0, "%s: %zu of %zu codes differ (K %zu V %zu)", kernels.isa, wrong, positions, layer.numCentroids,
            V);
    }
  }
}

TEST("rows get the reference's codes on every instruction set") {
  std::mt19937 random(1);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t C : kCodebooks)
      for (size_t V : kLengths)
        for (size_t K : kCentroids) {
          if (leftOut()) continue;
          checkRows(*kernels, random, RandomLayer(random, C, K, V, 1), kRows[random() % std::size(kRows)], random() % 3,
                    false);
        }
}

TEST("positions get the reference's codes on every instruction set") {
  std::mt19937 random(2);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t positions : kRows)
      for (size_t V : kLengths)
        for (size_t K : kCentroids)
          if (!leftOut()) checkPositions(*kernels, random, RandomLayer(random, 2, K, V, 1), positions, false);
}

TEST("encode ties go to the lower index") {
  std::mt19937 random(3);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : kCentroids)
      for (size_t V : {1, 2, 3, 9}) {
        const RandomLayer layer(random, 2, K, static_cast<size_t>(V), 1, true);
        checkRows(*kernels, random, layer, 33, 0, true);
        checkPositions(*kernels, random, layer, 33, true);
      }
}

TEST("scores that differ by less than the kept bits tie, and the lower index wins") {
  for (const Microkernels* kernels : availableMicrokernels()) {
    // Two centroids whose scores lie less than 16 places apart: the second is larger, and loses.
    RandomLayer layer(*std::make_unique<std::mt19937>(4), 1, 2, 1, 1);
    layer.centroids = {1.0f, std::nextafter(1.0f, 2.0f)};
    PackedCodebooks books;
    books.pack(layer.centroids.data(), 1, 2, 1);
    const float near = 4.0f, far = 1e8f;
    uint8_t code = 9;
    kernels->encodeRows(books.view(), &near, 1, 1, &code);
    CHECK(code == 0, "%s: %d", kernels->isa, code);
    CHECK(referenceCode(&near, layer.centroids.data(), 2, 1) == 0, "the reference disagrees");
    kernels->encodeRows(books.view(), &far, 1, 1, &code);
    CHECK(code == referenceCode(&far, layer.centroids.data(), 2, 1), "%s: %d", kernels->isa, code);
  }
}

TEST("of centroids of zeros the lowest index wins, whatever the input's sign") {
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : {size_t{2}, size_t{16}, size_t{40}})
      for (float tiny : {0.0f, -0.0f, 1e-30f, -1e-30f}) {  // the last ones' norms are below what float32 holds
        const size_t V = 3;
        std::vector<float> centroids(K * V, -5.0f);
        for (size_t v = 0; v < V; v++) centroids[v] = 0, centroids[(K - 1) * V + v] = tiny;
        PackedCodebooks books;
        books.pack(centroids.data(), 1, K, V);
        const ptrdiff_t taps[] = {0, 1, 2};
        for (float sign : {1.0f, -1.0f}) {
          const float x[] = {sign * 1e-20f, sign * 0, sign * 1e-15f};
          uint8_t code = 255, position = 255;
          kernels->encodeRows(books.view(), x, V, 1, &code);
          kernels->encodePositions(books.view(), 0, x, taps, 1, &position);
          const int wanted = referenceCode(x, centroids.data(), K, V);
          CHECK(code == wanted && position == wanted, "%s: %d %d, not %d (K %zu, %g, sign %g)", kernels->isa, code,
                position, wanted, K, static_cast<double>(tiny), static_cast<double>(sign));
          if (tiny == 0) CHECK(wanted == 0, "the reference says %d", wanted);
        }
      }
}

TEST("codes of infinite, huge and NaN inputs stay below K") {
  std::mt19937 random(5);
  for (const Microkernels* kernels : availableMicrokernels())
    for (size_t K : kCentroids) {
      const RandomLayer layer(random, 1, K, 4, 1);
      PackedCodebooks books;
      books.pack(layer.centroids.data(), 1, K, 4);
      for (float odd : {INFINITY, -INFINITY, NAN, -NAN, 3e38f, -3e38f, 0.0f, -0.0f, 1e-42f}) {
        const float x[] = {odd, 1, odd, -1};
        const ptrdiff_t taps[] = {0, 1, 2, 3};
        uint8_t code = 255, position = 255;
        kernels->encodeRows(books.view(), x, 4, 1, &code);
        kernels->encodePositions(books.view(), 0, x, taps, 1, &position);
        CHECK(code < K && position < K, "%s: %d %d (K %zu, input %g)", kernels->isa, code, position, K,
              static_cast<double>(odd));
      }
    }
}
