// Activation functions, elementwise and in place of their input, and their gradients.
#pragma once

#include "vc_activation_kind.h"
#include "vc_simd.h"

/// y[i] = e^x[i]. At most 1 ulp off; overflow gives infinity, NaN gives NaN. x and y may be the same.
void vc_exp_array(size_t count, const float *x, float *y);

/// y[i] = activation(x[i]). x and y may be the same.
void vc_activation_forward(int kind, size_t count, const float *x, float *y);

/// dx[i] = dy[i] * activation'(x[i]), the derivative taken from the output y = activation(x). dx and dy may be the same.
///
/// The derivative is 0 at relu's kink and at both of hard_sigmoid's.
void vc_activation_backward(int kind, size_t count, const float *y, const float *dy, float *dx);

/// x[r][c] = activation(x[r][c] + bias[c]) for a (rows, columns) part of a matrix with row stride `stride`.
///
/// `bias` may be NULL.
void vc_bias_activation(int kind, size_t rows, size_t columns, size_t stride, const float *bias, float *x);
