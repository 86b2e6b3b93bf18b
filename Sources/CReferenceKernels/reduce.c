#include "vc_reference_head.h"

double vc_reference_sum_of_squares(size_t count, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
    return sum;
}

void vc_reference_column_sums(size_t rows, size_t columns, const double *x, const double *weight, double scale,
                              double *out) {
    for (size_t c = 0; c < columns; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) sum += weight[r] * x[r * columns + c];
        out[c] = scale * sum;
    }
}

void vc_reference_column_products(size_t rows, size_t columns, const float *x, const float *y, double *out) {
    for (size_t c = 0; c < columns; c++) {
        out[c] = 0;
        for (size_t r = 0; r < rows; r++) out[c] += (double)x[r * columns + c] * y[r * columns + c];
    }
}
