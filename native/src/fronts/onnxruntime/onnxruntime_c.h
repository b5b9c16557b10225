// The part of ONNX Runtime's C interface that we call, declared here because the npm package brings the library without
// its header. The interface is a table of functions to which entries are only ever added: each is named with its place.
// The table of version 18 and the operator structure of version 18 are used: ONNX Runtime 1.18 and later.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define LUTNN_ORT_CALL __stdcall
using OrtPathChar = wchar_t;
#else
#define LUTNN_ORT_CALL
using OrtPathChar = char;
#endif

extern "C" {

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtCustomOpDomain;
struct OrtKernelInfo;
struct OrtKernelContext;
struct OrtShapeInferContext;
struct OrtOpAttr;
struct OrtCustomOp;

struct OrtApiBase {
  const void* const*(LUTNN_ORT_CALL* GetApi)(uint32_t version);  // null where the library is older
  const char*(LUTNN_ORT_CALL* GetVersionString)();
};

/// Version 18. ONNX Runtime calls back with the structure itself, so it may be the beginning of a larger one.
struct OrtCustomOp {
  uint32_t version;
  void*(LUTNN_ORT_CALL* CreateKernel)(const OrtCustomOp*, const void* api, const OrtKernelInfo*);
  const char*(LUTNN_ORT_CALL* GetName)(const OrtCustomOp*);
  const char*(LUTNN_ORT_CALL* GetExecutionProviderType)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetInputType)(const OrtCustomOp*, size_t index);
  size_t(LUTNN_ORT_CALL* GetInputTypeCount)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetOutputType)(const OrtCustomOp*, size_t index);
  size_t(LUTNN_ORT_CALL* GetOutputTypeCount)(const OrtCustomOp*);
  void(LUTNN_ORT_CALL* KernelCompute)(void* kernel, OrtKernelContext*);
  void(LUTNN_ORT_CALL* KernelDestroy)(void* kernel);
  int(LUTNN_ORT_CALL* GetInputCharacteristic)(const OrtCustomOp*, size_t index);
  int(LUTNN_ORT_CALL* GetOutputCharacteristic)(const OrtCustomOp*, size_t index);
  int(LUTNN_ORT_CALL* GetInputMemoryType)(const OrtCustomOp*, size_t index);
  int(LUTNN_ORT_CALL* GetVariadicInputMinArity)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetVariadicInputHomogeneity)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetVariadicOutputMinArity)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus*(LUTNN_ORT_CALL* CreateKernelV2)(const OrtCustomOp*, const void* api, const OrtKernelInfo*, void** kernel);
  OrtStatus*(LUTNN_ORT_CALL* KernelComputeV2)(void* kernel, OrtKernelContext*);
  OrtStatus*(LUTNN_ORT_CALL* InferOutputShapeFn)(const OrtCustomOp*, OrtShapeInferContext*);
  int(LUTNN_ORT_CALL* GetStartVersion)(const OrtCustomOp*);
  int(LUTNN_ORT_CALL* GetEndVersion)(const OrtCustomOp*);
  size_t(LUTNN_ORT_CALL* GetMayInplace)(int** input, int** output);
  void(LUTNN_ORT_CALL* ReleaseMayInplace)(int* input, int* output);
  size_t(LUTNN_ORT_CALL* GetAliasMap)(int** input, int** output);
  void(LUTNN_ORT_CALL* ReleaseAliasMap)(int* input, int* output);
};
static_assert(sizeof(void*) != 8 || sizeof(OrtCustomOp) == 208);

}  // extern "C"

