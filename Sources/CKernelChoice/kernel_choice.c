// OpenBLAS picks its kernel by CPU model, and a library older than the CPU falls back to one without AVX: five times
// slower. It reads OPENBLAS_CORETYPE in its own constructor; ours runs earlier (priority 101) in the same static
// binary and sets the variable from what the CPU can do. A value that the user set is left alone.
#include "CKernelChoice.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static const char *core_for_this_cpu(void) {
    __builtin_cpu_init();
    // One for all processors: OpenBLAS's kernels for Intel's and AMD's with AVX2 differ in their last bits.
    const char *limit = getenv("VIDCLASS_KERNELS");
    if (limit != NULL && strcmp(limit, "avx2") == 0) return __builtin_cpu_supports("avx2") ? "HASWELL" : NULL;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        return "SKYLAKEX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_is("amd") ? "ZEN" : "HASWELL";
    return NULL;
}
#else
static const char *core_for_this_cpu(void) { return NULL; }
#endif

/// A function of Swift's runtime that sets the arguments which the program sees.
extern void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);

__attribute__((constructor(101))) static void choose_core(int argc, char **argv) {
    // The runtime finds the arguments on the stack, in front of the environment, which setenv moves away from there. Where it is linked into
    // the program, it looks for them only after this function.
    _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
    const char *own = getenv("OPENBLAS_CORETYPE");
    // A value that another process of this program has chosen is not the user's.
    const char *chosen = getenv("VIDCLASS_CORETYPE_CHOSEN");
    if (own == NULL || own[0] == '\0' || (chosen != NULL && strcmp(own, chosen) == 0)) {
        const char *core = core_for_this_cpu();
        if (core != NULL) {
            setenv("OPENBLAS_CORETYPE", core, 1);
            // Tells BLAS.coreIsUsers, here and in child processes, that the value is not the user's.
            setenv("VIDCLASS_CORETYPE_CHOSEN", core, 1);
        }
    }
}
