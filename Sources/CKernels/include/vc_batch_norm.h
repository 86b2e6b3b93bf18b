// Batch normalisation over the last axis (Ioffe and Szegedy 2015; Keras's BatchNormalization), for a panel of columns of
// a (rows, columns) matrix with row stride `stride`. Rows are added in order, in double precision.
#pragma once

#include "vc_simd.h"

/// Mean and population variance of each column over the rows with weight[r] != 0 (NULL: all rows); 0 without any row.
void vc_column_moments(size_t rows, size_t columns, size_t stride, const float *x, const float *weight, float *mean,
                       float *variance);

/// y = (x - mean) * gamma / sqrt(variance + epsilon) + beta, for every row. y has x's stride and may be x.
void vc_batch_norm_forward(size_t rows, size_t columns, size_t stride, const float *x, const float *mean,
                           const float *variance, float epsilon, const float *gamma, const float *beta, float *y);

/// d_beta[c] = sum of dy, d_gamma[c] = sum of dy * (x - mean) / sqrt(variance + epsilon), over all rows (overwritten).
void vc_batch_norm_parameter_sums(size_t rows, size_t columns, size_t stride, const float *x, const float *dy,
                                  const float *mean, const float *variance, float epsilon, float *d_gamma,
                                  float *d_beta);

/// The gradient of the input if mean and variance were those of the counting rows:
/// dx = gamma / s * (dy - (d_beta + n * d_gamma) / count) in the counting rows, gamma / s * dy in the others,
/// s = sqrt(variance + epsilon), n = (x - mean) / s, `count` the number of counting rows.
void vc_batch_norm_input_gradient(size_t rows, size_t columns, size_t stride, const float *x, const float *dy,
                                  const float *weight, size_t count, const float *mean, const float *variance,
                                  float epsilon, const float *gamma, const float *d_gamma, const float *d_beta,
                                  float *dx);

/// The gradient of the input if mean and variance were constants: dx = gamma / s * dy.
void vc_batch_norm_scale_gradient(size_t rows, size_t columns, size_t stride, const float *dy, const float *variance,
                                  float epsilon, const float *gamma, float *dx);
