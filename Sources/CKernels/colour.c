#include "vc_colour.h"

VC_INLINE float bound(float v) {
    v = v < 0 ? 0 : v;
    return v > 255 ? 255 : v;
}

VC_INLINE float no_bound(float v) { return v; }

#define TO_BYTE(value) (uint8_t)((value) + 0.5f)
#define TO_FLOAT(value) (value)

// One body for both element types. Factors of 1 change nothing: 1 v + 0 g = v for finite g.
#define COLOUR(type, BOUND, ROUND)                                                                                     \
    const float b = colour->brightness, k = colour->contrast, s = colour->saturation;                                  \
    const float shift = (1 - k) * colour->mean, t = 1 - s;                                                             \
    if (channels == 3) {                                                                                               \
        type *restrict red = frame, *restrict green = frame + positions, *restrict blue = frame + 2 * positions;       \
        for (long p = 0; p < positions; p++) {                                                                         \
            const float r = BOUND(k * BOUND(b * (float)red[p]) + shift);                                               \
            const float g = BOUND(k * BOUND(b * (float)green[p]) + shift);                                             \
            const float h = BOUND(k * BOUND(b * (float)blue[p]) + shift);                                              \
            const float grey = t * (0.299f * r + 0.587f * g + 0.114f * h);                                             \
            red[p] = ROUND(BOUND(s * r + grey));                                                                       \
            green[p] = ROUND(BOUND(s * g + grey));                                                                     \
            blue[p] = ROUND(BOUND(s * h + grey));                                                                      \
        }                                                                                                              \
    } else {                                                                                                           \
        const long count = positions * channels;                                                                       \
        for (long p = 0; p < count; p++) frame[p] = ROUND(BOUND(k * BOUND(b * (float)frame[p]) + shift));              \
    }

VC_KERNEL void vc_colour_bytes(uint8_t *frame, long positions, int channels, const vc_colour *colour) {
    COLOUR(uint8_t, bound, TO_BYTE)
}

VC_KERNEL void vc_colour_floats(float *frame, long positions, int channels, const vc_colour *colour) {
    COLOUR(float, no_bound, TO_FLOAT)
}

// Sixteen single-precision sums of 64 values each are added to a double-precision sum, in the same order on every processor.
#define SUM(BOUND)                                                                                                     \
    double total = 0;                                                                                                  \
    long at = 0;                                                                                                       \
    while (at + 16 <= count) {                                                                                         \
        const long end = count - at < 1024 ? at + (count - at) / 16 * 16 : at + 1024;                                  \
        float lanes[16] = {0};                                                                                         \
        for (; at < end; at += 16)                                                                                     \
            for (int lane = 0; lane < 16; lane++) lanes[lane] += BOUND(brightness * (float)values[at + lane]);         \
        for (int lane = 0; lane < 16; lane++) total += lanes[lane];                                                    \
    }                                                                                                                  \
    for (; at < count; at++) total += BOUND(brightness * (float)values[at]);                                           \
    return total;

VC_KERNEL double vc_brightened_sum_bytes(const uint8_t *restrict values, long count, float brightness) { SUM(bound) }

VC_KERNEL double vc_brightened_sum_floats(const float *restrict values, long count, float brightness) { SUM(no_bound) }
