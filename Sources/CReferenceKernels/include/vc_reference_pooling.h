// Naive double-precision twins of the pooling and pixel kernels; for tests.
#pragma once

#include "vc_pooling.h"

/// output (out_rows, out_columns, channels) of one frame.
void vc_reference_max_pool(const vc_pool_shape *s, const float *input, double *output);

/// d_input (rows, columns, channels) of one frame; the first of equal maxima takes the gradient.
void vc_reference_max_pool_gradient(const vc_pool_shape *s, const float *input, const float *d_output, double *d_input);

/// Average pooling of one frame and its gradient, both overwritten.
void vc_reference_average_pool(const vc_pool_shape *s, bool counts_padding, const float *input, const float *d_output,
                               double *output, double *d_input);

/// The mean of input (positions, channels) over its positions.
void vc_reference_global_average_pool(const float *input, long positions, int channels, double *output);

/// The largest of input (positions, channels) over its positions, and the first position that has it.
void vc_reference_global_max_pool(const float *input, long positions, int channels, double *output, long *first);

/// out[p][c] = source[order[c]][p] * scale[c] + offset[c].
void vc_reference_pixels_from_bytes(const uint8_t *source, long positions, int channels, const int32_t *order,
                                    const double *scale, const double *offset, double *out);
