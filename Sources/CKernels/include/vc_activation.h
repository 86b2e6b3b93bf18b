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
/// The derivative is 0 at relu's kink and at both of hard_sigmoid's and relu6's. Not for silu and hard_swish.
void vc_activation_backward(int kind, size_t count, const float *y, const float *dy, float *dx);

/// The same for every kind, the derivative taken from the input x. dx may be x or dy.
void vc_activation_input_gradient(int kind, size_t count, const float *x, const float *dy, float *dx);

/// z[i] = activation(a[i] + b[i]); z may be a or b.
void vc_add_activate(int kind, size_t count, const float *a, const float *b, float *z);

/// d[i] = dz[i] * activation'(a[i] + b[i]), the gradient of a and of b; d may be any of the arguments.
void vc_add_activate_gradient(int kind, size_t count, const float *a, const float *b, const float *dz, float *d);

/// values (positions, filters) = activation(values + bias (filters) + adding (positions, filters)), in place.
///
/// `bias` and `adding` may be NULL.
void vc_finish_positions(int kind, size_t positions, size_t filters, const float *bias, const float *adding, float *values);

/// x[r][c] = activation(x[r][c] + bias[c]) for a (rows, columns) part of a matrix with row stride `stride`.
///
/// `bias` may be NULL.
void vc_bias_activation(int kind, size_t rows, size_t columns, size_t stride, const float *bias, float *x);
