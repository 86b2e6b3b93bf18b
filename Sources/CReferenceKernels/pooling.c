#include "vc_reference_pooling.h"

/// The input element of the first maximum in the window of output position (i, j), channel c.
static long first_maximum(const vc_pool_shape *s, const float *input, int i, int j, int c) {
    long best = -1;
    for (int r = 0; r < s->pool_rows; r++) {
        for (int q = 0; q < s->pool_columns; q++) {
            const long row = (long)i * s->stride_rows - s->pad_top + r, column = (long)j * s->stride_columns - s->pad_left + q;
            if (row < 0 || row >= s->rows || column < 0 || column >= s->columns) continue;
            const long at = (row * s->columns + column) * s->channels + c;
            if (best < 0 || input[at] > input[best]) best = at;
        }
    }
    return best;
}

void vc_reference_max_pool(const vc_pool_shape *s, const float *input, double *output) {
    for (int i = 0; i < s->out_rows; i++)
        for (int j = 0; j < s->out_columns; j++)
            for (int c = 0; c < s->channels; c++)
                output[((long)i * s->out_columns + j) * s->channels + c] = input[first_maximum(s, input, i, j, c)];
}

void vc_reference_max_pool_gradient(const vc_pool_shape *s, const float *input, const float *d_output, double *d_input) {
    for (long x = 0; x < (long)s->rows * s->columns * s->channels; x++) d_input[x] = 0;
    for (int i = 0; i < s->out_rows; i++)
        for (int j = 0; j < s->out_columns; j++)
            for (int c = 0; c < s->channels; c++)
                d_input[first_maximum(s, input, i, j, c)] += d_output[((long)i * s->out_columns + j) * s->channels + c];
}

/// Calls BODY for the elements `at` of the window of output (i, j), channel c, that are within the map.
#define FOR_EACH_ELEMENT(BODY)                                                                                         \
    for (int r = 0; r < s->pool_rows; r++)                                                                             \
        for (int q = 0; q < s->pool_columns; q++) {                                                                    \
            const long row = (long)i * s->stride_rows - s->pad_top + r;                                                \
            const long column = (long)j * s->stride_columns - s->pad_left + q;                                         \
            if (row < 0 || row >= s->rows || column < 0 || column >= s->columns) continue;                             \
            const long at = (row * s->columns + column) * s->channels + c;                                             \
            BODY                                                                                                       \
        }

void vc_reference_average_pool(const vc_pool_shape *s, bool counts_padding, const float *input, const float *d_output,
                               double *output, double *d_input) {
    for (long x = 0; x < (long)s->rows * s->columns * s->channels; x++) d_input[x] = 0;
    for (int i = 0; i < s->out_rows; i++)
        for (int j = 0; j < s->out_columns; j++)
            for (int c = 0; c < s->channels; c++) {
                const long o = ((long)i * s->out_columns + j) * s->channels + c;
                double sum = 0, count = 0;
                FOR_EACH_ELEMENT({ sum += input[at]; count += 1; })
                if (counts_padding) count = (double)s->pool_rows * s->pool_columns;
                output[o] = sum / count;
                FOR_EACH_ELEMENT({ d_input[at] += d_output[o] / count; })
            }
}

void vc_reference_global_average_pool(const float *input, long positions, int channels, double *output) {
    for (int c = 0; c < channels; c++) {
        output[c] = 0;
        for (long p = 0; p < positions; p++) output[c] += input[p * channels + c];
        output[c] /= (double)positions;
    }
}

void vc_reference_global_max_pool(const float *input, long positions, int channels, double *output, long *first) {
    for (int c = 0; c < channels; c++) {
        first[c] = 0;
        for (long p = 1; p < positions; p++)
            if (input[p * channels + c] > input[first[c] * channels + c]) first[c] = p;
        output[c] = input[first[c] * channels + c];
    }
}

void vc_reference_pixels_from_bytes(const uint8_t *source, long positions, int channels, const int32_t *order,
                                    const double *scale, const double *offset, double *out) {
    for (long p = 0; p < positions; p++)
        for (int c = 0; c < channels; c++)
            out[p * channels + c] = (double)source[order[c] * positions + p] * scale[c] + offset[c];
}
