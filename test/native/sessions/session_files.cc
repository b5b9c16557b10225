// session_files LIBRARY FILE…: opens each ONNX file as a session of that ONNX Runtime library with our operators, with each
// instruction set in turn, and runs it on drawn inputs. What is refused is fine, in words; anything else ends the program. With
// ort_without_arena in the library's place AddressSanitizer sees every tensor's end.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "fronts/onnxruntime/session.h"
#include "isa/dispatch.h"

namespace {

using namespace lutnn;

/// Numbers that an input may have at most; a file may claim more.
constexpr int64_t kMostNumbers = 1 << 16;

std::vector<std::byte> bytesOfFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// An input as declared, with open axes of 0 to 5; false where it would be too large or is no tensor.
bool draw(const OrtValueInfo& info, std::mt19937& random, OrtInput& input) {
  const size_t size = bytesOf(info.type);
  int64_t numbers = 1;
  input.type = info.type;
  for (int64_t length : info.shape) {
    input.shape.push_back(length >= 0 ? length : static_cast<int64_t>(random() % 6));
    if (input.shape.back() > kMostNumbers || numbers * input.shape.back() > kMostNumbers) return false;
    numbers *= input.shape.back();
  }
  if (size == 0) return false;
  input.bytes.resize(static_cast<size_t>(numbers) * size);
  const bool isWild = random() % 8 == 0;  // any bits: infinities and what is no number, too
  for (size_t i = 0; i < input.bytes.size(); i += size) {
    const auto bits = static_cast<uint32_t>(random());
    if (info.type == kOrtFloat32 && !isWild) {
      const float number = static_cast<float>(static_cast<int32_t>(bits)) * 1e-9f;
      std::memcpy(&input.bytes[i], &number, sizeof number);
    } else {
      const uint64_t word = isWild ? (static_cast<uint64_t>(bits) << 32 | bits) : bits % 2;
      std::memcpy(&input.bytes[i], &word, size);
    }
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "session_files: needs ONNX Runtime's library and files\n");
    return 2;
  }
  OrtRuntime& runtime = OrtRuntime::at(arguments[1]);
  long refused = 0, opened = 0, failedRuns = 0, runs = 0, nodes = 0;
  std::mt19937 random(1);
  for (int at = 2; at < count; at++) {
    std::fprintf(stderr, "%s\n", arguments[at]);  // the last one is what a sanitizer speaks of
    const std::vector<std::byte> file = bytesOfFile(arguments[at]);
    for (const Microkernels* kernels : availableMicrokernels()) {
      try {
        const OrtModelSession session(runtime, file,
                                      {.threads = at % 2 + 1, .optimize = at % 3 > 0, .isa = kernels->isa});
        opened++;
        nodes += static_cast<long>(session.lookups().size());
        for (int time = 0; time < 2; time++) {
          std::vector<OrtInput> inputs(session.inputs().size());
          bool isFit = true;
          for (size_t i = 0; i < inputs.size(); i++) isFit = isFit && draw(session.inputs()[i], random, inputs[i]);
          if (!isFit) break;
          try {
            session.run(inputs);
            runs++;
          } catch (const OrtFailure&) {
            failedRuns++;
          }
        }
      } catch (const OrtFailure&) {
        refused++;
      }
    }
  }
  std::printf("%d files: %ld sessions refused, %ld opened with %ld native nodes, %ld runs refused, %ld carried out\n",
              count - 2, refused, opened, nodes, failedRuns, runs);
  return 0;
}
