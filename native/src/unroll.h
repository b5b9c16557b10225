// LUTNN_UNROLL before a loop of at most 16 turns keeps the arrays that it runs over in registers.
#pragma once

#if defined(__clang__)
#define LUTNN_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define LUTNN_UNROLL _Pragma("GCC unroll 16")
#else
#define LUTNN_UNROLL
#endif
