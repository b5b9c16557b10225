// The C API of the lookup operators, which owns every rule about arguments: a front translates its host's values, and what
// breaks a rule comes back as a code and one sentence of what, rule, value and remedy, without the caller's name, before
// anything is written. Plain C, no allocation of the host's is kept: what a layer is made of is copied.
//
// Letters: N rows of a matrix or positions of a convolution's output, C codebooks, K centroids, V length of a sub-vector,
// M outputs. Arrays are contiguous, aligned to their elements; lengths are in elements.
#ifndef LUTNN_H
#define LUTNN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lutnn_code {
  LUTNN_OK = 0,
  LUTNN_WRONG_KIND = 1,  // not the kind of value that is wanted; a TypeError in JavaScript
  LUTNN_OUT_OF_RANGE = 2,  // a number, length or place that breaks a rule
  LUTNN_NO_MEMORY = 3,
  LUTNN_FAILED = 4
} lutnn_code;

typedef struct lutnn_error {
  char message[512];  // UTF-8, set where the code is not LUTNN_OK
} lutnn_error;

typedef struct lutnn_floats {
  const float* data;
  int64_t length;
} lutnn_floats;
typedef struct lutnn_doubles {
  const double* data;
  int64_t length;
} lutnn_doubles;
typedef struct lutnn_bytes {
  const uint8_t* data;
  int64_t length;
} lutnn_bytes;
typedef struct lutnn_int8s {
  const int8_t* data;
  int64_t length;
} lutnn_int8s;
typedef struct lutnn_ints {
  const int32_t* data;
  int64_t length;
} lutnn_ints;
typedef struct lutnn_floats_out {
  float* data;
  int64_t length;
} lutnn_floats_out;
typedef struct lutnn_doubles_out {
  double* data;
  int64_t length;
} lutnn_doubles_out;
typedef struct lutnn_bytes_out {
  uint8_t* data;
  int64_t length;
} lutnn_bytes_out;
typedef struct lutnn_int8s_out {
  int8_t* data;
  int64_t length;
} lutnn_int8s_out;
typedef struct lutnn_ints_out {
  int32_t* data;
  int64_t length;
} lutnn_ints_out;

/* The instruction set that runs, and memory that calls share. Each thread of the host that calls has its own. */

typedef struct lutnn_context lutnn_context;

/* With the fastest instruction set, or what the environment's LUTNN_FORCE_ISA names; LUTNN_FAILED where that is not there. */
lutnn_code lutnn_context_create(lutnn_context** context, lutnn_error* error);
/* With the instruction set of that name; LUTNN_OUT_OF_RANGE where it is not there. */
lutnn_code lutnn_context_create_for(const char* isa, lutnn_context** context, lutnn_error* error);
void lutnn_context_free(lutnn_context* context);
const char* lutnn_context_isa(const lutnn_context* context);
size_t lutnn_context_bytes(const lutnn_context* context);
/* Name i of the instruction sets that are there, fastest first; null behind the last. */
const char* lutnn_available_isa(size_t i);

/* Rules about numbers by themselves, for hosts that know them before there are arrays of inputs; `name` begins the sentence. */
lutnn_code lutnn_check_scale(const char* name, float scale, lutnn_error* error);  // finite, above 0
lutnn_code lutnn_check_epsilon(float epsilon, lutnn_error* error);  // finite, from 0
lutnn_code lutnn_check_finite(const char* name, lutnn_floats values, lutnn_error* error);  // each of them

/* A layer: replaced, or dense in integers; on the rows of a matrix, or on a window of images. */

typedef struct lutnn_lookup {
  int64_t num_codebooks;  // C, from 1
  int64_t num_centroids;  // K, 2 … 256
  int64_t subvector_length;  // V, from 1
  int64_t outputs;  // M, from 1
  lutnn_floats centroids;  // (C, K, V)
  lutnn_int8s lookup_table;  // (C, K, M)
  lutnn_floats table_scale;  // (M)
  lutnn_floats bias;  // (M)
} lutnn_lookup;

/* On x (batch, channels, height, width); sub-vectors are (channel, row, column), of whole windows of their channels. */
typedef struct lutnn_window {
  int64_t input_channels;
  int64_t filter_height, filter_width;
  int64_t stride_height, stride_width;
  int64_t dilation_height, dilation_width;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
} lutnn_window;

/* In which numbers inputs are compared with centroids; inputs of LUTNN_CODES are codes already. */
typedef int32_t lutnn_encoding;
enum { LUTNN_FLOAT32 = 0, LUTNN_INT8 = 1, LUTNN_TREE = 2, LUTNN_INTEGER = 3, LUTNN_CODES = 4 };
/* "float32", "int8", "tree" or "integer"; LUTNN_WRONG_KIND for any other name. */
lutnn_code lutnn_encoding_named(const char* name, lutnn_encoding* encoding, lutnn_error* error);