namespace lutnn {

constexpr uint32_t kOrtVersion = 18;

/// ONNX Runtime's numbers for element types.
enum OrtElement {
  kOrtFloat32 = 1,
  kOrtUint8 = 2,
  kOrtInt8 = 3,
  kOrtUint16 = 4,
  kOrtInt16 = 5,
  kOrtInt32 = 6,
  kOrtInt64 = 7,
  kOrtBool = 9,
  kOrtFloat16 = 10,
  kOrtFloat64 = 11,
  kOrtUint32 = 12,
  kOrtUint64 = 13
};
enum { kOrtFail = 1, kOrtInvalidArgument = 2 };  // codes of a status
enum { kOrtLogFatal = 4 };  // levels of logging
enum { kOrtOptimizeNone = 0, kOrtOptimizeAll = 99 };  // levels of optimisation
enum { kOrtArenaAllocator = 1, kOrtDefaultMemory = 0 };  // kinds of memory
enum { kOrtAttributeInts = 2 };  // kinds of attributes

using OrtStatusPointer = OrtStatus*;

/// F(place in the table, name, result, parameters)
#define LUTNN_ORT_FUNCTIONS(F)                                                                                        \
  F(0, CreateStatus, OrtStatusPointer, (int code, const char* message))                                               \
  F(2, GetErrorMessage, const char*, (const OrtStatus*))                                                              \
  F(3, CreateEnv, OrtStatusPointer, (int logLevel, const char* name, OrtEnv**))                                       \
  F(7, CreateSession, OrtStatusPointer, (const OrtEnv*, const OrtPathChar*, const OrtSessionOptions*, OrtSession**))  \
  F(8, CreateSessionFromArray, OrtStatusPointer,                                                                      \
    (const OrtEnv*, const void* bytes, size_t length, const OrtSessionOptions*, OrtSession**))                        \
  F(9, Run, OrtStatusPointer,                                                                                         \
    (OrtSession*, const OrtRunOptions*, const char* const* inputNames, const OrtValue* const* inputs, size_t,         \
     const char* const* outputNames, size_t, OrtValue** outputs))                                                     \
  F(10, CreateSessionOptions, OrtStatusPointer, (OrtSessionOptions**))                                                \
  F(14, EnableProfiling, OrtStatusPointer, (OrtSessionOptions*, const OrtPathChar* prefix))                           \
  F(22, SetSessionLogSeverityLevel, OrtStatusPointer, (OrtSessionOptions*, int))                                      \
  F(23, SetSessionGraphOptimizationLevel, OrtStatusPointer, (OrtSessionOptions*, int))                                \
  F(24, SetIntraOpNumThreads, OrtStatusPointer, (OrtSessionOptions*, int))                                            \
  F(25, SetInterOpNumThreads, OrtStatusPointer, (OrtSessionOptions*, int))                                            \
  F(26, CreateCustomOpDomain, OrtStatusPointer, (const char* name, OrtCustomOpDomain**))                              \
  F(27, CustomOpDomain_Add, OrtStatusPointer, (OrtCustomOpDomain*, const OrtCustomOp*))                               \
  F(28, AddCustomOpDomain, OrtStatusPointer, (OrtSessionOptions*, OrtCustomOpDomain*))                                \
  F(30, SessionGetInputCount, OrtStatusPointer, (const OrtSession*, size_t*))                                         \
  F(31, SessionGetOutputCount, OrtStatusPointer, (const OrtSession*, size_t*))                                        \
  F(33, SessionGetInputTypeInfo, OrtStatusPointer, (const OrtSession*, size_t index, OrtTypeInfo**))                  \
  F(34, SessionGetOutputTypeInfo, OrtStatusPointer, (const OrtSession*, size_t index, OrtTypeInfo**))                 \
  F(36, SessionGetInputName, OrtStatusPointer, (const OrtSession*, size_t index, OrtAllocator*, char**))              \
  F(37, SessionGetOutputName, OrtStatusPointer, (const OrtSession*, size_t index, OrtAllocator*, char**))             \
  F(49, CreateTensorWithDataAsOrtValue, OrtStatusPointer,                                                             \
    (const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t rank, int type, OrtValue**))        \
  F(51, GetTensorMutableData, OrtStatusPointer, (OrtValue*, void**))                                                  \
  F(55, CastTypeInfoToTensorInfo, OrtStatusPointer, (const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**))          \
  F(57, CreateTensorTypeAndShapeInfo, OrtStatusPointer, (OrtTensorTypeAndShapeInfo**))                                \
  F(58, SetTensorElementType, OrtStatusPointer, (OrtTensorTypeAndShapeInfo*, int))                                    \
  F(59, SetDimensions, OrtStatusPointer, (OrtTensorTypeAndShapeInfo*, const int64_t*, size_t rank))                   \
  F(60, GetTensorElementType, OrtStatusPointer, (const OrtTensorTypeAndShapeInfo*, int*))                             \
  F(61, GetDimensionsCount, OrtStatusPointer, (const OrtTensorTypeAndShapeInfo*, size_t*))                            \
  F(62, GetDimensions, OrtStatusPointer, (const OrtTensorTypeAndShapeInfo*, int64_t*, size_t rank))                   \
  F(63, GetSymbolicDimensions, OrtStatusPointer, (const OrtTensorTypeAndShapeInfo*, const char** names, size_t rank)) \
  F(65, GetTensorTypeAndShape, OrtStatusPointer, (const OrtValue*, OrtTensorTypeAndShapeInfo**))                      \
  F(69, CreateCpuMemoryInfo, OrtStatusPointer, (int allocator, int memory, OrtMemoryInfo**))                          \
  F(76, AllocatorFree, OrtStatusPointer, (OrtAllocator*, void*))                                                      \
  F(78, GetAllocatorWithDefaultOptions, OrtStatusPointer, (OrtAllocator**))                                           \
  F(85, KernelInfoGetAttribute_float, OrtStatusPointer, (const OrtKernelInfo*, const char* name, float*))             \
  F(86, KernelInfoGetAttribute_int64, OrtStatusPointer, (const OrtKernelInfo*, const char* name, int64_t*))           \
  F(90, KernelContext_GetInput, OrtStatusPointer, (const OrtKernelContext*, size_t index, const OrtValue**))          \
  F(91, KernelContext_GetOutput, OrtStatusPointer,                                                                    \
    (OrtKernelContext*, size_t index, const int64_t* shape, size_t rank, OrtValue**))                                 \
  F(93, ReleaseStatus, void, (OrtStatus*))                                                                            \
  F(95, ReleaseSession, void, (OrtSession*))                                                                          \
  F(96, ReleaseValue, void, (OrtValue*))                                                                              \
  F(98, ReleaseTypeInfo, void, (OrtTypeInfo*))                                                                        \
  F(99, ReleaseTensorTypeAndShapeInfo, void, (OrtTensorTypeAndShapeInfo*))                                            \
  F(100, ReleaseSessionOptions, void, (OrtSessionOptions*))                                                           \
  F(101, ReleaseCustomOpDomain, void, (OrtCustomOpDomain*))                                                           \
  F(110, SessionEndProfiling, OrtStatusPointer, (OrtSession*, OrtAllocator*, char**))                                 \
  F(130, AddSessionConfigEntry, OrtStatusPointer, (OrtSessionOptions*, const char* key, const char* value))           \
  F(163, KernelInfoGetAttributeArray_int64, OrtStatusPointer,                                                         \
    (const OrtKernelInfo*, const char* name, int64_t*, size_t* length))                                               \
  F(234, KernelInfo_GetInputTypeInfo, OrtStatusPointer, (const OrtKernelInfo*, size_t index, OrtTypeInfo**))          \
  F(244, KernelInfo_GetNodeName, OrtStatusPointer, (const OrtKernelInfo*, char*, size_t* length))                     \
  F(249, KernelInfoGetConstantInput_tensor, OrtStatusPointer,                                                         \
    (const OrtKernelInfo*, size_t index, int* isConstant, const OrtValue**))                                          \
  F(268, ShapeInferContext_GetInputTypeShape, OrtStatusPointer,                                                       \
    (const OrtShapeInferContext*, size_t index, OrtTensorTypeAndShapeInfo**))                                         \
  F(269, ShapeInferContext_GetAttribute, OrtStatusPointer,                                                            \
    (const OrtShapeInferContext*, const char* name, const OrtOpAttr**))                                               \
  F(270, ShapeInferContext_SetOutputTypeShape, OrtStatusPointer,                                                      \
    (const OrtShapeInferContext*, size_t index, const OrtTensorTypeAndShapeInfo*))                                    \
  F(271, SetSymbolicDimensions, OrtStatusPointer, (OrtTensorTypeAndShapeInfo*, const char* names[], size_t rank))     \
  F(272, ReadOpAttr, OrtStatusPointer, (const OrtOpAttr*, int kind, void* data, size_t bytes, size_t* length))        \
  F(274, KernelContext_ParallelFor, OrtStatusPointer,                                                                 \
    (const OrtKernelContext*, void (*task)(void*, size_t), size_t total, size_t batches, void* data))

}  // namespace lutnn
