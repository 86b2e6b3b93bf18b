#include "vc_cpu.h"

#include <string.h>

#if defined(__x86_64__)
#define HAS(name) __builtin_cpu_supports(name)
#else
#define HAS(name) 0
#endif

const char *vc_simd_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (HAS("x86-64-v4")) return "avx512";
    if (HAS("x86-64-v3")) return "avx2";
#endif
    return "baseline";
}

void vc_cpu_extensions(char *text, size_t capacity) {
    size_t used = 0;
    if (capacity == 0) return;
    text[0] = '\0';
#define ADD(name)                                                                                                      \
    if (HAS(name) && used + sizeof(name) + 1 < capacity) {                                                             \
        if (used > 0) text[used++] = ' ';                                                                              \
        memcpy(text + used, name, sizeof(name));                                                                       \
        used += sizeof(name) - 1;                                                                                      \
    }
#if defined(__x86_64__)
    __builtin_cpu_init();
    ADD("sse4.2") ADD("avx") ADD("avx2") ADD("fma") ADD("avx512f") ADD("avx512bw") ADD("avx512dq") ADD("avx512vl")
    ADD("avx512vnni") ADD("avx512bf16")
#elif defined(__aarch64__)
    if (capacity > 4) memcpy(text, "neon", 5);
#endif
    (void)used;
}
