#include "vc_reference_head.h"

#include <math.h>

static double row_mean(size_t columns, const double *x) {
    double sum = 0;
    for (size_t c = 0; c < columns; c++) sum += x[c];
    return sum / (double)columns;
}

static double row_deviation(size_t columns, const double *x, double mean, double epsilon) {
    double squares = 0;
    for (size_t c = 0; c < columns; c++) squares += (x[c] - mean) * (x[c] - mean);
    return sqrt(squares / (double)columns + epsilon);
}

void vc_reference_layer_norm(size_t rows, size_t columns, const double *x, double epsilon, const double *gamma,
                             const double *beta, double *y) {
    for (size_t r = 0; r < rows; r++) {
        const double *row = x + r * columns;
        double mean = row_mean(columns, row), s = row_deviation(columns, row, mean, epsilon);
        for (size_t c = 0; c < columns; c++) y[r * columns + c] = (row[c] - mean) / s * gamma[c] + beta[c];
    }
}

/// By the chain rule through mean and variance, each way written out.
void vc_reference_layer_norm_backward(size_t rows, size_t columns, const double *x, double epsilon, const double *gamma,
                                      const double *dy, double *d_gamma, double *d_beta, double *dx) {
    for (size_t c = 0; c < columns; c++) d_gamma[c] = d_beta[c] = 0;
    for (size_t r = 0; r < rows; r++) {
        const double *row = x + r * columns, *d = dy + r * columns;
        double mean = row_mean(columns, row), s = row_deviation(columns, row, mean, epsilon);
        double d_mean = 0, d_variance = 0;
        for (size_t c = 0; c < columns; c++) {
            double centred = row[c] - mean;
            d_gamma[c] += d[c] * centred / s;
            d_beta[c] += d[c];
            d_mean -= d[c] * gamma[c] / s;
            d_variance -= 0.5 * d[c] * gamma[c] * centred / (s * s * s);
        }
        for (size_t c = 0; c < columns; c++)
            dx[r * columns + c] = d[c] * gamma[c] / s + (d_mean + 2 * (row[c] - mean) * d_variance) / (double)columns;
    }
}
