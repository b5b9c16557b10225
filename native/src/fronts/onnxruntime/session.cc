#include "fronts/onnxruntime/session.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace lutnn {

namespace {

using GetApiBase = const OrtApiBase*(LUTNN_ORT_CALL*)();

/// The library's only exported function.
GetApiBase entryOf(const std::filesystem::path& library) {
#ifdef _WIN32
  const HMODULE module = LoadLibraryExW(library.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (!module) throw OrtFailure("the library " + library.string() + " must load (it does not)");
  const auto entry = reinterpret_cast<GetApiBase>(reinterpret_cast<void*>(GetProcAddress(module, "OrtGetApiBase")));
#else
  void* module = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) throw OrtFailure("the library of ONNX Runtime must load (it says: " + std::string(dlerror()) + ")");
  const auto entry = reinterpret_cast<GetApiBase>(dlsym(module, "OrtGetApiBase"));
#endif
  if (!entry) throw OrtFailure("the library " + library.string() + " must be ONNX Runtime's (it has no OrtGetApiBase)");
  return entry;
}

OrtValueInfo infoOf(const OrtFunctions& ort, OrtAllocator* allocator, char* name, const OrtTypeInfo* type) {
  OrtValueInfo info{.name = name};
  ort.check(ort.AllocatorFree(allocator, name));
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  ort.check(ort.CastTypeInfoToTensorInfo(type, &tensor));
  if (!tensor) return info;
  ort.check(ort.GetTensorElementType(tensor, &info.type));
  info.shape = shapeOf(ort, tensor);
  std::vector<const char*> names(info.shape.size());
  ort.check(ort.GetSymbolicDimensions(tensor, names.data(), names.size()));
  for (const char* axis : names) info.axisNames.emplace_back(axis ? axis : "");
  return info;
}

OrtOutput outputOf(const OrtFunctions& ort, OrtOwned<OrtValue> value) {
  OrtOwned<OrtTensorTypeAndShapeInfo> info(ort.ReleaseTensorTypeAndShapeInfo);
  ort.check(ort.GetTensorTypeAndShape(value.get(), info.out()));
  int type = 0;
  ort.check(ort.GetTensorElementType(info.get(), &type));
  void* data = nullptr;
  ort.check(ort.GetTensorMutableData(value.get(), &data));
  return {type, shapeOf(ort, info.get()), data, std::move(value)};
}

}  // namespace

OrtRuntime::OrtRuntime(const OrtApiBase& base) : functions_(base) {
  const OrtFunctions& ort = functions_;
  ort.check(ort.CreateEnv(kOrtLogFatal, "lutnn", &environment_));
  ort.check(ort.CreateCpuMemoryInfo(kOrtArenaAllocator, kOrtDefaultMemory, &memory_));
}

OrtRuntime& OrtRuntime::at(const std::filesystem::path& library) {
  static std::mutex mutex;
  static OrtRuntime* loaded = nullptr;
  static std::filesystem::path from;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!loaded) {
    loaded = new OrtRuntime(*entryOf(library)());
    from = library;
  }
  if (from != library)
    throw OrtFailure("a process has one ONNX Runtime (" + from.string() + " is loaded, not " + library.string() + ")");
  return *loaded;
}

size_t bytesOf(int elementType) {
  switch (elementType) {
    case kOrtUint8:
    case kOrtInt8:
    case kOrtBool: return 1;
    case kOrtUint16:
    case kOrtInt16:
    case kOrtFloat16: return 2;
    case kOrtFloat32:
    case kOrtInt32:
    case kOrtUint32: return 4;
    case kOrtInt64:
    case kOrtFloat64:
    case kOrtUint64: return 8;
    default: return 0;
  }
}

OrtModelSession::OrtModelSession(OrtRuntime& runtime, const OrtSessionSettings& settings)
    : runtime_(runtime),
      ort_(runtime.functions()),
      operators_(ort_, settings.isa, [this](Operators::Node node) { lookups_.push_back(std::move(node)); }),
      session_(ort_.ReleaseSession) {}

OrtModelSession::OrtModelSession(OrtRuntime& runtime, const std::filesystem::path& file,
                                 const OrtSessionSettings& settings)
    : OrtModelSession(runtime, settings) {
  const OrtOwned<OrtSessionOptions> options = optionsOf(settings);
  ort_.check(ort_.CreateSession(runtime.environment(), file.c_str(), options.get(), session_.out()));
  readEnds();
}

