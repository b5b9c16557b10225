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
  const auto add = [&](LayerVariant variant) {
    const std::string base = std::string(variant.isDense ? "Dense" : "Lut") + (variant.isConv ? "Conv" : "MatMul") +
                             (variant.isInteger ? "Integer" : "") + (variant.ofBytes ? "OfBytes" : "") +
                             (variant.ofCodes ? "OfCodes" : "");
    const char* const behind = variant.results == LayerResults::kFloats  ? ""
                               : variant.results == LayerResults::kBytes ? "ToBytes"
                                                                         : "WithBytes";
    for (const Following& one : kFollowing) {
      variant.name = base + one.name + behind;
      variant.add = one.add, variant.relu = one.relu, variant.gelu = one.gelu;
      made.push_back(variant);
    }
  };
  constexpr LayerResults kResults[] = {LayerResults::kFloats, LayerResults::kBytes, LayerResults::kBoth};
  for (const bool isDense : {false, true})
    for (const bool isConv : {true, false}) {
      if (!isDense) add({.isDense = isDense, .isConv = isConv});
      for (const bool ofBytes : {false, true})
        for (const LayerResults results : kResults)
          add({.isDense = isDense, .isConv = isConv, .isInteger = true, .ofBytes = ofBytes, .results = results});
    }
  for (const LayerResults results : kResults) add({.ofCodes = true, .results = results});
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
  places.centroids = place(!variant.isDense && !variant.ofCodes);
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
  const bool isByte = index == places.inputZeroPoint || index == places.resultZeroPoint ||
                      ((variant.ofBytes || variant.ofCodes) && index == places.x);
  return isByte ? kOrtUint8 : kOrtFloat32;
}

int outputTypeOf(const LayerVariant& variant, size_t index) {
  const bool isByte = variant.results == LayerResults::kBytes || index == 1;
  return isByte ? kOrtUint8 : kOrtFloat32;
}

}  // namespace lutnn