/* Codes that are defined in integers, the same on every instruction set and in other runtimes: an input is
   q = clamp(round(x / input_scale) + input_zero_point, 0, 255), the quotient a float32, halves to the even number, NaN to 0;
   its code is the k of the largest Σ_v (q_v − input_zero_point) · p_kv − half_norm_k, of equal ones the lowest. V is at most
   256. */
typedef struct lutnn_integer_codes {
  float input_scale;  // finite, above 0
  int64_t input_zero_point;  // 0 … 255
  lutnn_int8s centroids;  // (C, K, V), within ±127
  lutnn_ints half_norms;  // (C, K), 0 … 2²³
} lutnn_integer_codes;

typedef struct lutnn_layer_options {
  lutnn_encoding encoding;
  const lutnn_window* window;  // null: the rows of a matrix, as LUTNN_CODES needs them
  lutnn_ints tree_dimensions;  // (C, 4), for LUTNN_TREE: which element each level compares, below V
  lutnn_floats tree_thresholds;  // (C, 15): of level 0, then two of level 1, four of level 2 and eight of level 3
  const lutnn_integer_codes* integers;  // for LUTNN_INTEGER; the lookup's centroids are not read then
} lutnn_layer_options;  // of LUTNN_CODES a lookup's centroids and subvector_length are not read

typedef struct lutnn_layer lutnn_layer;

lutnn_code lutnn_layer_create(const lutnn_context* context, const lutnn_lookup* lookup,
                              const lutnn_layer_options* options, lutnn_layer** layer, lutnn_error* error);
void lutnn_layer_free(lutnn_layer* layer);
size_t lutnn_layer_bytes(const lutnn_layer* layer);
/* [output height, output width] of a layer on a window. */
lutnn_code lutnn_layer_output_size(const lutnn_layer* layer, int64_t height, int64_t width, int64_t size[2],
                                   lutnn_error* error);

/* A dense layer in integers: inputs are bytes as lutnn_integer_codes has them, y = scale · Σ_d (q_d − input_zero_point) · w_dm +
   bias, the sum exact, product and sum rounded one after the other. On a window padding is the zero point. It runs as a layer
   of lookups does, but has no codes. */
typedef struct lutnn_dense {
  int64_t inputs;  // D, 1 … 66,311; on a window channels · filter height · filter width
  int64_t outputs;  // M, from 1
  float input_scale;  // finite, above 0
  int64_t input_zero_point;  // 0 … 255
  lutnn_int8s weights;  // (D, M), on a window (M, channels, filter height, filter width); within ±127
  lutnn_floats scale;  // (M)
  lutnn_floats bias;  // (M)
} lutnn_dense;

/* On the rows of a matrix where window is null. To be freed by lutnn_layer_free. */
lutnn_code lutnn_dense_create(const lutnn_context* context, const lutnn_dense* dense, const lutnn_window* window,
                              lutnn_layer** layer, lutnn_error* error);

/* x (count, C·V), of a dense layer (count, D); or, of a layer on a window, (count, channels, height, width). */
typedef struct lutnn_inputs {
  lutnn_floats x;
  int64_t count;
  int64_t height, width;
  const lutnn_bytes* quantized;  // null, or the inputs' bytes as lutnn_integer_codes has them; x is not read then
  const lutnn_bytes* codes;  // (count, C), each below K, of a layer of LUTNN_CODES; x is not read then
} lutnn_inputs;

/* Results as bytes clamp(round(y / scale) + zero_point, 0, 255), rounded as in lutnn_integer_codes. */
typedef struct lutnn_byte_results {
  lutnn_bytes_out bytes;  // like y
  float scale;  // finite, above 0
  int64_t zero_point;  // 0 … 255
} lutnn_byte_results;

/* Threads of the host's: calls task(body, i, slot) once for each i below `tasks` and returns when all are done; slot is
   below `slots`, and no two tasks that run at the same time have the same one. */
typedef struct lutnn_executor {
  void* host;
  int64_t slots;
  void (*for_each)(void* host, int64_t tasks, void (*task)(void* body, int64_t i, int64_t slot), void* body);
} lutnn_executor;

