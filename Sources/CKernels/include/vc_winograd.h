// Winograd's minimal filtering F(4x4, 3x3) for 3x3 convolutions of stride 1 with one zero around the map: 36 products
// instead of 144 (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
//
// A frame (rows, columns, channels) is cut into ceil(rows / 4) x ceil(columns / 4) tiles of 4x4 outputs, numbered row by
// row and across frames. With d the 6x6 inputs of a tile, g a 3x3 filter, and B, G, A the paper's matrices:
//
//   V = B' d B     U = G g G'     M = the sum over channels of V * U (matrix multiplications)     Y = A' M A
//
// and for the gradients the adjoint of each: dM = A dY A', dU = the sum over tiles of V * dM, dg = G' dU G.
//
// The points of interpolation are 0, 1, -1, 2, -1/2 and infinity (Barabasz, Anderson, Soodhalter and Gregg 2020, "Error
// analysis and improving the accuracy of Winograd convolution for deep neural networks"): a third of the rounding error of
// the usual 0, 1, -1, 2, -2 for as many operations.
//
//        1  3/2   -2  -3/2    1  0            1    0    0           1    0    0     0
//        0   -1 -5/2  -1/2    1  0         -1/3 -1/3 -1/3           1    1    1     1
//   B' = 0    1  1/2  -5/2    1  0     G =  1/3 -1/3  1/3      A =  1   -1    1    -1
//        0 -1/2   -1   1/2    1  0         1/15 2/15 4/15           1    2    4     8
//        0    2   -1    -2    1  0       -16/15 8/15 -4/15          1 -1/2  1/4  -1/8
//        0    1  3/2    -2 -3/2  1            0    0    1           0    0    0     1
#pragma once

#include "vc_simd.h"

enum {
    /// Outputs of a tile along one axis.
    vc_winograd_tile = 4,
    /// Elements of a transformed tile.
    vc_winograd_frequencies = 36,
};

/// The extents of one frame that tiles are cut from.
typedef struct {
    int rows, columns, channels;
} vc_winograd_map;

/// The memory layout of 36 matrices (rows, columns), one per frequency: `stride` floats apart, each a sequence of panels of
/// `panel` columns, the last one narrower if columns is not a multiple. Element (r, c) of frequency f is at
///
///   f * stride + p * rows + r * min(panel, columns - p) + (c - p),     p = c / panel * panel
///
/// so that a matrix multiplication sees a panel as a dense matrix of few columns. Columns and panels are multiples of 16:
/// channels or filters rounded up, with zeros in the padding.
typedef struct {
    int rows, columns, panel;
    ptrdiff_t stride;
} vc_winograd_matrices;

/// The zero patches of a tile: bit 4 * i + j is set if the 3x3 inputs of output (i, j) are 0 in all channels. Such an output
/// is exactly the bias; the transforms alone would add a rounding error, which opens ReLUs that are shut.
typedef uint16_t vc_winograd_patches;

/// Rows at ..< at + count of V (tiles, channels), of tiles first ..< first + count of `input` (frames, rows, columns,
/// channels), and those tiles' zero patches (NULL: not wanted). `spare` is scratch of `channels` floats, in this and the other
/// transforms of maps.
void vc_winograd_input(const vc_winograd_map *map, const float *input, long first, int count,
                       const vc_winograd_matrices *layout, int at, float *v, vc_winograd_patches *zeros, float *spare);

/// Tiles first ..< first + count of `output` (frames, rows, columns, channels) from rows at ..< at + count of M
/// (tiles, channels) and from the tiles' zero patches, plus bias (channels; NULL for none), then max(0, .) where `relu`.
/// NaN stays NaN.
void vc_winograd_output(const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m,
                        const vc_winograd_patches *zeros, int at, long first, int count, const float *bias, bool relu,
                        float *output, float *spare);

/// As vc_winograd_output without bias and ReLU, but 0 where `gate`, of the output's shape, is not positive: the gradient of a
/// ReLU whose output the gate is.
void vc_winograd_output_gated(const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m,
                              const vc_winograd_patches *zeros, int at, long first, int count, const float *gate,
                              float *output, float *spare);

/// As vc_winograd_output, followed by 2x2 max pooling without padding: `output` is (frames, rows / 2, columns / 2, channels),
/// rounded down. NaN wins over numbers. `whole` gets the map before the pooling (NULL: it is not wanted).
void vc_winograd_output_pooled(const vc_winograd_map *map, const vc_winograd_matrices *layout, const float *m,
                               const vc_winograd_patches *zeros, int at, long first, int count, const float *bias, bool relu,
                               float *whole, float *output, float *spare);

/// Rows at ..< at + count of dM (tiles, channels), of tiles first ..< first + count of `d_output` (frames, rows, columns,
/// channels).
void vc_winograd_output_adjoint(const vc_winograd_map *map, const float *d_output, long first, int count,
                                const vc_winograd_matrices *layout, int at, float *dm, float *spare);

/// Rows first ..< last of U (channels, filters) from `kernel` (3, 3, channels, filters).
void vc_winograd_filter(const float *kernel, int filters, int first, int last, const vc_winograd_matrices *layout,
                        float *u);

/// d_kernel (3, 3, channels, filters) += G' dU G, of rows first ..< last of dU (channels, filters).
void vc_winograd_filter_adjoint(const vc_winograd_matrices *layout, const float *du, int filters, int first, int last,
                                float *d_kernel);
