#include "vc_reference_head.h"

#include <math.h>

void vc_reference_batch_norm(size_t rows, size_t columns, const double *x, const double *weight, double epsilon,
                             const double *gamma, const double *beta, double *mean, double *variance, double *y) {
    for (size_t c = 0; c < columns; c++) {
        double count = 0, sum = 0, squares = 0;
        for (size_t r = 0; r < rows; r++) {
            if (weight[r] == 0) continue;
            count += 1;
            sum += x[r * columns + c];
        }
        mean[c] = sum / count;
        for (size_t r = 0; r < rows; r++) {
            if (weight[r] == 0) continue;
            squares += (x[r * columns + c] - mean[c]) * (x[r * columns + c] - mean[c]);
        }
        variance[c] = squares / count;
        for (size_t r = 0; r < rows; r++)
            y[r * columns + c] = (x[r * columns + c] - mean[c]) / sqrt(variance[c] + epsilon) * gamma[c] + beta[c];
    }
}

/// By the chain rule through mean and variance, each way written out.
void vc_reference_batch_norm_backward(size_t rows, size_t columns, const double *x, const double *weight,
                                      double epsilon, const double *gamma, const double *mean, const double *variance,
                                      const double *dy, double *d_gamma, double *d_beta, double *dx) {
    for (size_t c = 0; c < columns; c++) {
        double s = sqrt(variance[c] + epsilon), count = 0, d_mean = 0, d_variance = 0;
        d_gamma[c] = d_beta[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            double centred = x[r * columns + c] - mean[c], d = dy[r * columns + c];
            d_gamma[c] += d * centred / s;
            d_beta[c] += d;
            d_mean -= d * gamma[c] / s;
            d_variance -= 0.5 * d * gamma[c] * centred / (s * s * s);
            count += weight[r] != 0;
        }
        for (size_t r = 0; r < rows; r++) {
            double centred = x[r * columns + c] - mean[c];
            dx[r * columns + c] = dy[r * columns + c] * gamma[c] / s;
            if (weight[r] != 0) dx[r * columns + c] += (d_mean + 2 * centred * d_variance) / count;
        }
    }
}
