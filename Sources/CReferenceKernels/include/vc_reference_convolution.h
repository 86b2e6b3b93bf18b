// Naive double-precision twins of the convolution kernels, straight from the definitions; for tests.
#pragma once

#include "vc_convolution.h"

/// output (out_rows, out_columns, filters) of one frame, bias included; max(0, .) where `relu`.
void vc_reference_convolution(const vc_conv_shape *s, int filters, const float *input, const float *kernel,
                              const float *bias, bool relu, double *output);

/// d_input (rows, columns, channels) of one frame; overwritten.
void vc_reference_convolution_input_gradient(const vc_conv_shape *s, int filters, const float *d_output,
                                             const float *kernel, double *d_input);

/// Adds one frame's share to d_kernel (kernel_rows, kernel_columns, channels, filters) and d_bias (filters).
void vc_reference_convolution_parameter_gradients(const vc_conv_shape *s, int filters, const float *input,
                                                  const float *d_output, double *d_kernel, double *d_bias);

/// The whole im2col matrix (out_rows * out_columns, kernel_rows * kernel_columns * channels), element by element.
void vc_reference_im2col(const vc_conv_shape *s, const float *input, double *out);

/// Its adjoint; d_input is overwritten.
void vc_reference_col2im(const vc_conv_shape *s, const float *columns, double *d_input);

/// activation(values + bias + adding); `bias` and `adding` may be NULL.
void vc_reference_finish_positions(int kind, long positions, int filters, const float *values, const float *bias,
                                   const float *adding, double *out);

/// The sums of d (positions, filters) over its positions.
void vc_reference_sum_positions(const float *d, long positions, int filters, double *sums);

/// d_output where output > 0, else 0.
void vc_reference_relu_gradient(const float *output, const float *d_output, long count, double *d_input);

/// The depthwise convolution of one frame, kernel (kernel_rows, kernel_columns, channels); `bias` may be NULL.
void vc_reference_depthwise(const vc_conv_shape *s, const float *input, const float *kernel, const float *bias, int kind,
                            double *output);

/// Its gradients: d_input is overwritten, d_kernel is added to.
void vc_reference_depthwise_gradients(const vc_conv_shape *s, const float *input, const float *kernel, const float *d_output,
                                      double *d_input, double *d_kernel);
