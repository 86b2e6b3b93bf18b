// Depthwise convolution of channels-last maps, one frame at a time: every channel has a kernel of its own.
#pragma once

#include "vc_convolution.h"

// In each function s->channels are the channels of the input and of the output, and the kernel is (kernel_rows,
// kernel_columns, channels). An output is summed over the kernel's rows, then columns, in order.

/// Output rows `row0` ..< `row1`: activation(input * kernel + bias), written to their place in `output`, the whole frame.
/// `bias` (channels) may be NULL; `kind` is an activation's number.
void vc_depthwise(const vc_conv_shape *s, const float *input, const float *kernel, const float *bias, int kind, int row0,
                  int row1, float *output);

/// Input rows `row0` ..< `row1` of the gradient, written to their place in `d_input`, the whole frame. For any stride.
void vc_depthwise_input_gradient(const vc_conv_shape *s, const float *d_output, const float *kernel, int row0, int row1,
                                 float *d_input);

/// d_kernel, overwritten with the share of output rows `row0` ..< `row1` in the gradient of the kernel.
void vc_depthwise_filter_gradient(const vc_conv_shape *s, const float *input, const float *d_output, int row0, int row1,
                                  float *d_kernel);
