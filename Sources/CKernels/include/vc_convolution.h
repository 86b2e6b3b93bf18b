// The data movement of a GEMM convolution: channels-last maps, one frame at a time.
#pragma once

#include "vc_simd.h"

/// One frame's convolution. Input (rows, columns, channels), output (out_rows, out_columns, filters).
/// Output position (i, j) sees the input rows i * stride_rows - pad_top + 0 ..< kernel_rows, and columns likewise;
/// positions outside the input are zero. The bottom and right padding follow from the output's extents.
typedef struct {
    int rows, columns, channels;
    int kernel_rows, kernel_columns;
    int stride_rows, stride_columns;
    int pad_top, pad_left;
    int out_rows, out_columns;
} vc_conv_shape;

/// A part of the im2col matrix of one frame: its rows are the output positions of output rows `row0` ..< `row1`, its
/// columns `k0` ..< `k1` of kernel_rows * kernel_columns * channels (the order of the kernel's first three axes).
///
/// `out` is ((row1 - row0) * out_columns, k1 - k0), all of it written.
void vc_im2col(const vc_conv_shape *s, const float *input, int row0, int row1, int k0, int k1, float *out);

/// The adjoint of vc_im2col over whole rows of the matrix: adds `columns` ((row1 - row0) * out_columns, kernel_rows *
/// kernel_columns * channels) to `d_input` (rows, columns, channels).
void vc_col2im_add(const vc_conv_shape *s, const float *columns, int row0, int row1, float *d_input);

/// As vc_im2col, for a group of `channels` input channels from `channel` on: the matrix has kernel_rows * kernel_columns *
/// `channels` columns, of which `k0` ..< `k1` are written.
void vc_im2col_group(const vc_conv_shape *s, int channel, int channels, const float *input, int row0, int row1, int k0,
                     int k1, float *out);

/// The adjoint of vc_im2col_group over whole rows of the matrix.
void vc_col2im_add_group(const vc_conv_shape *s, int channel, int channels, const float *columns, int row0, int row1,
                         float *d_input);

/// sums (filters) = the sum of d (positions, filters) over its positions; by blocks of 64 positions.
void vc_sum_positions(const float *d, long positions, int filters, float *sums);

/// d_input = where output > 0: d_output, else 0; `d_input` may be `d_output`.
void vc_relu_gradient(const float *output, const float *d_output, float *d_input, long count);

/// target += source.
void vc_add(float *target, const float *source, long count);
