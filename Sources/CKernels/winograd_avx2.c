// The kernels of vc_winograd.h in vectors of 8 floats for AVX2.
#include "vc_winograd.h"

#ifdef VC_CLONES
#define VC_LANE_COUNT 8
#define WINOGRAD_KERNEL __attribute__((target("arch=x86-64-v3")))
#define WINOGRAD(name) name##_by_8
#include "vc_winograd_kernels.h"
#endif
