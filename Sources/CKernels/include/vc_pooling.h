// Pooling of channels-last maps, one frame at a time.
#pragma once

#include "vc_simd.h"

/// One frame's pooling: input (rows, columns, channels), output (out_rows, out_columns, channels). The window of output (i, j)
/// is the pool_rows input rows from i * stride_rows - pad_top on, and columns likewise, as far as they are within the map:
/// at least one is. The bottom and right padding follow from the output's extents.
typedef struct {
    int rows, columns, channels;
    int pool_rows, pool_columns;
    int stride_rows, stride_columns;
    int pad_top, pad_left;
    int out_rows, out_columns;
} vc_pool_shape;

/// Output rows `row0` ..< `row1`, written to their place in `output`, the whole frame. NaN wins over numbers.
void vc_max_pool(const vc_pool_shape *s, const float *input, int row0, int row1, float *output);

/// The gradient of a whole frame, recomputing the maxima. `d_input` is overwritten, and may be `input` if 2x2 windows do not
/// overlap. The first of equal maxima, in row-major order of the window, gets the gradient (PyTorch's and TensorFlow's rule).
/// If `rectified`, it must also be positive: the input is the output of a ReLU, whose gradient is applied too.
void vc_max_pool_gradient(const vc_pool_shape *s, const float *input, const float *d_output, bool rectified, float *d_input);

/// Output rows `row0` ..< `row1`: the mean of each window, over pool_rows * pool_columns elements of which those outside of the
/// map are 0 if `counts_padding`, else over those within the map.
void vc_average_pool(const vc_pool_shape *s, bool counts_padding, const float *input, int row0, int row1, float *output);

/// Its gradient over a whole frame; `d_input` is overwritten.
void vc_average_pool_gradient(const vc_pool_shape *s, bool counts_padding, const float *d_output, float *d_input);

/// output (channels) = the mean of input (positions, channels) over its positions; by blocks of 64 positions.
void vc_global_average_pool(const float *input, long positions, int channels, float *output);

/// d_input (positions, channels) = d_output (channels) / positions.
void vc_global_average_pool_gradient(const float *d_output, long positions, int channels, float *d_input);

/// output (channels) = the largest of input (positions, channels) over its positions.
void vc_global_max_pool(const float *input, long positions, int channels, float *output);

/// d_input (positions, channels): d_output (channels) where the channel's first maximum is, zero elsewhere.
void vc_global_max_pool_gradient(const float *input, const float *d_output, long positions, int channels, float *d_input);
