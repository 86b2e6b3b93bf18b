#include "vc_batch_norm.h"

#include "vc_math.h"

/// Columns that are processed together: their accumulators stay in the first-level cache.
enum { panel = 64 };

VC_INLINE size_t panel_width(size_t columns, size_t first) {
    return columns - first < panel ? columns - first : panel;
}

VC_KERNEL void vc_column_totals(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                                double *sums) {
    double sum[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        for (size_t c = 0; c < n; c++) sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            if (weight != NULL && weight[r] == 0.0f) continue;
            const float *row = x + r * stride + first;
            for (size_t c = 0; c < n; c++) sum[c] += (double)row[c];
        }
        for (size_t c = 0; c < n; c++) sums[first + c] = sum[c];
    }
}

VC_KERNEL void vc_centred_squares(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                                  const double *centre, double *squares) {
    double sum[panel], middle[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        for (size_t c = 0; c < n; c++) {
            sum[c] = 0;
            middle[c] = centre[first + c];
        }
        for (size_t r = 0; r < rows; r++) {
            if (weight != NULL && weight[r] == 0.0f) continue;
            const float *row = x + r * stride + first;
            for (size_t c = 0; c < n; c++) {
                double d = (double)row[c] - middle[c];
                sum[c] += d * d;
            }
        }
        for (size_t c = 0; c < n; c++) squares[first + c] = sum[c];
    }
}

/// The factors of a panel of n columns from `first` on: 1 / s, and gamma / s.
VC_INLINE void factors(const vc_normalisation *norm, size_t first, size_t n, float *inverse, float *scale) {
    for (size_t c = 0; c < n; c++) {
        inverse[c] = 1.0f / vc_square_root(norm->variance[first + c] + norm->epsilon);
        scale[c] = inverse[c] * norm->gamma[first + c];
    }
}

VC_KERNEL void vc_batch_norm_forward(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride, const float *x,
                                     float *y) {
    enum { step = 32 }; // rows that are activated while they are in the first-level cache
    float inverse[panel], scale[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        factors(norm, first, n, inverse, scale);
        const float *mean = norm->mean + first, *beta = norm->beta + first;
        for (size_t r0 = 0; r0 < rows; r0 += step) {
            size_t end = rows - r0 < step ? rows : r0 + step;
            for (size_t r = r0; r < end; r++) {
                const float *in = x + r * stride + first;
                float *out = y + r * stride + first;
                for (size_t c = 0; c < n; c++) out[c] = (in[c] - mean[c]) * scale[c] + beta[c];
            }
            // Rows without gaps between them are one run, which has fewer ends that fill no vector.
            if (n == stride)
                vc_activate(norm->activation, (end - r0) * n, y + r0 * stride);
            else
                for (size_t r = r0; r < end; r++) vc_activate(norm->activation, n, y + r * stride + first);
        }
    }
}

/// d = dy * activation'(z) of a row of n <= panel columns: `dy` itself if the activation is linear, else `room`.
VC_INLINE const float *gated(const vc_normalisation *norm, size_t first, size_t n, const float *scale, const float *x,
                             const float *dy, float *room) {
    if (norm->activation == VC_LINEAR) return dy;
    const float *mean = norm->mean + first, *beta = norm->beta + first;
    for (size_t c = 0; c < n; c++) room[c] = (x[c] - mean[c]) * scale[c] + beta[c];
    vc_slopes_at_inputs(norm->activation, n, room, room);
    for (size_t c = 0; c < n; c++) room[c] *= dy[c];
    return room;
}

VC_KERNEL void vc_batch_norm_parameter_sums(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride,
                                            const float *x, const float *dy, double *gamma_sums, double *beta_sums) {
    float inverse[panel], scale[panel], room[panel];
    double gamma_sum[panel], beta_sum[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        factors(norm, first, n, inverse, scale);
        const float *mean = norm->mean + first;
        for (size_t c = 0; c < n; c++) gamma_sum[c] = beta_sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            const float *d = gated(norm, first, n, scale, in, dy + r * stride + first, room);
            for (size_t c = 0; c < n; c++) {
                beta_sum[c] += (double)d[c];
                gamma_sum[c] += (double)d[c] * (double)(in[c] - mean[c]);
            }
        }
        for (size_t c = 0; c < n; c++) {
            beta_sums[first + c] = beta_sum[c];
            gamma_sums[first + c] = gamma_sum[c];
        }
    }
}

VC_KERNEL void vc_batch_norm_input_gradient(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride,
                                            const float *x, const float *dy, const float *weight, float share,
                                            const float *d_gamma, const float *d_beta, float *dx) {
    float inverse[panel], scale[panel], room[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        factors(norm, first, n, inverse, scale);
        const float *mean = norm->mean + first;
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            const float *d = gated(norm, first, n, scale, in, dy + r * stride + first, room);
            float *out = dx + r * stride + first;
            float counts = weight != NULL && weight[r] == 0.0f ? 0.0f : share;
            for (size_t c = 0; c < n; c++) {
                float normal = (in[c] - mean[c]) * inverse[c];
                out[c] = scale[c] * (d[c] - counts * (d_beta[first + c] + normal * d_gamma[first + c]));
            }
        }
    }
}

VC_KERNEL void vc_batch_norm_scale_gradient(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride,
                                            const float *x, const float *dy, float *dx) {
    float inverse[panel], scale[panel], room[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = panel_width(columns, first);
        factors(norm, first, n, inverse, scale);
        for (size_t r = 0; r < rows; r++) {
            const float *d = gated(norm, first, n, scale, x + r * stride + first, dy + r * stride + first, room);
            float *out = dx + r * stride + first;
            for (size_t c = 0; c < n; c++) out[c] = scale[c] * d[c];
        }
    }
}
