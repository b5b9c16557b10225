#include "fronts/onnxruntime/lookup_variants.h"

#include "fronts/onnxruntime/onnxruntime_c.h"

namespace lutnn {

/// What may follow a lookup, as names say it.
struct Following {
  const char* name;
  bool add, relu, gelu;
};
constexpr Following kFollowing[] = {{"", false, false, false},
                                    {"Relu", false, true, false},
                                    {"Add", true, false, false},
                                    {"AddRelu", true, true, false},
                                    {"Gelu", false, false, true}};

static std::vector<LookupVariant> makeVariants() {
  std::vector<LookupVariant> made;
  const auto add = [&](bool isConv, bool isInteger, bool ofBytes, LookupResults results) {
    const std::string base =
        std::string(isConv ? "LutConv" : "LutMatMul") + (isInteger ? "Integer" : "") + (ofBytes ? "OfBytes" : "");
    const char* const behind = results == LookupResults::kFloats  ? ""
                               : results == LookupResults::kBytes ? "ToBytes"
                                                                  : "WithBytes";
    for (const Following& one : kFollowing)
      made.push_back({base + one.name + behind, isConv, isInteger, ofBytes, one.add, one.relu, one.gelu, results});
  };
  for (const bool isConv : {true, false}) {
    add(isConv, false, false, LookupResults::kFloats);
    for (const bool ofBytes : {false, true})
      for (const LookupResults results : {LookupResults::kFloats, LookupResults::kBytes, LookupResults::kBoth})
        add(isConv, true, ofBytes, results);
  }
  return made;
}

const std::vector<LookupVariant>& lookupVariants() {
  static const auto* all = new std::vector<LookupVariant>(makeVariants());
  return *all;
}

LookupPlaces placesOf(const LookupVariant& variant) {
  size_t next = 0;
  const auto place = [&](bool there) { return there ? next++ : kNowhere; };
  LookupPlaces places;
  places.x = place(true);
  places.inputScale = place(variant.isInteger && !variant.ofBytes);
  places.inputZeroPoint = place(variant.isInteger);
  places.centroids = place(true);
  places.halfNorms = place(variant.isInteger);
  places.table = place(true);
  places.scale = place(true);
  places.bias = place(true);
  places.residual = place(variant.add);
  places.resultScale = place(variant.toBytes());
  places.resultZeroPoint = place(variant.toBytes());
  places.count = next;
  return places;
}

int inputTypeOf(const LookupVariant& variant, size_t index) {
  const LookupPlaces places = placesOf(variant);
  if (index == places.table || (variant.isInteger && index == places.centroids)) return kOrtInt8;
  if (index == places.halfNorms) return kOrtInt32;
  const bool isByte =
      index == places.inputZeroPoint || index == places.resultZeroPoint || (variant.ofBytes && index == places.x);
  return isByte ? kOrtUint8 : kOrtFloat32;
}

int outputTypeOf(const LookupVariant& variant, size_t index) {
  const bool isByte = variant.results == LookupResults::kBytes || index == 1;
  return isByte ? kOrtUint8 : kOrtFloat32;
}

}  // namespace lutnn
