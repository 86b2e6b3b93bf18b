// Small helpers for loops over the rows of a matrix that may be absent. Private to CKernels.
#pragma once

#include "vc_simd.h"

/// Row r of a matrix with row stride `stride`; NULL where there is no matrix.
VC_INLINE const float *vc_row(const float *base, size_t r, size_t stride) {
    return base == NULL ? NULL : base + r * stride;
}
