#include "vc_layer_norm.h"

#include "vc_math.h"

enum { lanes = 16, panel = 64 };

VC_INLINE double lane_sum(const double *lane) {
    double sum = 0;
    for (size_t j = 0; j < lanes; j++) sum += lane[j];
    return sum;
}

VC_KERNEL void vc_layer_norm_forward(size_t rows, size_t columns, const float *x, float epsilon, const float *gamma,
                                     const float *beta, float *mean, float *inverse, float *y) {
    size_t whole = columns / lanes * lanes;
    double share = 1.0 / (double)columns;
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        double sum[lanes] = {0}, squares[lanes] = {0};
        for (size_t i = 0; i < whole; i += lanes)
            for (size_t j = 0; j < lanes; j++) sum[j] += (double)x[i + j];
        for (size_t i = whole; i < columns; i++) sum[i - whole] += (double)x[i];
        double centre = lane_sum(sum) * share;
        for (size_t i = 0; i < whole; i += lanes)
            for (size_t j = 0; j < lanes; j++) {
                double d = (double)x[i + j] - centre;
                squares[j] += d * d;
            }
        for (size_t i = whole; i < columns; i++) {
            double d = (double)x[i] - centre;
            squares[i - whole] += d * d;
        }
        float m = (float)centre;
        float scale = 1.0f / vc_square_root((float)(lane_sum(squares) * share) + epsilon);
        for (size_t c = 0; c < columns; c++) y[c] = (x[c] - m) * scale * gamma[c] + beta[c];
        mean[r] = m;
        inverse[r] = scale;
    }
}

VC_KERNEL void vc_layer_norm_input_gradient(size_t rows, size_t columns, const float *x, const float *mean,
                                            const float *inverse, const float *gamma, const float *dy, float *dx) {
    size_t whole = columns / lanes * lanes;
    double share = 1.0 / (double)columns;
    for (size_t r = 0; r < rows; r++, x += columns, dy += columns, dx += columns) {
        float m = mean[r], scale = inverse[r];
        double sum[lanes] = {0}, dot[lanes] = {0};
        for (size_t i = 0; i < whole; i += lanes)
            for (size_t j = 0; j < lanes; j++) {
                double g = (double)(dy[i + j] * gamma[i + j]);
                sum[j] += g;
                dot[j] += g * (double)((x[i + j] - m) * scale);
            }
        for (size_t i = whole; i < columns; i++) {
            double g = (double)(dy[i] * gamma[i]);
            sum[i - whole] += g;
            dot[i - whole] += g * (double)((x[i] - m) * scale);
        }
        float mean_g = (float)(lane_sum(sum) * share), mean_gn = (float)(lane_sum(dot) * share);
        for (size_t c = 0; c < columns; c++)
            dx[c] = scale * (dy[c] * gamma[c] - mean_g - (x[c] - m) * scale * mean_gn);
    }
}

VC_KERNEL void vc_layer_norm_parameter_gradients(size_t rows, size_t columns, size_t stride, const float *x,
                                                 const float *mean, const float *inverse, const float *dy,
                                                 float *d_gamma, float *d_beta) {
    double gamma_sum[panel], beta_sum[panel];
    for (size_t first = 0; first < columns; first += panel) {
        size_t n = columns - first < panel ? columns - first : panel;
        for (size_t c = 0; c < n; c++) gamma_sum[c] = beta_sum[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const float *in = x + r * stride + first;
            const float *d = dy + r * stride + first;
            float m = mean[r], scale = inverse[r];
            for (size_t c = 0; c < n; c++) {
                beta_sum[c] += (double)d[c];
                gamma_sum[c] += (double)d[c] * (double)((in[c] - m) * scale);
            }
        }
        for (size_t c = 0; c < n; c++) {
            d_gamma[first + c] += (float)gamma_sum[c];
            d_beta[first + c] += (float)beta_sum[c];
        }
    }
}
