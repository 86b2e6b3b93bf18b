#include "vc_pixels.h"

// One body for both element types; colour (three planes) and single planes are loops of their own that vectorise.
#define CONVERT(source)                                                                                                \
    if (channels == 3) {                                                                                               \
        const float s0 = scale[0], s1 = scale[1], s2 = scale[2], o0 = offset[0], o1 = offset[1], o2 = offset[2];       \
        for (long p = 0; p < positions; p++) {                                                                         \
            out[3 * p] = (float)source[order[0] * positions + p] * s0 + o0;                                            \
            out[3 * p + 1] = (float)source[order[1] * positions + p] * s1 + o1;                                        \
            out[3 * p + 2] = (float)source[order[2] * positions + p] * s2 + o2;                                        \
        }                                                                                                              \
    } else if (channels == 1) {                                                                                        \
        for (long p = 0; p < positions; p++) out[p] = (float)source[p] * scale[0] + offset[0];                         \
    } else {                                                                                                           \
        for (int c = 0; c < channels; c++)                                                                             \
            for (long p = 0; p < positions; p++)                                                                       \
                out[p * channels + c] = (float)source[order[c] * positions + p] * scale[c] + offset[c];                \
    }

VC_KERNEL void vc_pixels_from_bytes(const uint8_t *restrict source, long positions, int channels, const int32_t *restrict order,
                                    const float *restrict scale, const float *restrict offset, float *restrict out) {
    CONVERT(source)
}

VC_KERNEL void vc_pixels_from_floats(const float *restrict source, long positions, int channels, const int32_t *restrict order,
                                     const float *restrict scale, const float *restrict offset, float *restrict out) {
    CONVERT(source)
}
