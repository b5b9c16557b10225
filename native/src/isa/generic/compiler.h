// What the compilers must be told so that inner loops stay in registers; nothing of it changes a result.
#pragma once

/// A for loop of at most 32 turns that is unrolled, so that the arrays that it runs over become registers.
#if defined(__clang__)
#define LUTNN_UNROLL(...) _Pragma("clang loop unroll(full)") for (__VA_ARGS__)
#elif defined(__GNUC__)
#define LUTNN_UNROLL(...) _Pragma("GCC unroll 32") for (__VA_ARGS__)
#else
#define LUTNN_UNROLL(...) for (__VA_ARGS__)
#endif

/// Before a function that stays one, with all registers to itself.
#if defined(__clang__) || defined(__GNUC__)
#define LUTNN_APART [[gnu::noinline]]
#else
#define LUTNN_APART __declspec(noinline)
#endif

/// A for loop that stays one.
#if defined(__clang__)
#define LUTNN_ROLL(...) _Pragma("clang loop unroll(disable)") for (__VA_ARGS__)
#elif defined(__GNUC__)
#define LUTNN_ROLL(...) _Pragma("GCC unroll 1") for (__VA_ARGS__)
#else
#define LUTNN_ROLL(...) for (__VA_ARGS__)
#endif

/// After a loop that added up `vector`: without it GCC copies every sum once a turn.
#if defined(__GNUC__) && defined(__x86_64__)
#define LUTNN_SETTLE(vector) __asm__("" : "+x"(vector))
#elif defined(__GNUC__) && defined(__aarch64__)
#define LUTNN_SETTLE(vector) __asm__("" : "+w"(vector))
#else
#define LUTNN_SETTLE(vector) static_cast<void>(vector)
#endif

/// In a loop that is unrolled: keeps GCC from computing every address behind `pointer` ahead of the loop, and storing it.
#if defined(__GNUC__)
#define LUTNN_FORGET(pointer) __asm__("" : "+r"(pointer))
#else
#define LUTNN_FORGET(pointer) static_cast<void>(pointer)
#endif
