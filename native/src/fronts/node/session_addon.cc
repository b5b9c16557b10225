// The Node addon of sessions: native/session.d.ts over fronts/onnxruntime/session.h. What takes long runs in Node's
// threads, on copies of what JavaScript gave; a session lives as long as one of its runs.
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "fronts/node/arguments.h"
#include "fronts/node/stay_loaded.h"
#include "fronts/onnxruntime/session.h"

namespace lutnn {
namespace {

using SessionPointer = std::shared_ptr<OrtModelSession>;

/// What the JavaScript object holds; without a session once it is released.
struct SessionObject {
  SessionPointer session;
};

constexpr napi_type_tag kSessionTag{0x6c75746e6e2d7365, 0x7373696f6e2d3031};

/// How JavaScript calls an element type and which array holds it.
struct Element {
  int type;
  const char* name;
  napi_typedarray_type array;
};
constexpr Element kElements[] = {
    {kOrtFloat32, "float32", napi_float32_array}, {kOrtFloat64, "float64", napi_float64_array},
    {kOrtFloat16, "float16", napi_uint16_array},  {kOrtInt8, "int8", napi_int8_array},
    {kOrtUint8, "uint8", napi_uint8_array},       {kOrtInt16, "int16", napi_int16_array},
    {kOrtUint16, "uint16", napi_uint16_array},    {kOrtInt32, "int32", napi_int32_array},
    {kOrtUint32, "uint32", napi_uint32_array},    {kOrtInt64, "int64", napi_bigint64_array},
    {kOrtUint64, "uint64", napi_biguint64_array}, {kOrtBool, "bool", napi_uint8_array},
};

const Element* elementOf(int type) {
  for (const Element& element : kElements)
    if (element.type == type) return &element;
  return nullptr;
}

void set(napi_env env, napi_value object, const char* key, napi_value value) {
  check(env, napi_set_named_property(env, object, key, value));
}
napi_value textValue(napi_env env, const std::string& text) {
  napi_value value;
  check(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}
napi_value numberValue(napi_env env, double number) {
  napi_value value;
  check(env, napi_create_double(env, number, &value));
  return value;
}
napi_value nullValue(napi_env env) {
  napi_value value;
  check(env, napi_get_null(env, &value));
  return value;
}
napi_value objectValue(napi_env env) {
  napi_value value;
  check(env, napi_create_object(env, &value));
  return value;
}
template <class Entry, class Make>
napi_value arrayOf(napi_env env, const std::vector<Entry>& entries, const Make& make) {
  napi_value array;
  check(env, napi_create_array_with_length(env, entries.size(), &array));
  uint32_t i = 0;
  for (const Entry& entry : entries) check(env, napi_set_element(env, array, i++, make(entry)));
  return array;
}

/// Work in one of Node's threads whose end settles a promise.
class Job {
 public:
  using Work = std::function<void()>;
  using Result = std::function<napi_value(napi_env)>;

  /// `work` runs elsewhere and must not touch JavaScript; then `result` makes the promise's value here.
  static napi_value start(napi_env env, const char* name, Work work, Result result) {
    auto job = std::unique_ptr<Job>(new Job{name, std::move(work), std::move(result)});
    napi_value promise, resource = textValue(env, name);
    check(env, napi_create_promise(env, &job->deferred_, &promise));
    check(env, napi_create_async_work(env, nullptr, resource, execute, complete, job.get(), &job->handle_));
    check(env, napi_queue_async_work(env, job->handle_));
    job.release();
    return promise;
  }

 private:
  Job(const char* name, Work work, Result result) : name_(name), work_(std::move(work)), result_(std::move(result)) {}

  static void execute(napi_env, void* data) {
    auto& job = *static_cast<Job*>(data);
    try {
      job.work_();
    } catch (const std::bad_alloc&) {
      job.failure_ = "there is not enough memory";
    } catch (const std::exception& failure) {
      job.failure_ = failure.what();
    } catch (...) {
      job.failure_ = "failed for no known reason";
    }
  }

  static void complete(napi_env env, napi_status status, void* data) {
    const std::unique_ptr<Job> job(static_cast<Job*>(data));
    if (status == napi_cancelled) job->failure_ = "cancelled";
    napi_value value = nullptr;
    if (job->failure_.empty()) value = throwing(env, job->name_, [&] { return job->result_(env); });
    else napi_throw_error(env, nullptr, job->failure_.c_str());
    bool isPending = false;
    napi_is_exception_pending(env, &isPending);
    if (isPending) {
      napi_value error;
      napi_get_and_clear_last_exception(env, &error);
      napi_reject_deferred(env, job->deferred_, error);
    } else {
      napi_resolve_deferred(env, job->deferred_, value);
    }
    napi_delete_async_work(env, job->handle_);
  }

  const char* name_;
  Work work_;
  Result result_;
  std::string failure_;
  napi_deferred deferred_ = nullptr;
  napi_async_work handle_ = nullptr;
};

napi_property_descriptor method(const char* name, napi_callback callback, const char* fullName) {
  return {.utf8name = name, .method = callback, .attributes = napi_enumerable, .data = const_cast<char*>(fullName)};
}

SessionObject& objectOf(Call& call) {
  bool isOurs = false;
  void* object = nullptr;
  if (napi_check_object_type_tag(call.env(), call.self(), &kSessionTag, &isOurs) != napi_ok || !isOurs ||
      napi_unwrap(call.env(), call.self(), &object) != napi_ok)
    call.refuseType("it must be called on a session");
  return *static_cast<SessionObject*>(object);
}

const SessionPointer& sessionOf(Call& call) {
  const SessionPointer& session = objectOf(call).session;
  if (!session) throw std::runtime_error(call.name() + ": the session is released");
  return session;
}

/// The bytes of a typed array for an input, copied.
OrtInput readInput(Call& call, napi_value data, napi_value dims, const OrtValueInfo& info) {
  const Element* element = elementOf(info.type);
  if (!element) call.refuseType("input " + info.name + " is no tensor of numbers");
  OrtInput input{info.type, call.integers(dims, "dims"), {}};
  const AnyArray array = call.anyArray(data, "data");
  if (array.type != element->array) call.refuseType("data of " + info.name + " must be an array for " + element->name);
  double wanted = 1;
  for (int64_t length : input.shape) {
    if (length < 0) call.refuseRange("dims must be lengths from 0 (got " + std::to_string(length) + ")");
    wanted *= static_cast<double>(length);
  }
  if (static_cast<double>(array.length) != wanted)
    call.refuseRange("data of " + info.name + " must have as many numbers as its dims say (got " +
                     std::to_string(array.length) + ")");
  const size_t bytes = array.length * bytesOf(info.type);
  input.bytes.reserve(std::max<size_t>(bytes, 1));  // never a null pointer
  const auto* from = static_cast<const std::byte*>(array.data);
  input.bytes.assign(from, from + bytes);
  return input;
}

/// new ArrayBuffer(bytes), which throws where memory is short; napi_create_arraybuffer would end the process.
napi_value newArrayBuffer(napi_env env, size_t bytes) {
  napi_value global, constructor, buffer, length = numberValue(env, static_cast<double>(bytes));
  check(env, napi_get_global(env, &global));
  check(env, napi_get_named_property(env, global, "ArrayBuffer", &constructor));
  check(env, napi_new_instance(env, constructor, 1, &length, &buffer));
  return buffer;
}

napi_value outputValue(napi_env env, const OrtOutput& output) {
  const Element* element = elementOf(output.type);
  if (!element) throw std::runtime_error("an output is no tensor of numbers");
  size_t length = 1;
  for (int64_t axis : output.shape) length *= static_cast<size_t>(axis);
  const size_t bytes = length * bytesOf(output.type);
  void* memory = nullptr;
  const napi_value buffer = newArrayBuffer(env, bytes);
  napi_value data;
  check(env, napi_get_arraybuffer_info(env, buffer, &memory, nullptr));
  if (bytes > 0) std::memcpy(memory, output.data, bytes);
  check(env, napi_create_typedarray(env, element->array, length, buffer, 0, &data));
  const napi_value object = objectValue(env);
  set(env, object, "data", data);
  set(env, object, "dims",
      arrayOf(env, output.shape, [&](int64_t axis) { return numberValue(env, static_cast<double>(axis)); }));
  return object;
}

/// session.run(arrays, dims) → promise of [{ data, dims }]
napi_value run(Call& call) {
  const SessionPointer session = sessionOf(call);
  const std::vector<napi_value> arrays = call.entries(call[0], "arrays"), dims = call.entries(call[1], "dims");
  const std::vector<OrtValueInfo>& infos = session->inputs();
  if (arrays.size() != infos.size() || dims.size() != infos.size())
    call.refuseRange("arrays and dims must be there for each of " + std::to_string(infos.size()) + " inputs (got " +
                     std::to_string(arrays.size()) + " and " + std::to_string(dims.size()) + ")");
  auto inputs = std::make_shared<std::vector<OrtInput>>();
  for (size_t i = 0; i < infos.size(); i++) inputs->push_back(readInput(call, arrays[i], dims[i], infos[i]));
  auto outputs = std::make_shared<std::vector<OrtOutput>>();
  return Job::start(
      call.env(), "Session.run", [session, inputs, outputs] { *outputs = session->run(*inputs); },
      [session, outputs](napi_env env) {
        return arrayOf(env, *outputs, [&](const OrtOutput& output) { return outputValue(env, output); });
      });
}

/// session.endProfiling() → the path of the file that was written
napi_value endProfiling(Call& call) { return textValue(call.env(), sessionOf(call)->endProfiling()); }

/// session.release(): at once, or when the last of its runs has ended
napi_value release(Call& call) {
  objectOf(call).session.reset();
  return nullptr;
}

napi_value infoValue(napi_env env, const OrtValueInfo& info) {
  const Element* element = elementOf(info.type);
  const napi_value object = objectValue(env);
  set(env, object, "name", textValue(env, info.name));
  constexpr int kStrings = 8;
  set(env, object, "type",
      element                 ? textValue(env, element->name)
      : info.type == kStrings ? textValue(env, "string")
                              : nullValue(env));
  std::vector<size_t> axes(info.shape.size());
  for (size_t i = 0; i < axes.size(); i++) axes[i] = i;
  set(env, object, "dims", arrayOf(env, axes, [&](size_t i) {
        if (info.shape[i] >= 0) return numberValue(env, static_cast<double>(info.shape[i]));
        return info.axisNames[i].empty() ? nullValue(env) : textValue(env, info.axisNames[i]);
      }));
  return object;
}

napi_value sessionValue(napi_env env, const SessionPointer& session) {
  const napi_value object = objectValue(env);
  const auto describe = [&](const OrtValueInfo& info) { return infoValue(env, info); };
  set(env, object, "inputs", arrayOf(env, session->inputs(), describe));
  set(env, object, "outputs", arrayOf(env, session->outputs(), describe));
  set(env, object, "isa", textValue(env, session->isa()));
  set(env, object, "lookups", arrayOf(env, session->lookups(), [&](const Operators::Node& node) {
        const napi_value entry = objectValue(env);
        set(env, entry, "node", textValue(env, node.name));
        set(env, entry, "operator", textValue(env, node.operatorName));
        return entry;
      }));
  const napi_property_descriptor methods[] = {method("run", function<run>, "Session.run"),
                                              method("endProfiling", function<endProfiling>, "Session.endProfiling"),
                                              method("release", function<release>, "Session.release")};
  check(env, napi_define_properties(env, object, std::size(methods), methods));
  auto held = std::make_unique<SessionObject>(SessionObject{session});
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<SessionObject*>(data); };
  check(env, napi_wrap(env, object, held.get(), finalize, nullptr, nullptr));
  held.release();
  check(env, napi_type_tag_object(env, object, &kSessionTag));
  return object;
}

std::filesystem::path pathOf(const std::string& utf8) {
  return std::filesystem::path(std::u8string(utf8.begin(), utf8.end()));
}

OrtSessionSettings readSettings(Call& call, napi_value options) {
  const auto option = [&](const char* key) { return call.property(options, "options", key); };
  const auto text = [&](const char* key) {
    const napi_value value = option(key);
    return call.isUndefined(value) ? std::string() : call.longString(value, key);
  };
  OrtSessionSettings settings;
  const int64_t threads = call.integer(option("threads"), "threads", 1);
  if (threads < 1 || threads > 256)
    call.refuseRange("threads must be an integer from 1 to 256 (got " + std::to_string(threads) + ")");
  settings.threads = static_cast<int>(threads);
  const napi_value optimize = option("optimize");
  settings.optimize = call.isUndefined(optimize) || call.boolean(optimize, "optimize");
  settings.isa = text("isa");
  settings.profilePrefix = pathOf(text("profilePrefix"));
  return settings;
}

/// create(library, path or bytes, options) → promise of a session
napi_value create(Call& call) {
  const auto library = pathOf(call.longString(call[0], "library"));
  const OrtSessionSettings settings = readSettings(call, call[2]);
  auto made = std::make_shared<SessionPointer>();
  const auto result = [made](napi_env env) { return sessionValue(env, *made); };
  if (!call.isTypedArray(call[1])) {
    const auto path = pathOf(call.longString(call[1], "model"));
    return Job::start(
        call.env(), "create",
        [=] { *made = std::make_shared<OrtModelSession>(OrtRuntime::at(library), path, settings); }, result);
  }
  const Array<uint8_t> array = call.array<uint8_t>(call[1], "model");
  const auto* from = reinterpret_cast<const std::byte*>(array.data);
  auto bytes = std::make_shared<std::vector<std::byte>>(from, from + array.length);
  return Job::start(
      call.env(), "create",
      [=]() mutable {
        *made = std::make_shared<OrtModelSession>(OrtRuntime::at(library), *bytes, settings);
        bytes->clear();
        bytes->shrink_to_fit();
      },
      result);
}

/// operators() → the names of the operators that run natively
napi_value operators(Call& call) {
  return arrayOf(call.env(), nativeOperators(),
                 [&](const std::unique_ptr<const NativeOperator>& op) { return textValue(call.env(), op->name()); });
}

/// functions(library) → [{ name, place, called }], ONNX Runtime's as we have declared them
napi_value functions(Call& call) {
  const OrtFunctions& ort = OrtRuntime::at(pathOf(call.longString(call[0], "library"))).functions();
  return arrayOf(call.env(), ort.uses(), [&](const OrtFunctions::Use& use) {
    const napi_value object = objectValue(call.env());
    napi_value called;
    check(call.env(), napi_get_boolean(call.env(), use.called, &called));
    set(call.env(), object, "name", textValue(call.env(), use.name));
    set(call.env(), object, "place", numberValue(call.env(), use.place));
    set(call.env(), object, "called", called);
    return object;
  });
}

/// version(library) → ONNX Runtime's
napi_value version(Call& call) {
  const auto library = pathOf(call.longString(call[0], "library"));
  return textValue(call.env(), OrtRuntime::at(library).functions().version());
}

}  // namespace
}  // namespace lutnn

NAPI_MODULE_INIT() {
  using namespace lutnn;
  return throwing(env, "lutnn-native/session", [&] {
    stayLoaded();
    const napi_property_descriptor exported[] = {
        method("create", function<create>, "create"), method("operators", function<operators>, "operators"),
        method("functions", function<functions>, "functions"), method("version", function<version>, "version")};
    check(env, napi_define_properties(env, exports, std::size(exported), exported));
    return exports;
  });
}
