// Matrix products whose last step is fused: the bias, a sum and an activation while the result is in registers.
#pragma once

#include "vc_activation_kind.h"
#include "vc_simd.h"

/// Columns of a panel of a packed matrix.
enum { vc_panel_columns = 16 };

/// C (groups * rows, columns) = activation(bias + adding + A (groups * rows, segments * depth) B (segments * depth, columns)), or
/// with `adds` activation(C + adding + A B).
///
/// B is a sequence of panels of 16 columns, the last filled up with any finite numbers: element (p, j) is
/// b[j / 16 * b_panel + p * b_depth + j % 16].
///
/// A row of A is `segments` runs of `depth` elements: element (i, s * depth + p) of a group is
/// a[i * a_row + s * a_segment + p * a_depth]. a_depth is 1, or a_row is.
/// Rows may overlap, as windows over a map do. Groups are a_group floats apart in A; in C their rows are consecutive.
typedef struct {
    long groups, rows, columns, segments, depth;
    const float *a;
    long a_group, a_row, a_depth, a_segment;
    const float *b;
    long b_depth, b_panel;
    /// Element (i, j) is c[i * c_row + j].
    float *c;
    long c_row;
    bool adds;
    /// (columns), or NULL.
    const float *bias;
    /// A matrix with the same row stride as C, or NULL.
    const float *adding;
    int activation;
} vc_product;

/// Computes a product on the calling thread. Each element is the bias (or C), then what is added, then the terms in the order of
/// the depth, whatever the rows and columns around it.
void vc_matrix_product(const vc_product *product);

/// The same, but every `run` elements of the depth (or of segments, as many as it has room for) are summed by themselves before they
/// are added: n terms in one sum have a rounding error that grows with n, and in r runs one that is smaller by the root of r.
void vc_matrix_product_in_runs(const vc_product *product, long run);

/// Copies b (depth, columns), whose element (p, j) is b[p * depth_stride + j * column_stride], into panels of 16 columns: element
/// (p, j) goes to packed[j / 16 * panel + p * 16 + j % 16]. The last panel is filled up with zeros.
void vc_pack(long depth, long columns, const float *b, long depth_stride, long column_stride, float *packed, long panel);
