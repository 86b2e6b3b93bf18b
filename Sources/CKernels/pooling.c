#include "vc_pooling.h"

#include "vc_convolution.h"

#include <string.h>

/// Returns true if `x` replaces the maximum so far: it is larger, or NaN.
VC_INLINE bool beats(float x, float best) { return x > best || x != x; }

/// Returns true if a maximum passes the gradient on: if `rectified`, only a positive one does.
VC_INLINE bool passes(float best, bool rectified) { return best > 0 || !rectified; }

VC_KERNEL void vc_max_pool(const vc_pool_shape *s, const float *input, int row0, int row1, float *output) {
    const int channels = s->channels;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const float *window = input + i * s->stride_rows * line + (ptrdiff_t)j * s->stride_columns * channels;
            float *restrict out = output + ((ptrdiff_t)i * s->out_columns + j) * channels;
            if (s->pool_rows == 2 && s->pool_columns == 2) {
                for (int c = 0; c < channels; c++) {
                    const float a = window[c], b = window[channels + c];
                    const float d = window[line + c], e = window[line + channels + c];
                    const float above = beats(b, a) ? b : a, below = beats(e, d) ? e : d;
                    out[c] = beats(below, above) ? below : above;
                }
                continue;
            }
            for (int c = 0; c < channels; c++) out[c] = window[c];
            for (int r = 0; r < s->pool_rows; r++) {
                for (int q = 0; q < s->pool_columns; q++) {
                    const float *restrict x = window + r * line + (ptrdiff_t)q * channels;
                    for (int c = 0; c < channels; c++) out[c] = beats(x[c], out[c]) ? x[c] : out[c];
                }
            }
        }
    }
}

/// The gradient of one 2x2 window, channel by channel, written over its inputs x0 ... x3.
VC_INLINE void gradient_in_window(float *restrict x0, float *restrict x1, float *restrict x2, float *restrict x3,
                                  const float *restrict d, int channels, bool rectified) {
    for (int c = 0; c < channels; c++) {
        float best = x0[c];
        int which = 0;
        which = beats(x1[c], best) ? 1 : which;
        best = beats(x1[c], best) ? x1[c] : best;
        which = beats(x2[c], best) ? 2 : which;
        best = beats(x2[c], best) ? x2[c] : best;
        which = beats(x3[c], best) ? 3 : which;
        best = beats(x3[c], best) ? x3[c] : best;
        const float passed = passes(best, rectified) ? d[c] : 0;
        x0[c] = which == 0 ? passed : 0;
        x1[c] = which == 1 ? passed : 0;
        x2[c] = which == 2 ? passed : 0;
        x3[c] = which == 3 ? passed : 0;
    }
}

/// 2x2 windows that neither overlap nor leave gaps: every input element of a window is written once. `d_input` may be
/// `input`, as in training; otherwise the input is copied there first.
VC_INLINE void gradient_2x2(const vc_pool_shape *s, const float *input, const float *d_output, bool rectified,
                                float *d_input) {
    const int channels = s->channels;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    if (input != d_input) memcpy(d_input, input, (size_t)(s->rows * line) * sizeof(float));
    for (int i = 0; i < s->out_rows; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const float *d = d_output + ((ptrdiff_t)i * s->out_columns + j) * channels;
            float *x = d_input + 2 * i * line + (ptrdiff_t)2 * j * channels;
            gradient_in_window(x, x + channels, x + line, x + line + channels, d, channels, rectified);
        }
        // An odd last column is in no window.
        for (ptrdiff_t c = (ptrdiff_t)2 * s->out_columns * channels; c < line; c++)
            d_input[2 * i * line + c] = d_input[(2 * i + 1) * line + c] = 0;
    }
    for (ptrdiff_t c = 2 * s->out_rows * line; c < s->rows * line; c++) d_input[c] = 0;
}