/* Results do not depend on the threads. */
typedef struct lutnn_run {
  lutnn_inputs inputs;
  lutnn_floats_out y;  // (count, M), or (count, M, output height, output width); may be null where bytes are wanted
  const lutnn_floats* residual;  // null, or like the results and added to them; it may be y itself
  int relu;  // negative results become 0, after the residual was added
  int gelu;  // or they become y · Φ(y), Φ the normal distribution, within 2⁻²² · |y| of it; not both
  const lutnn_byte_results* quantized;  // null, or where the bytes of these results go
  int64_t threads;  // 1 … 256 of our own, where there is no executor
  const lutnn_executor* executor;  // null, or the host's threads; it must live as long as the run
  int64_t from, to;  // only these rows or images are computed, `to` not among them
  const lutnn_doubles_out*
      times;  // null, or (2): ms of encoding and of looking up are added to it; of bringing in order and of multiplying
} lutnn_run;

lutnn_code lutnn_layer_run(const lutnn_layer* layer, const lutnn_run* run, lutnn_context* context, lutnn_error* error);

/* A run whose arguments are checked once. The layer and the arrays must outlive it. */
typedef struct lutnn_call lutnn_call;
lutnn_code lutnn_call_create(const lutnn_layer* layer, const lutnn_run* run, lutnn_call** call, lutnn_error* error);
lutnn_code lutnn_call_run(const lutnn_call* call, lutnn_context* context, lutnn_error* error);
void lutnn_call_free(lutnn_call* call);

/* → codes (N, C) */
lutnn_code lutnn_layer_encode(const lutnn_layer* layer, const lutnn_inputs* inputs, lutnn_bytes_out codes,
                              lutnn_context* context, lutnn_error* error);
/* Codes alone of the rows of a matrix, for several layers of LUTNN_CODES that read the same rows: in float32, or in integers. */
typedef struct lutnn_codebooks {
  int64_t num_codebooks, num_centroids, subvector_length;
  lutnn_floats centroids;  // (C, K, V)
  const lutnn_integer_codes* integers;  // null, or codes in integers; centroids are not read then
} lutnn_codebooks;
typedef struct lutnn_encoder lutnn_encoder;
lutnn_code lutnn_encoder_create(const lutnn_context* context, const lutnn_codebooks* codebooks, lutnn_encoder** encoder,
                                lutnn_error* error);
void lutnn_encoder_free(lutnn_encoder* encoder);
/* → codes (count, C), by the host's threads where executor is not null */
lutnn_code lutnn_encoder_run(const lutnn_encoder* encoder, const lutnn_inputs* inputs, lutnn_bytes_out codes,
                             const lutnn_executor* executor, lutnn_context* context, lutnn_error* error);

/* codes (N, C) → sums (N, M), before scale and bias */
lutnn_code lutnn_layer_lookup(const lutnn_layer* layer, lutnn_bytes codes, int64_t positions, lutnn_ints_out sums,
                              lutnn_context* context, lutnn_error* error);
/* Share of the codes that are not those of LUTNN_FLOAT32. LUTNN_WRONG_KIND for LUTNN_INTEGER, which has no others. */
lutnn_code lutnn_layer_mismatch(const lutnn_layer* layer, const lutnn_inputs* inputs, double* share,
                                lutnn_context* context, lutnn_error* error);

/* What may stand between layers that hand bytes to each other. */

/* The largest byte of each window of images; there is nothing in padding, of which each side has less than the filter. */
typedef struct lutnn_max_pool {
  lutnn_window window;  // without dilation
  int64_t batch, height, width;
  lutnn_bytes x;  // (batch, channels, height, width)
  lutnn_bytes_out y;  // (batch, channels, output height, output width)
  const lutnn_executor* executor;  // null, or the host's threads
} lutnn_max_pool;
/* Everything about such a window but for its channels and the images. */
lutnn_code lutnn_check_max_pool(const lutnn_window* window, lutnn_error* error);
/* Writes the output's height and width to size. */
lutnn_code lutnn_max_pool_size(const lutnn_window* window, int64_t height, int64_t width, int64_t size[2],
                               lutnn_error* error);
lutnn_code lutnn_max_pool_run(const lutnn_max_pool* pool, lutnn_context* context, lutnn_error* error);

/* Scaled dot-product attention: softmax(scale · Q·Kᵀ) · V of each head, in float32. */
typedef struct lutnn_attention {
  int64_t batch, heads, queries;
  int64_t positions, depth, outputs;  // of keys and values; numbers of a head's query, and of its value; from 1
  lutnn_floats query;  // (batch, queries, heads · depth)
  lutnn_floats key;  // (batch, positions, heads · depth)
  lutnn_floats value;  // (batch, positions, heads · outputs)
  const lutnn_floats* mask;  // null, or (batch, positions): (mask − 1) · 10⁹ is added to scores, so that 0 rules out
  float scale;
  lutnn_floats_out y;  // (batch, queries, heads · outputs)
  const lutnn_executor* executor;  // null, or the host's threads
} lutnn_attention;
lutnn_code lutnn_attention_run(const lutnn_attention* attention, lutnn_context* context, lutnn_error* error);

