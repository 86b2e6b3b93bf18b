#include "vc_reduce.h"

VC_KERNEL double vc_sum_of_squares(size_t count, const float *x) {
    double lane[16] = {0};
    size_t whole = count / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t i = whole; i < count; i++) lane[i - whole] += (double)x[i] * (double)x[i];
    double sum = 0;
    for (size_t j = 0; j < 16; j++) sum += lane[j];
    return sum;
}

VC_KERNEL void vc_column_sums(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                              size_t weight_stride, float scale, bool accumulate, float *out) {
    double sum[64];
    for (size_t first = 0; first < columns; first += 64) {
        size_t n = columns - first < 64 ? columns - first : 64;
        for (size_t c = 0; c < n; c++) sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            double w = weight == NULL ? 1.0 : (double)weight[r * weight_stride];
            if (w == 0) continue;
            const float *row = x + r * stride + first;
            for (size_t c = 0; c < n; c++) sum[c] += w * (double)row[c];
        }
        for (size_t c = 0; c < n; c++) {
            float value = (float)((double)scale * sum[c]);
            out[first + c] = accumulate ? out[first + c] + value : value;
        }
    }
}

VC_KERNEL void vc_column_products(size_t rows, size_t columns, size_t stride, const float *x, const float *y, float *out) {
    enum { panel = 64 };
    double sum[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = columns - first < panel ? columns - first : panel;
        for (size_t c = 0; c < n; c++) sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const float *a = x + r * stride + first, *b = y + r * stride + first;
            for (size_t c = 0; c < n; c++) sum[c] += (double)a[c] * (double)b[c];
        }
        for (size_t c = 0; c < n; c++) out[first + c] = (float)sum[c];
    }
}
