// A transform holds up to 36 vectors. With the 16 registers of AVX2, vectors of 8 floats take a quarter less time than vectors of 16, each of
// which would be two.
#include "vc_winograd.h"

#ifdef VC_CLONES
#define WINOGRAD_KERNEL __attribute__((target_clones("arch=x86-64-v4", "default"))) static
#define WINOGRAD(name) name##_by_16
#else
#define WINOGRAD_KERNEL
#define WINOGRAD(name) name
#endif
#include "vc_winograd_kernels.h"

#ifdef VC_CLONES
// Defines `name`, which calls name_by_8 of winograd_avx2.c or name_by_16.
#define CHOOSE(name, parameters, arguments)                                                                            \
    void name##_by_8 parameters;                                                                                       \
    void name parameters {                                                                                             \
        if (__builtin_cpu_supports("x86-64-v3") && !__builtin_cpu_supports("x86-64-v4")) {                             \
            name##_by_8 arguments;                                                                                     \
        } else {                                                                                                       \
            name##_by_16 arguments;                                                                                    \
        }                                                                                                              \
    }

CHOOSE(vc_winograd_input,
       (const vc_winograd_map *map, const float *input, long first, int count, const vc_winograd_matrices *layout, int at, float *v,
        vc_winograd_patches *zeros, float *spare),
       (map, input, first, count, layout, at, v, zeros, spare))
CHOOSE(vc_winograd_output_adjoint,
       (const vc_winograd_map *map, const float *d_output, long first, int count, const vc_winograd_matrices *layout, int at, float *dm,
        float *spare),
       (map, d_output, first, count, layout, at, dm, spare))
CHOOSE(vc_winograd_output,
       (const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m, const vc_winograd_patches *zeros, int at,
        long first, int count, const float *bias, bool relu, float *output, float *spare),
       (map, layout, m, zeros, at, first, count, bias, relu, output, spare))
CHOOSE(vc_winograd_output_gated,
       (const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m, const vc_winograd_patches *zeros, int at,
        long first, int count, const float *gate, float *output, float *spare),
       (map, layout, m, zeros, at, first, count, gate, output, spare))
CHOOSE(vc_winograd_output_pooled,
       (const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m, const vc_winograd_patches *zeros, int at,
        long first, int count, const float *bias, bool relu, float *whole, float *output, float *spare),
       (map, layout, m, zeros, at, first, count, bias, relu, whole, output, spare))
CHOOSE(vc_winograd_filter,
       (const float *kernel, int filters, int first, int last, const vc_winograd_matrices *layout, float *u),
       (kernel, filters, first, last, layout, u))
CHOOSE(vc_winograd_filter_adjoint,
       (const vc_winograd_matrices *layout, const float *du, int filters, int first, int last, float *d_kernel),
       (layout, du, filters, first, last, d_kernel))
#endif
