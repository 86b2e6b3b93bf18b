#include "vc_reference_head.h"

#include <math.h>

static double log_sum_exp(size_t n, const double *x) {
    double largest = x[0], sum = 0;
    for (size_t c = 1; c < n; c++) largest = fmax(largest, x[c]);
    for (size_t c = 0; c < n; c++) sum += exp(x[c] - largest);
    return largest + log(sum);
}

void vc_reference_softmax(size_t rows, size_t columns, const double *x, double *y) {
    for (size_t r = 0; r < rows; r++) {
        double total = log_sum_exp(columns, x + r * columns);
        for (size_t c = 0; c < columns; c++) y[r * columns + c] = exp(x[r * columns + c] - total);
    }
}

void vc_reference_softmax_backward(size_t rows, size_t columns, const double *y, const double *dy, double *dx) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            double sum = 0;
            for (size_t k = 0; k < columns; k++) {
                double jacobian = y[r * columns + k] * ((c == k) - y[r * columns + c]);
                sum += dy[r * columns + k] * jacobian;
            }
            dx[r * columns + c] = sum;
        }
    }
}

void vc_reference_softmax_cross_entropy(size_t rows, size_t columns, const double *logits, const double *targets,
                                        const double *weight, double smoothing, double scale, double *losses,
                                        double *gradient) {
    for (size_t r = 0; r < rows; r++) {
        const double *x = logits + r * columns;
        double log_total = log_sum_exp(columns, x), loss = 0, total = 0;
        for (size_t c = 0; c < columns; c++) {
            double t = (1 - smoothing) * targets[r * columns + c] + smoothing / (double)columns;
            loss -= t * (x[c] - log_total);
            total += t;
        }
        losses[r] = weight[r] * loss;
        for (size_t c = 0; c < columns; c++) {
            double t = (1 - smoothing) * targets[r * columns + c] + smoothing / (double)columns;
            gradient[r * columns + c] = scale * weight[r] * (total * exp(x[c] - log_total) - t);
        }
    }
}
