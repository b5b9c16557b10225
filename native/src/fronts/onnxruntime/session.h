// A file as a session of the ONNX Runtime library that the process has loaded, with our operators in it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fronts/onnxruntime/operators.h"

namespace lutnn {

/// ONNX Runtime in this process; lives until its end.
class OrtRuntime {
 public:
  /// The library at that path, which the process should have loaded already; the same every time. Throws OrtFailure.
  static OrtRuntime& at(const std::filesystem::path& library);

  const OrtFunctions& functions() const { return functions_; }
  const OrtEnv* environment() const { return environment_; }
  const OrtMemoryInfo* memory() const { return memory_; }

 private:
  explicit OrtRuntime(const OrtApiBase& base);

  OrtFunctions functions_;
  OrtEnv* environment_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
};

/// An input or output of a file. Where an axis is open its length is −1 and its name may say which.
struct OrtValueInfo {
  std::string name;
  int type = 0;  // of OrtElement; 0 for what is not a tensor
  OrtShape shape;
  std::vector<std::string> axisNames;
};

/// A tensor that goes in: its bytes, and what they mean.
struct OrtInput {
  int type;
  OrtShape shape;
  std::vector<std::byte> bytes;
};

/// A tensor that came out, in ONNX Runtime's memory.
struct OrtOutput {
  int type;
  OrtShape shape;
  const void* data;
  OrtOwned<OrtValue> value;
};

struct OrtSessionSettings {
  int threads = 1;
  bool optimize = true;
  std::string isa;                       // empty: LUTNN_FORCE_ISA's, else the fastest
  std::filesystem::path profilePrefix;   // empty: nothing is recorded
};

/// Bytes of a number of that type; 0 for a type that is none.
size_t bytesOf(int elementType);

class OrtModelSession {
 public:
  /// Throws OrtFailure on what ONNX Runtime, or an operator of ours, refuses.
  OrtModelSession(OrtRuntime& runtime, const std::filesystem::path& file, const OrtSessionSettings& settings);
  OrtModelSession(OrtRuntime& runtime, const std::vector<std::byte>& file, const OrtSessionSettings& settings);
  OrtModelSession(const OrtModelSession&) = delete;

  const std::vector<OrtValueInfo>& inputs() const { return inputs_; }
  const std::vector<OrtValueInfo>& outputs() const { return outputs_; }
  const std::vector<Operators::Node>& lookups() const { return lookups_; }
  const char* isa() const { return operators_.isa(); }

  /// All outputs for all inputs, each in the file's order; several threads may call at once. Throws OrtFailure.
  std::vector<OrtOutput> run(const std::vector<OrtInput>& inputs) const;
  /// Ends the recording and returns the path of the file that holds it. Throws OrtFailure.
  std::string endProfiling();

 private:
  OrtModelSession(OrtRuntime& runtime, const OrtSessionSettings& settings);
  OrtOwned<OrtSessionOptions> optionsOf(const OrtSessionSettings& settings) const;
  void readEnds();

  OrtRuntime& runtime_;
  const OrtFunctions& ort_;
  std::vector<Operators::Node> lookups_;
  Operators operators_;  // released after the session
  OrtOwned<OrtSession> session_;
  std::vector<OrtValueInfo> inputs_, outputs_;
};

}  // namespace lutnn
