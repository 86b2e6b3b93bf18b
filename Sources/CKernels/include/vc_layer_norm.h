// Layer normalisation (Ba, Kiros and Hinton 2016; Keras's LayerNormalization) of the rows of a dense (rows, columns) matrix. The
// statistics of a row are sums in double precision in 16 lanes, so that a row's bits do not depend on the rows around it.
#pragma once

#include "vc_simd.h"

/// y = (x - mean) * inverse * gamma + beta, with a row's mean and inverse = 1 / sqrt(its population variance + epsilon), which are
/// written to mean (rows) and inverse (rows). y may be x.
void vc_layer_norm_forward(size_t rows, size_t columns, const float *x, float epsilon, const float *gamma,
                           const float *beta, float *mean, float *inverse, float *y);

/// With n = (x - mean) * inverse and g = dy * gamma: dx = inverse * (g - mean(g) - n * mean(g n)), the means those of a row.
/// dx may be dy.
void vc_layer_norm_input_gradient(size_t rows, size_t columns, const float *x, const float *mean, const float *inverse,
                                  const float *gamma, const float *dy, float *dx);

/// d_gamma[c] += sum of dy * n and d_beta[c] += sum of dy over the rows, in order and in double precision, for `columns` columns
/// of matrices with row stride `stride`.
void vc_layer_norm_parameter_gradients(size_t rows, size_t columns, size_t stride, const float *x, const float *mean,
                                       const float *inverse, const float *dy, float *d_gamma, float *d_beta);
