#include "vc_pooling.h"

#include "vc_convolution.h"
#include "vc_lanes.h"

/// Returns true if `x` replaces the maximum so far: it is larger, or NaN.
VC_INLINE bool beats(float x, float best) { return x > best || x != x; }

/// Returns true if a maximum passes the gradient on: if `rectified`, only a positive one does.
VC_INLINE bool passes(float best, bool rectified) { return best > 0 || !rectified; }

/// The elements of a window within the map: rows and columns of the map, and the first of each.
typedef struct {
    int row, rows, column, columns;
} window;

VC_INLINE void cut_window(int start, int size, int extent, int *first, int *count) {
    const int end = start + size < extent ? start + size : extent;
    *first = start < 0 ? 0 : start;
    *count = end - *first;
}

VC_INLINE window window_of(const vc_pool_shape *s, int i, int j) {
    window w;
    cut_window(i * s->stride_rows - s->pad_top, s->pool_rows, s->rows, &w.row, &w.rows);
    cut_window(j * s->stride_columns - s->pad_left, s->pool_columns, s->columns, &w.column, &w.columns);
    return w;
}

VC_INLINE const float *element(const vc_pool_shape *s, const float *map, int row, int column) {
    return map + ((ptrdiff_t)row * s->columns + column) * s->channels;
}


VC_INLINE void maximum_of_window(const float *x, ptrdiff_t line, int rows, int columns, int channels, float *out) {
#define GROUP(at, n)                                                                                                   \
    do {                                                                                                               \
        vc_lanes best, value;                                                                                          \
        vc_get(&best, x + (at), n);                                                                                    \
        for (int r = 0; r < rows; r++) {                                                                               \
            for (int q = r == 0; q < columns; q++) {                                                                   \
                vc_get(&value, x + r * line + (ptrdiff_t)q * channels + (at), n);                                      \
                const vc_lane_mask wins = (value > best) | (value != value);                                              \
                best = (vc_lanes)((wins & (vc_lane_mask)value) | (~wins & (vc_lane_mask)best));                              \
            }                                                                                                          \
        }                                                                                                              \
        vc_put(out + (at), &best, n);                                                                                  \
    } while (0)
    VC_FOR_EACH_GROUP(channels, GROUP)
#undef GROUP
}

VC_KERNEL void vc_max_pool(const vc_pool_shape *s, const float *input, int row0, int row1, float *output) {
    const int channels = s->channels;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const window w = window_of(s, i, j);
            const float *x = element(s, input, w.row, w.column);
            float *restrict out = output + ((ptrdiff_t)i * s->out_columns + j) * channels;
            if (w.rows == 2 && w.columns == 2) {
                for (int c = 0; c < channels; c++) {
                    const float a = x[c], b = x[channels + c];
                    const float d = x[line + c], e = x[line + channels + c];
                    const float above = beats(b, a) ? b : a, below = beats(e, d) ? e : d;
                    out[c] = beats(below, above) ? below : above;
                }
                continue;
            }
            maximum_of_window(x, line, w.rows, w.columns, channels, out);
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
            const window w = window_of(s, i, j);
            for (int c0 = 0; c0 < channels; c0 += tile) {
                const int width = channels - c0 < tile ? channels - c0 : tile;
                const ptrdiff_t at = w.row * line + (ptrdiff_t)w.column * channels + c0;
                const float *d = d_output + ((ptrdiff_t)i * s->out_columns + j) * channels + c0;
                for (int c = 0; c < width; c++) {
                    best[c] = input[at + c];
                    which[c] = 0;
                }
                for (int e = 1; e < w.rows * w.columns; e++) {
                    const float *x = input + at + e / w.columns * line + (ptrdiff_t)(e % w.columns) * channels;
                    for (int c = 0; c < width; c++) {
                        which[c] = beats(x[c], best[c]) ? e : which[c];
                        best[c] = beats(x[c], best[c]) ? x[c] : best[c];
                    }
                }
                for (int e = 0; e < w.rows * w.columns; e++) {
                    float *dx = d_input + at + e / w.columns * line + (ptrdiff_t)(e % w.columns) * channels;
                    for (int c = 0; c < width; c++) dx[c] += which[c] == e && passes(best[c], rectified) ? d[c] : 0;
                }
            }
        }
    }
}

VC_KERNEL void vc_max_pool_gradient(const vc_pool_shape *s, const float *input, const float *d_output, bool rectified,
                                    float *d_input) {
    const bool halving = s->pool_rows == 2 && s->pool_columns == 2 && s->stride_rows == 2 && s->stride_columns == 2
                         && s->pad_top == 0 && s->pad_left == 0 && 2 * s->out_rows <= s->rows && 2 * s->out_columns <= s->columns;
    if (halving) {
        gradient_2x2(s, input, d_output, rectified, d_input);
    } else {
        gradient_general(s, input, d_output, rectified, d_input);
    }
}

VC_INLINE float share_of(const vc_pool_shape *s, window w, bool counts_padding) {
    return 1.0f / (float)(counts_padding ? s->pool_rows * s->pool_columns : w.rows * w.columns);
}

VC_KERNEL void vc_average_pool(const vc_pool_shape *s, bool counts_padding, const float *input, int row0, int row1, float *output) {
    const int channels = s->channels;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const window w = window_of(s, i, j);
            const float share = share_of(s, w, counts_padding);
            float *restrict out = output + ((ptrdiff_t)i * s->out_columns + j) * channels;
            for (int c = 0; c < channels; c++) out[c] = 0;
            for (int r = 0; r < w.rows; r++) {
                for (int q = 0; q < w.columns; q++) {
                    const float *restrict x = element(s, input, w.row + r, w.column + q);
                    for (int c = 0; c < channels; c++) out[c] += x[c];
                }
            }
            for (int c = 0; c < channels; c++) out[c] *= share;
        }
    }
}

VC_KERNEL void vc_average_pool_gradient(const vc_pool_shape *s, bool counts_padding, const float *d_output, float *d_input) {
    const int channels = s->channels;
    memset(d_input, 0, (size_t)s->rows * (size_t)s->columns * (size_t)channels * sizeof(float));
    for (int i = 0; i < s->out_rows; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const window w = window_of(s, i, j);
            const float share = share_of(s, w, counts_padding);
            const float *restrict d = d_output + ((ptrdiff_t)i * s->out_columns + j) * channels;
            for (int r = 0; r < w.rows; r++) {
                for (int q = 0; q < w.columns; q++) {
                    float *restrict dx = d_input + ((ptrdiff_t)(w.row + r) * s->columns + w.column + q) * channels;
                    for (int c = 0; c < channels; c++) dx[c] += d[c] * share;
                }
            }
        }
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
