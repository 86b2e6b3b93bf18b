// The properties of the processor.
#pragma once

#include "vc_simd.h"

/// The best instruction set that VC_KERNEL functions run: "avx512", "avx2", "baseline".
const char *vc_simd_level(void);

/// Space-separated names of the vector extensions the CPU has, such as "sse4.2 avx avx2 fma avx512f".
/// Written to `text` (at most `capacity` bytes, terminator included).
void vc_cpu_extensions(char *text, size_t capacity);

/// Tells the processor that the thread waits for another.
VC_INLINE void vc_spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
