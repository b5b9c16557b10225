// The operators of layers by name, of lookups and of dense ones: what each computes, and where its inputs and outputs stand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

/// What becomes of a layer's result: float32, its bytes, or both, the float32 first.
enum class LayerResults { kFloats, kBytes, kBoth };

/// y = layer(x), then + residual, then negative results become 0 or all go through GELU, then perhaps the bytes of that.
struct LayerVariant {
  std::string name;
  bool isDense;  // a product of bytes; else lookups
  bool isConv;
  bool isInteger;  // of lookups: codes are defined in integers; dense layers are
  bool ofBytes;  // and x is their bytes
  bool ofCodes;  // x is codes, of matrix products by lookup
  bool add, relu, gelu;
  LayerResults results;

  bool toBytes() const { return results != LayerResults::kFloats; }
  size_t outputs() const { return results == LayerResults::kBoth ? 2 : 1; }
};

/// All of them. A name is LutConv or LutMatMul, or DenseConv or DenseMatMul; then where it is defined in integers, as dense ones
/// are, Integer or IntegerOfBytes, or of LutMatMul OfCodes; then Relu, Add, AddRelu or Gelu or none, and of those with Integer or
/// OfCodes at last ToBytes or WithBytes or none.
const std::vector<LayerVariant>& layerVariants();

/// Where the inputs of a node stand; kNowhere for those that it does not have.
struct LayerPlaces {
  size_t x, inputScale, inputZeroPoint, centroids, halfNorms, table, weights, scale, bias, residual, resultScale,
      resultZeroPoint;
  size_t count;
};
LayerPlaces placesOf(const LayerVariant& variant);

/// ONNX Runtime's numbers for the types of a variant's inputs and outputs.
int inputTypeOf(const LayerVariant& variant, size_t index);
int outputTypeOf(const LayerVariant& variant, size_t index);

}  // namespace lutnn