/// Windows of any kind, `tile` channels at a time so that the positions of the maxima stay in registers or L1.
VC_INLINE void gradient_general(const vc_pool_shape *s, const float *input, const float *d_output, bool rectified,
                                float *d_input) {
    enum { tile = 64 };
    float best[tile];
    int which[tile];
    const int channels = s->channels;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    for (ptrdiff_t c = 0; c < s->rows * line; c++) d_input[c] = 0;
    for (int i = 0; i < s->out_rows; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            for (int c0 = 0; c0 < channels; c0 += tile) {
                const int width = channels - c0 < tile ? channels - c0 : tile;
                const ptrdiff_t at = i * s->stride_rows * line + (ptrdiff_t)j * s->stride_columns * channels + c0;
                const float *d = d_output + ((ptrdiff_t)i * s->out_columns + j) * channels + c0;
                for (int c = 0; c < width; c++) {
                    best[c] = input[at + c];
                    which[c] = 0;
                }
                for (int w = 1; w < s->pool_rows * s->pool_columns; w++) {
                    const float *x = input + at + w / s->pool_columns * line + (ptrdiff_t)(w % s->pool_columns) * channels;
                    for (int c = 0; c < width; c++) {
                        which[c] = beats(x[c], best[c]) ? w : which[c];
                        best[c] = beats(x[c], best[c]) ? x[c] : best[c];
                    }
                }
                for (int w = 0; w < s->pool_rows * s->pool_columns; w++) {
                    float *dx = d_input + at + w / s->pool_columns * line + (ptrdiff_t)(w % s->pool_columns) * channels;
                    for (int c = 0; c < width; c++) dx[c] += which[c] == w && passes(best[c], rectified) ? d[c] : 0;
                }
            }
        }
    }
}

VC_KERNEL void vc_max_pool_gradient(const vc_pool_shape *s, const float *input, const float *d_output, bool rectified,
                                    float *d_input) {
    const bool halving = s->pool_rows == 2 && s->pool_columns == 2 && s->stride_rows == 2 && s->stride_columns == 2;
    if (halving) {
        gradient_2x2(s, input, d_output, rectified, d_input);
    } else {
        gradient_general(s, input, d_output, rectified, d_input);
    }
}

VC_KERNEL void vc_global_average_pool(const float *input, long positions, int channels, float *restrict output) {
    vc_sum_positions(input, positions, channels, output);
    const float share = 1.0f / (float)positions;
    for (int c = 0; c < channels; c++) output[c] *= share;
}

VC_KERNEL void vc_global_average_pool_gradient(const float *restrict d_output, long positions, int channels,
                                               float *restrict d_input) {
    const float share = 1.0f / (float)positions;
    for (long p = 0; p < positions; p++)
        for (int c = 0; c < channels; c++) d_input[p * channels + c] = d_output[c] * share;
}

VC_KERNEL void vc_global_max_pool(const float *restrict input, long positions, int channels, float *restrict output) {
    for (int c = 0; c < channels; c++) output[c] = input[c];
    for (long p = 1; p < positions; p++)
        for (int c = 0; c < channels; c++)
            output[c] = beats(input[p * channels + c], output[c]) ? input[p * channels + c] : output[c];
}

VC_KERNEL void vc_global_max_pool_gradient(const float *restrict input, const float *restrict d_output, long positions,
                                           int channels, float *restrict d_input) {
    enum { tile = 64 };
    float best[tile];
    int which[tile];
    for (int c0 = 0; c0 < channels; c0 += tile) {
        const int width = channels - c0 < tile ? channels - c0 : tile;
        for (int c = 0; c < width; c++) {
            best[c] = input[c0 + c];
            which[c] = 0;
        }
        for (long p = 1; p < positions; p++) {
            const float *x = input + p * channels + c0;
            for (int c = 0; c < width; c++) {
                which[c] = beats(x[c], best[c]) ? (int)p : which[c];
                best[c] = beats(x[c], best[c]) ? x[c] : best[c];
            }
        }
        for (long p = 0; p < positions; p++)
            for (int c = 0; c < width; c++)
                d_input[p * channels + c0 + c] = which[c] == (int)p ? d_output[c0 + c] : 0;
    }
}
