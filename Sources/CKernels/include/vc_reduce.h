// Sums in a fixed order: 64 columns, or 16 lanes of a run, each with its own double-precision accumulator.
#pragma once

#include "vc_simd.h"

/// The sum of x[i]^2: lane i mod 16 takes x[i], lanes added in order.
double vc_sum_of_squares(size_t count, const float *x);

/// out[c] = scale * sum over r of weight[r * weight_stride] * x[r * stride + c] (+ out[c] if `accumulate`).
///
/// Rows are added in order. `weight` may be NULL: every row counts once. Rows of weight 0 are left out, even if they
/// hold NaN.
void vc_column_sums(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                    size_t weight_stride, float scale, bool accumulate, float *out);

/// out[c] = the sum over r of x[r * stride + c] * y[r * stride + c], rows in order.
void vc_column_products(size_t rows, size_t columns, size_t stride, const float *x, const float *y, float *out);
