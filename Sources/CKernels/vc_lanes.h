// Sixteen channels at a time, in vectors that a machine with shorter registers splits; or VC_LANE_COUNT, a power of 2. Private to CKernels.
#pragma once

#include "vc_simd.h"

#include <string.h>

#ifndef VC_LANE_COUNT
#define VC_LANE_COUNT 16
#endif

enum { vc_lane_count = VC_LANE_COUNT };
typedef float vc_lanes __attribute__((vector_size(4 * VC_LANE_COUNT)));

/// All ones where a comparison of lanes holds, zero elsewhere.
typedef int vc_lane_mask __attribute__((vector_size(4 * VC_LANE_COUNT)));

#define VC_UNROLLED _Pragma("clang loop unroll(full)")

/// The first n floats at `p`, n <= vc_lane_count; a constant vc_lane_count is one load.
VC_INLINE void vc_get(vc_lanes *value, const float *p, int n) {
    if (n == vc_lane_count) {
        memcpy(value, p, sizeof *value);
    } else {
        *value = (vc_lanes){0};
        memcpy(value, p, (size_t)n * sizeof(float));
    }
}

VC_INLINE void vc_put(float *p, const vc_lanes *value, int n) {
    memcpy(p, value, n == vc_lane_count ? sizeof *value : (size_t)n * sizeof(float));
}

/// Brings the lanes of x within the bounds; NaN stays NaN.
VC_INLINE void vc_bound(vc_lanes *x, float low, float high) {
    const vc_lanes lows = low + (vc_lanes){0}, highs = high + (vc_lanes){0};
    const vc_lane_mask below = *x < lows, above = *x > highs;
    *x = (vc_lanes)((below & (vc_lane_mask)lows) | (above & (vc_lane_mask)highs) | (~(below | above) & (vc_lane_mask)*x));
}

// Calls BODY(c, n) for groups of n channels from c on that cover `channels`: whole vectors, the last of which overlaps the one
// before it; one short vector for fewer channels than a vector has. BODY must not add to what it wrote.
#define VC_FOR_EACH_GROUP(channels, BODY)                                                                              \
    if ((channels) < vc_lane_count) {                                                                                  \
        BODY(0, (channels));                                                                                           \
    } else {                                                                                                           \
        int c = 0;                                                                                                     \
        for (; c + vc_lane_count <= (channels); c += vc_lane_count) BODY(c, vc_lane_count);                            \
        if (c < (channels)) BODY((channels) - vc_lane_count, vc_lane_count);                                           \
    }
