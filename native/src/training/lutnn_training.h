/* The C API of training, which owns every rule about its arguments; beside core/lutnn.h, whose codes, errors and arrays it
   shares. All functions run on the threads that the process has for training, one call at a time.

   Letters as there. Tensors are float32, contiguous, the last axis innermost. */
#ifndef LUTNN_TRAINING_H
#define LUTNN_TRAINING_H

#include "core/lutnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The instruction set that runs and the number of threads: at first the fastest, or what LUTNN_FORCE_ISA names, and as
   many as the machine has cores. LUTNN_FAILED where that instruction set is not there. */
lutnn_code lutnn_training_info(const char** isa, int64_t* threads, lutnn_error* error);
/* 1 … 1024; results do not depend on it. */
lutnn_code lutnn_training_set_threads(int64_t threads, lutnn_error* error);

/* k-means of the codebooks `first` … that `centroids` holds: k-means++ start, then at most `iterations` Lloyd iterations. */
typedef struct lutnn_k_means {
  lutnn_floats points;  // (rows, C·V), finite
  int64_t rows;  // from 1
  int64_t num_codebooks, num_centroids, subvector_length;
  int64_t iterations;
  lutnn_doubles draws;  // (C, K) in [0, 1): what the start is drawn with
  int64_t first;
  lutnn_floats_out centroids;  // (codebooks, K, V)
} lutnn_k_means;
lutnn_code lutnn_training_k_means(const lutnn_k_means* problem, lutnn_error* error);

typedef struct lutnn_tensor {
  float* data;
  const int64_t* shape;
  int64_t rank;
} lutnn_tensor;

/* Numbers of a window: filter height, filter width, stride height, stride width, dilation height, dilation width from 1,
   pad top, left, bottom, right from 0. */
typedef struct lutnn_soft_window {
  const int32_t* numbers;
  int64_t length;  // 10; 0 for a layer on rows
} lutnn_soft_window;
lutnn_code lutnn_soft_check_window(const lutnn_soft_window* window, lutnn_error* error);

/* How the table is rounded: bits 2 … 8 or 16, or 0 for the real table. */
typedef struct lutnn_soft_format {
  int32_t bits;
  int scale_per_output;
} lutnn_soft_format;
lutnn_code lutnn_soft_check_format(const lutnn_soft_format* format, lutnn_error* error);

/* How inputs become bytes, for codes that are defined in integers; V is at most 256 then. Centroids are rounded each time. */
typedef struct lutnn_soft_input {
  float scale;  // finite, above 0
  float zero_point;  // an integer, 0 … 255
} lutnn_soft_input;

typedef struct lutnn_soft_layer {
  lutnn_tensor x;  // (N, C·V), or with a window (batch, height, width, channels)
  lutnn_tensor centroids;  // (C, K, V), K 1 … 256
  lutnn_tensor table;  // (C, K, M), or where `from_weight` the weight (C·V, M) of a table P·W
  int from_weight;
  lutnn_soft_window window;
  const lutnn_soft_input* input;  // null: codes in float32; gradients are the same
} lutnn_soft_layer;

/* (N, M), or (batch, output height, output width, M): 2 or 4 lengths. */
lutnn_code lutnn_soft_output_shape(const lutnn_soft_layer* layer, int64_t shape[4], int64_t* rank, lutnn_error* error);
/* y of that shape; all NaN where the table is not finite */
lutnn_code lutnn_soft_forward(const lutnn_soft_layer* layer, const lutnn_soft_format* format, float* y,
                              lutnn_error* error);

/* What gradients go through, and where they go: each as its tensor. */
typedef struct lutnn_soft_gradients {
  lutnn_tensor dy;  // of the output's shape
  int squared_distance;
  float inverse_temperature_logit;  // θ; m = softplus(θ) + 1
  float* dx;
  float* dcentroids;
  float* dtable;
  float* dlogit;  // ()
} lutnn_soft_gradients;
lutnn_code lutnn_soft_backward(const lutnn_soft_layer* layer, const lutnn_soft_gradients* gradients,
                               lutnn_error* error);

/* (C, K, M) of the table that centroids (C, K, V) and a weight (C·V, M) make, and that table. */
lutnn_code lutnn_soft_table_shape(const lutnn_tensor* centroids, const lutnn_tensor* weight, int64_t shape[3],
                                  lutnn_error* error);
lutnn_code lutnn_soft_table(const lutnn_tensor* centroids, const lutnn_tensor* weight, float* table,
                            lutnn_error* error);

/* The table as the forward pass rounds it. */
typedef struct lutnn_soft_rounding {
  lutnn_tensor centroids, table;  // as in lutnn_soft_layer
  int from_weight;
  lutnn_soft_format format;  // bits 2 … 8
} lutnn_soft_rounding;
/* Lengths C, K, M of the rounded table. */
lutnn_code lutnn_soft_rounded_shape(const lutnn_soft_rounding* rounding, int64_t shape[3], lutnn_error* error);
/* → values (C, K, M), scale (M); where the table is not finite, a scale of NaN and no values */
lutnn_code lutnn_soft_round(const lutnn_soft_rounding* rounding, int8_t* values, float* scale, lutnn_error* error);

#ifdef __cplusplus
}
#endif
#endif