OrtModelSession::OrtModelSession(OrtRuntime& runtime, const std::vector<std::byte>& file,
                                 const OrtSessionSettings& settings)
    : OrtModelSession(runtime, settings) {
  const OrtOwned<OrtSessionOptions> options = optionsOf(settings);
  ort_.check(
      ort_.CreateSessionFromArray(runtime.environment(), file.data(), file.size(), options.get(), session_.out()));
  readEnds();
}

OrtOwned<OrtSessionOptions> OrtModelSession::optionsOf(const OrtSessionSettings& settings) const {
  OrtOwned<OrtSessionOptions> options(ort_.ReleaseSessionOptions);
  ort_.check(ort_.CreateSessionOptions(options.out()));
  ort_.check(ort_.SetIntraOpNumThreads(options.get(), settings.threads));
  ort_.check(ort_.SetInterOpNumThreads(options.get(), 1));
  ort_.check(ort_.SetSessionLogSeverityLevel(options.get(), kOrtLogFatal));  // its errors come as errors
  ort_.check(
      ort_.SetSessionGraphOptimizationLevel(options.get(), settings.optimize ? kOrtOptimizeAll : kOrtOptimizeNone));
  // Threads that wait for work sleep.
  ort_.check(ort_.AddSessionConfigEntry(options.get(), "session.intra_op.allow_spinning", "0"));
  if (!settings.profilePrefix.empty()) ort_.check(ort_.EnableProfiling(options.get(), settings.profilePrefix.c_str()));
  ort_.check(ort_.AddCustomOpDomain(options.get(), operators_.domain()));
  return options;
}

void OrtModelSession::readEnds() {
  OrtAllocator* allocator = nullptr;  // the library's own
  ort_.check(ort_.GetAllocatorWithDefaultOptions(&allocator));
  const auto read = [&](auto& countOf, auto& nameOf, auto& typeOf, std::vector<OrtValueInfo>& into) {
    size_t count = 0;
    ort_.check(countOf(session_.get(), &count));
    for (size_t i = 0; i < count; i++) {
      OrtOwned<OrtTypeInfo> type(ort_.ReleaseTypeInfo);
      ort_.check(typeOf(session_.get(), i, type.out()));
      char* name = nullptr;
      ort_.check(nameOf(session_.get(), i, allocator, &name));
      into.push_back(infoOf(ort_, allocator, name, type.get()));
    }
  };
  read(ort_.SessionGetInputCount, ort_.SessionGetInputName, ort_.SessionGetInputTypeInfo, inputs_);
  read(ort_.SessionGetOutputCount, ort_.SessionGetOutputName, ort_.SessionGetOutputTypeInfo, outputs_);
}

std::vector<OrtOutput> OrtModelSession::run(const std::vector<OrtInput>& inputs) const {
  std::vector<OrtOwned<OrtValue>> given, made;
  std::vector<const OrtValue*> inputValues;
  std::vector<OrtValue*> outputValues(outputs_.size(), nullptr);
  std::vector<const char*> inputNames, outputNames;
  for (size_t i = 0; i < inputs.size(); i++) {
    const OrtInput& input = inputs[i];
    OrtOwned<OrtValue> value(ort_.ReleaseValue);
    ort_.check(ort_.CreateTensorWithDataAsOrtValue(runtime_.memory(), const_cast<std::byte*>(input.bytes.data()),
                                                   input.bytes.size(), input.shape.data(), input.shape.size(),
                                                   input.type, value.out()));
    inputValues.push_back(value.get());
    given.push_back(std::move(value));
    inputNames.push_back(inputs_[i].name.c_str());
  }
  for (const OrtValueInfo& output : outputs_) outputNames.push_back(output.name.c_str());
  OrtStatus* status = ort_.Run(session_.get(), nullptr, inputNames.data(), inputValues.data(), inputValues.size(),
                               outputNames.data(), outputNames.size(), outputValues.data());
  for (OrtValue* value : outputValues) made.emplace_back(ort_.ReleaseValue, value);
  ort_.check(status);
  std::vector<OrtOutput> outputs;
  for (OrtOwned<OrtValue>& value : made) outputs.push_back(outputOf(ort_, std::move(value)));
  return outputs;
}

std::string OrtModelSession::endProfiling() {
  OrtAllocator* allocator = nullptr;
  ort_.check(ort_.GetAllocatorWithDefaultOptions(&allocator));
  char* path = nullptr;
  ort_.check(ort_.SessionEndProfiling(session_.get(), allocator, &path));
  const std::string copy = path;
  ort_.check(ort_.AllocatorFree(allocator, path));
  return copy;
}

}  // namespace lutnn
