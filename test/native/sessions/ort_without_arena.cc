// The ONNX Runtime library that LUTNN_ORT_LIBRARY names, with sessions whose tensors have memory of their own each: in place of
// its arena a sanitizer sees where each ends.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fronts/onnxruntime/onnxruntime_c.h"

namespace {

constexpr int kCreateSessionOptions = 10, kDisableMemPattern = 17, kDisableCpuMemArena = 19;
constexpr size_t kEntries = 280;  // of version 18 those that we call, and more

using Make = OrtStatus* (*)(OrtSessionOptions**);
using Change = OrtStatus* (*)(OrtSessionOptions*);

const OrtApiBase* real = nullptr;
const void* const* realTable = nullptr;

OrtStatus* createSessionOptions(OrtSessionOptions** options) {
  const auto make = reinterpret_cast<Make>(const_cast<void*>(realTable[kCreateSessionOptions]));
  if (OrtStatus* status = make(options)) return status;
  for (int place : {kDisableMemPattern, kDisableCpuMemArena})
    if (OrtStatus* status = reinterpret_cast<Change>(const_cast<void*>(realTable[place]))(*options)) return status;
  return nullptr;
}

const void* const* tableOf(uint32_t version) {
  static std::vector<const void*> table;
  realTable = real->GetApi(version);
  if (!realTable) return nullptr;
  table.assign(realTable, realTable + kEntries);
  table[kCreateSessionOptions] = reinterpret_cast<const void*>(&createSessionOptions);
  return table.data();
}

const char* versionString() { return real->GetVersionString(); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const OrtApiBase* OrtGetApiBase() {
  void* library = dlopen(std::getenv("LUTNN_ORT_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "LUTNN_ORT_LIBRARY must name ONNX Runtime's library: %s\n", dlerror());
    std::exit(2);
  }
  real = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"))();
  static const OrtApiBase base{tableOf, versionString};
  return &base;
}
