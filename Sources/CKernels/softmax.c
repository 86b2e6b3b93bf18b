#include "vc_softmax.h"

#include "vc_math.h"

#include <math.h>

/// The largest element of a row. It may miss a NaN, which the exponentials that follow pass on.
VC_INLINE float row_maximum(size_t n, const float *x) {
    float lane[16];
    for (size_t j = 0; j < 16; j++) lane[j] = x[0];
    size_t whole = n / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (size_t i = whole; i < n; i++) lane[i - whole] = x[i] > lane[i - whole] ? x[i] : lane[i - whole];
    float largest = lane[0];
    for (size_t j = 1; j < 16; j++) largest = lane[j] > largest ? lane[j] : largest;
    return largest;
}

/// The sum of a row in 16 double-precision lanes.
VC_INLINE double row_sum(size_t n, const float *x) {
    double lane[16] = {0};
    size_t whole = n / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) lane[j] += (double)x[i + j];
    for (size_t i = whole; i < n; i++) lane[i - whole] += (double)x[i];
    double sum = 0;
    for (size_t j = 0; j < 16; j++) sum += lane[j];
    return sum;
}

/// The dot product of two rows in 16 double-precision lanes.
VC_INLINE double row_dot(size_t n, const float *x, const float *y) {
    double lane[16] = {0};
    size_t whole = n / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t j = 0; j < 16; j++) lane[j] += (double)x[i + j] * (double)y[i + j];
    for (size_t i = whole; i < n; i++) lane[i - whole] += (double)x[i] * (double)y[i];
    double sum = 0;
    for (size_t j = 0; j < 16; j++) sum += lane[j];
    return sum;
}

VC_KERNEL void vc_softmax_forward(size_t rows, size_t columns, const float *x, float *y) {
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        float largest = row_maximum(columns, x);
        for (size_t c = 0; c < columns; c++) y[c] = vc_exp(x[c] - largest);
        float factor = (float)(1.0 / row_sum(columns, y));
        for (size_t c = 0; c < columns; c++) y[c] *= factor;
    }
}

VC_KERNEL void vc_softmax_backward(size_t rows, size_t columns, const float *y, const float *dy, float *dx) {
    for (size_t r = 0; r < rows; r++, y += columns, dy += columns, dx += columns) {
        float dot = (float)row_dot(columns, y, dy);
        for (size_t c = 0; c < columns; c++) dx[c] = y[c] * (dy[c] - dot);
    }
}

/// Sum of e^(x - largest), row by row in chunks so that no scratch is needed.
VC_INLINE double sum_of_exponentials(size_t n, const float *x, float largest) {
    float chunk[256];
    double sum = 0;
    for (size_t first = 0; first < n; first += 256) {
        size_t m = n - first < 256 ? n - first : 256;
        for (size_t c = 0; c < m; c++) chunk[c] = vc_exp(x[first + c] - largest);
        sum += row_sum(m, chunk);
    }
    return sum;
}

VC_KERNEL void vc_softmax_cross_entropy(size_t rows, size_t columns, const float *logits, const float *targets,
                                        const float *weight, float smoothing, float scale, double *losses,
                                        float *gradient) {
    for (size_t r = 0; r < rows; r++) {
        const float *x = logits + r * columns;
        const float *t = targets + r * columns;
        float *dx = gradient == NULL ? NULL : gradient + r * columns;
        float w = weight == NULL ? 1.0f : weight[r];
        if (w == 0) {
            losses[r] = 0;
            if (dx != NULL)
                for (size_t c = 0; c < columns; c++) dx[c] = 0;
            continue;
        }
        float largest = row_maximum(columns, x);
        double sum = sum_of_exponentials(columns, x, largest);
        double keep = 1.0 - (double)smoothing;
        double total = keep * row_sum(columns, t) + (double)smoothing;
        double dot = keep * row_dot(columns, t, x) + (double)smoothing / (double)columns * row_sum(columns, x);
        losses[r] = (double)w * (total * ((double)largest + log(sum)) - dot);
        if (dx == NULL) continue;
        float probability = (float)(total / sum);
        float factor = scale * w;
        float kept = (float)keep;
        float spread = (float)((double)smoothing / (double)columns);
        for (size_t c = 0; c < columns; c++)
            dx[c] = factor * (vc_exp(x[c] - largest) * probability - (kept * t[c] + spread));
    }
}
