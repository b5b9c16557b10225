#include "fronts/onnxruntime/layer_variants.h"

#include "fronts/onnxruntime/onnxruntime_c.h"

namespace lutnn {

/// What may follow a layer, as names say it.
struct Following {
  const char* name;
  bool add, relu, gelu;
};
constexpr Following kFollowing[] = {{"", false, false, false},
                                    {"Relu", false, true, false},
                                    {"Add", true, false, false},
                                    {"AddRelu", true, true, false},
                                    {"Gelu", false, false, true}};

static std::vector<LayerVariant> makeVariants() {
  std::vector<LayerVariant> made;
  const auto add = [&](bool isDense, bool isConv, bool isInteger, bool ofBytes, LayerResults results) {
    const std::string base = std::string(isDense ? "Dense" : "Lut") + (isConv ? "Conv" : "MatMul") +
                             (isInteger ? "Integer" : "") + (ofBytes ? "OfBytes" : "");
    const char* const behind = results == LayerResults::kFloats  ? ""
                               : results == LayerResults::kBytes ? "ToBytes"
                                                                 : "WithBytes";
    for (const Following& one : kFollowing)
      made.push_back(
          {base + one.name + behind, isDense, isConv, isInteger, ofBytes, one.add, one.relu, one.gelu, results});
  };
  for (const bool isDense : {false, true})
    for (const bool isConv : {true, false}) {
      if (!isDense) add(isDense, isConv, false, false, LayerResults::kFloats);
      for (const bool ofBytes : {false, true})
        for (const LayerResults results : {LayerResults::kFloats, LayerResults::kBytes, LayerResults::kBoth})
          add(isDense, isConv, true, ofBytes, results);
    }
  return made;
}

const std::vector<LayerVariant>& layerVariants() {
  static const auto* all = new std::vector<LayerVariant>(makeVariants());
  return *all;
}

LayerPlaces placesOf(const LayerVariant& variant) {
  size_t next = 0;
  const auto place = [&](bool there) { return there ? next++ : kNowhere; };
  LayerPlaces places;
  places.x = place(true);
  places.inputScale = place(variant.isInteger && !variant.ofBytes);
  places.inputZeroPoint = place(variant.isInteger);
  places.centroids = place(!variant.isDense);
  places.halfNorms = place(!variant.isDense && variant.isInteger);
  places.table = place(!variant.isDense);
  places.weights = place(variant.isDense);
  places.scale = place(true);
  places.bias = place(true);
  places.residual = place(variant.add);
  places.resultScale = place(variant.toBytes());
  places.resultZeroPoint = place(variant.toBytes());
  places.count = next;
  return places;
}

int inputTypeOf(const LayerVariant& variant, size_t index) {
  const LayerPlaces places = placesOf(variant);
  if (index == places.table || index == places.weights || (variant.isInteger && index == places.centroids))
    return kOrtInt8;
  if (index == places.halfNorms) return kOrtInt32;
  const bool isByte =
      index == places.inputZeroPoint || index == places.resultZeroPoint || (variant.ofBytes && index == places.x);
  return isByte ? kOrtUint8 : kOrtFloat32;
}

int outputTypeOf(const LayerVariant& variant, size_t index) {
  const bool isByte = variant.results == LayerResults::kBytes || index == 1;
  return isByte ? kOrtUint8 : kOrtFloat32;
}

}  // namespace lutnn
