// One source, three instruction sets: VC_KERNEL before a function compiles it for AVX-512, AVX2 and the baseline and
// the loader picks one. Helpers that it calls are VC_INLINE so that they are compiled along with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The loader picks before ThreadSanitizer is there to be told of calls.
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define VC_NO_CLONES
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(VC_NO_CLONES)
#define VC_CLONES
#define VC_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VC_KERNEL
#endif

#define VC_INLINE static inline __attribute__((always_inline))

/// Before a loop in which each pass reads and writes its own elements only: it is vectorised without asking where the arrays are, so
/// also where a result takes the place of an argument.
#define VC_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
