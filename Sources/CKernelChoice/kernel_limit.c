// VIDCLASS_KERNELS=avx2 lets a processor with AVX-512 run the kernels for AVX2, so that it computes the bits of one without. The clones of
// a kernel (VC_KERNEL, vc_simd.h) are chosen while the program is loaded, by functions that ask __cpu_indicator_init (libgcc, compiler-rt)
// what the processor can do. The linker calls ours instead (--wrap, Package.swift). Nothing of the C library may be called so early, and
// there is no environment yet: /proc/self/environ is read by system calls.
#if defined(__x86_64__)
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>

// Bits of the levels of the x86-64 psABI in __cpu_features2[2]: x86-64-v3 (AVX2) is 97 - 96, x86-64-v4 (AVX-512) 98 - 96.
static const unsigned v4 = 1u << 2;

extern unsigned __cpu_features2[] __attribute__((visibility("hidden")));
int __real___cpu_indicator_init(void);
int __wrap___cpu_indicator_init(void);

static long system_call(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third) : "rcx", "r11", "memory");
    return result;
}

static bool is_limited(void) {
    static const char wanted[] = "VIDCLASS_KERNELS=avx2";
    char block[4096];
    // The bytes of the current variable that are as wanted; -1 after another byte.
    int equal = 0;
    bool is_found = false;
    const long file = system_call(SYS_open, (long)"/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) return false;
    for (long count; (count = system_call(SYS_read, file, (long)block, sizeof block)) > 0;) {
        for (long i = 0; i < count; i++) {
            if (block[i] == 0) {
                is_found = is_found || equal == (int)sizeof wanted - 1;
                equal = 0;
            } else {
                equal = equal >= 0 && equal < (int)sizeof wanted - 1 && block[i] == wanted[equal] ? equal + 1 : -1;
            }
        }
    }
    system_call(SYS_close, file, 0, 0);
    return is_found;
}

int __wrap___cpu_indicator_init(void) {
    // Asked once: later calls find what this one has left.
    static bool is_done;
    const int result = __real___cpu_indicator_init();
    if (!is_done && is_limited()) __cpu_features2[2] &= ~v4;
    is_done = true;
    return result;
}
#endif
