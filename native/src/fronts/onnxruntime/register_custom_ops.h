// The entry of the shared library lutnn_ort, by the name that ONNX Runtime looks for: in Python
// SessionOptions.register_custom_ops_library(path), in C and C++ RegisterCustomOpsLibrary_V2.
#pragma once

#include "fronts/onnxruntime/onnxruntime_c.h"

#ifdef _WIN32
#define LUTNN_ORT_EXPORT __declspec(dllexport)
#else
#define LUTNN_ORT_EXPORT __attribute__((visibility("default")))
#endif

extern "C" LUTNN_ORT_EXPORT OrtStatus* LUTNN_ORT_CALL RegisterCustomOps(OrtSessionOptions* options,
                                                                        const OrtApiBase* base);