/* The same of bytes, of which 128 is 0, and a key's or value's 0 is taken for 1. score = scale · Σ (query − 128)·(key − 128) and what the
   mask adds; share = clamp(round(255 · e^(score − largest score)), 0, 255), halves to the even number;
   y = value_scale · Σ share · (value − 128) · (1 / Σ share). Both sums of products are exact. */
typedef struct lutnn_attention_of_bytes {
  int64_t batch, heads, queries;
  int64_t positions, depth, outputs;  // 1 … 66311
  lutnn_bytes query, key, value;  // as in lutnn_attention
  const lutnn_floats* mask;
  float scale, value_scale;
  lutnn_floats_out y;
  const lutnn_executor* executor;
} lutnn_attention_of_bytes;
lutnn_code lutnn_attention_of_bytes_run(const lutnn_attention_of_bytes* attention, lutnn_context* context,
                                        lutnn_error* error);

/* Layer norm of rows, (x − mean) / √(variance + epsilon) · scale + shift, in float32, as numbers, as their bytes or both. */
typedef struct lutnn_layer_norm {
  int64_t rows, length;  // numbers of a row, from 1
  lutnn_floats x;  // (rows, length)
  lutnn_floats scale, shift;  // (length)
  float epsilon;  // finite, from 0
  lutnn_floats_out y;  // (rows, length); may be null where bytes are wanted
  const lutnn_byte_results* quantized;  // null, or where the bytes of the results go
  const lutnn_executor* executor;  // null, or the host's threads
} lutnn_layer_norm;
lutnn_code lutnn_layer_norm_run(const lutnn_layer_norm* norm, lutnn_context* context, lutnn_error* error);

/* What calibration needs, without a layer. */

typedef struct lutnn_encode {
  lutnn_floats x;  // (rows, C·V)
  int64_t rows;
  lutnn_floats centroids;  // (C, K, V)
  int64_t num_codebooks, num_centroids, subvector_length;
  lutnn_bytes_out codes;  // (rows, C)
} lutnn_encode;
lutnn_code lutnn_encode_rows(const lutnn_encode* encode, lutnn_context* context, lutnn_error* error);

/* The same of codes that are defined in integers. */
typedef struct lutnn_encode_integers {
  lutnn_floats x;  // (rows, C·V)
  int64_t rows;
  const lutnn_integer_codes* integers;
  int64_t num_codebooks, num_centroids, subvector_length;
  lutnn_bytes_out codes;  // (rows, C)
} lutnn_encode_integers;
lutnn_code lutnn_encode_integer_rows(const lutnn_encode_integers* encode, lutnn_context* context, lutnn_error* error);

typedef struct lutnn_table_codes {
  lutnn_bytes codes;  // (rows, C), each below K
  int64_t rows;
  int64_t num_codebooks, num_centroids, outputs;
  int64_t threads;  // 1 … 256; results do not depend on it
} lutnn_table_codes;
/* sums (rows, M) += Σ_c table[c][code of the row in c], c rising; table (C, K, M) */
lutnn_code lutnn_lookup_add(const lutnn_table_codes* codes, lutnn_floats table, lutnn_floats_out sums,
                            const lutnn_context* context, lutnn_error* error);
/* table[c][code of the row in c] += values of the row, rows rising; values (rows, M), table (C, K, M) */
lutnn_code lutnn_scatter_add(const lutnn_table_codes* codes, lutnn_floats values, lutnn_floats_out table,
                             const lutnn_context* context, lutnn_error* error);

typedef struct lutnn_quantize {
  lutnn_floats table;  // (rows, M), a row for each codebook and centroid
  int64_t rows, outputs;
  int32_t per_output;  // 0: one scale for the whole table
  int64_t limit;  // 1 … 127, the largest entry
  lutnn_int8s_out values;  // (rows, M)
  lutnn_floats_out scale;  // (M)
} lutnn_quantize;
/* scale = largest |entry| / limit, 1 where that rounds to 0; values = entry / scale in float32, rounded half to even, within
   ±limit. Sets finite to 0, and writes nothing else, where an entry is not. */
lutnn_code lutnn_quantize_table(const lutnn_quantize* quantize, int32_t* finite, lutnn_error* error);

#ifdef __cplusplus
}
#endif
#endif
