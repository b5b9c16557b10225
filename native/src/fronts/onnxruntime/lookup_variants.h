// The lookup operators by name: what each computes, and where its inputs and outputs stand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

/// What becomes of a lookup's result: float32, its bytes, or both, the float32 first.
enum class LookupResults { kFloats, kBytes, kBoth };

/// y = lookup(x), then + residual, then negative results become 0 or all go through GELU, then perhaps the bytes of that.
struct LookupVariant {
  std::string name;
  bool isConv;
  bool isInteger;  // its codes are defined in integers
  bool ofBytes;  // and x is their bytes
  bool add, relu, gelu;
  LookupResults results;

  bool toBytes() const { return results != LookupResults::kFloats; }
  size_t outputs() const { return results == LookupResults::kBoth ? 2 : 1; }
};

/// All of them. A name is LutConv or LutMatMul, then for codes that are defined in integers Integer or IntegerOfBytes, then
/// Relu, Add, AddRelu or Gelu or none, and of Integer's at last ToBytes or WithBytes or none.
const std::vector<LookupVariant>& lookupVariants();

/// Where the inputs of a node stand; kNowhere for those that it does not have.
struct LookupPlaces {
  size_t x, inputScale, inputZeroPoint, centroids, halfNorms, table, scale, bias, residual, resultScale,
      resultZeroPoint;
  size_t count;
};
LookupPlaces placesOf(const LookupVariant& variant);

/// ONNX Runtime's numbers for the types of a variant's inputs and outputs.
int inputTypeOf(const LookupVariant& variant, size_t index);
int outputTypeOf(const LookupVariant& variant, size_t index);

}  // namespace lutnn
