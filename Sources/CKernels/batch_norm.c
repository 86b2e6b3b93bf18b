#include "vc_batch_norm.h"

#include "vc_math.h"

/// Columns that are processed together: their accumulators stay in the first-level cache.
enum { panel = 64 };

VC_INLINE size_t panel_width(size_t columns, size_t first) {
    return columns - first < panel ? columns - first : panel;
}

VC_INLINE void inverse_deviations(size_t n, const float *variance, float epsilon, float *inverse) {
    for (size_t c = 0; c < n; c++) inverse[c] = 1.0f / vc_square_root(variance[c] + epsilon);
}

VC_KERNEL void vc_column_moments(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                                 float *mean, float *variance) {
    double sum[panel], centre[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        double count = 0;
        for (size_t c = 0; c < n; c++) sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            if (weight != NULL && weight[r] == 0.0f) continue;
            const float *row = x + r * stride + first;
            for (size_t c = 0; c < n; c++) sum[c] += (double)row[c];
            count += 1;
        }
        double share = count > 0 ? 1.0 / count : 0.0;
        for (size_t c = 0; c < n; c++) {
            centre[c] = sum[c] * share;
            mean[first + c] = (float)centre[c];
            sum[c] = 0;
        }
        for (size_t r = 0; r < rows; r++) {
            if (weight != NULL && weight[r] == 0.0f) continue;
            const float *row = x + r * stride + first;
            for (size_t c = 0; c < n; c++) {
                double d = (double)row[c] - centre[c];
                sum[c] += d * d;
            }
        }
        for (size_t c = 0; c < n; c++) variance[first + c] = (float)(sum[c] * share);
    }
}

VC_KERNEL void vc_batch_norm_forward(size_t rows, size_t columns, size_t stride, const float *x, const float *mean,
                                     const float *variance, float epsilon, const float *gamma, const float *beta,
                                     float *y) {
    float scale[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        inverse_deviations(n, variance + first, epsilon, scale);
        for (size_t c = 0; c < n; c++) scale[c] *= gamma[first + c];
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            float *out = y + r * stride + first;
            for (size_t c = 0; c < n; c++) out[c] = (in[c] - mean[first + c]) * scale[c] + beta[first + c];
        }
    }
}

VC_KERNEL void vc_batch_norm_parameter_sums(size_t rows, size_t columns, size_t stride, const float *x, const float *dy,
                                            const float *mean, const float *variance, float epsilon, float *d_gamma,
                                            float *d_beta) {
    float inverse[panel];
    double gamma_sum[panel], beta_sum[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        inverse_deviations(n, variance + first, epsilon, inverse);
        for (size_t c = 0; c < n; c++) gamma_sum[c] = beta_sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            const float *d = dy + r * stride + first;
            for (size_t c = 0; c < n; c++) {
                beta_sum[c] += (double)d[c];
                gamma_sum[c] += (double)d[c] * (double)(in[c] - mean[first + c]);
            }
        }
        for (size_t c = 0; c < n; c++) {
            d_beta[first + c] = (float)beta_sum[c];
            d_gamma[first + c] = (float)(gamma_sum[c] * (double)inverse[c]);
        }
    }
}

VC_KERNEL void vc_batch_norm_input_gradient(size_t rows, size_t columns, size_t stride, const float *x, const float *dy,
                                            const float *weight, size_t count, const float *mean, const float *variance,
                                            float epsilon, const float *gamma, const float *d_gamma,
                                            const float *d_beta, float *dx) {
    float inverse[panel], scale[panel];
    float share = count > 0 ? 1.0f / (float)count : 0.0f;
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        inverse_deviations(n, variance + first, epsilon, inverse);
        for (size_t c = 0; c < n; c++) scale[c] = inverse[c] * gamma[first + c];
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            const float *d = dy + r * stride + first;
            float *out = dx + r * stride + first;
            float counts = weight != NULL && weight[r] == 0.0f ? 0.0f : share;
            for (size_t c = 0; c < n; c++) {
                float normal = (in[c] - mean[first + c]) * inverse[c];
                out[c] = scale[c] * (d[c] - counts * (d_beta[first + c] + normal * d_gamma[first + c]));
            }
        }
    }
}

VC_KERNEL void vc_batch_norm_scale_gradient(size_t rows, size_t columns, size_t stride, const float *dy,
                                            const float *variance, float epsilon, const float *gamma, float *dx) {
    float scale[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        inverse_deviations(n, variance + first, epsilon, scale);
        for (size_t c = 0; c < n; c++) scale[c] *= gamma[first + c];
        for (size_t r = 0; r < rows; r++) {
            const float *d = dy + r * stride + first;
            float *out = dx + r * stride + first;
            for (size_t c = 0; c < n; c++) out[c] = scale[c] * d[c];
        }
    }
}
