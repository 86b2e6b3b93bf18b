// Loops bounded by memory: products, sums and reorderings.
#pragma once

#include "vc_simd.h"

/// z[i] = x[i] * y[i]; z may be x or y.
void vc_multiply(size_t count, const float *x, const float *y, float *z);

/// y[i] = scale * x[i] (+ y[i] if `accumulate`).
void vc_scale(size_t count, float scale, const float *x, bool accumulate, float *y);

/// y[c][r] = x[r][c] for rows x columns, row strides given: the transposition of a part of a matrix.
void vc_transpose(size_t rows, size_t columns, const float *x, size_t x_stride, float *y, size_t y_stride);

/// y (positions, channels) = x * gate (channels); y may be x.
void vc_scale_channels(size_t positions, size_t channels, const float *x, const float *gate, float *y);
