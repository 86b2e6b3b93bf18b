// Batch normalisation over the last axis (Ioffe and Szegedy 2015; Keras's BatchNormalization), for a panel of columns of
// a (rows, columns) matrix with row stride `stride`. Rows are added in order, in double precision; whoever divides rows into
// sections adds the sections' sums in order.
#pragma once

#include "vc_activation_kind.h"
#include "vc_simd.h"

/// sums[c] = the sum of column c over the rows with weight[r] != 0 (NULL: all rows).
void vc_column_totals(size_t rows, size_t columns, size_t stride, const float *x, const float *weight, double *sums);

/// squares[c] = the sum of (x - centre[c])^2 over these rows.
void vc_centred_squares(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                        const double *centre, double *squares);

/// The arguments that the passes over maps share: y = activation((x - mean) * gamma / sqrt(variance + epsilon) + beta) of a panel.
typedef struct {
    const float *mean, *variance, *gamma, *beta;
    float epsilon;
    int activation;
} vc_normalisation;

/// y for every row. y has x's stride and may be x.
void vc_batch_norm_forward(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride, const float *x, float *y);

/// beta_sums[c] = sum of d, gamma_sums[c] = sum of d * (x - mean), over all rows (overwritten), with d = dy * activation'(z),
/// z = the normalised value. (norm->beta matters only where the activation is not linear.)
void vc_batch_norm_parameter_sums(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride, const float *x,
                                  const float *dy, double *gamma_sums, double *beta_sums);

/// The gradient of the input if mean and variance were those of the counting rows, with d as above:
/// dx = gamma / s * (d - (d_beta + n * d_gamma) * share) in the counting rows, gamma / s * d in the others,
/// s = sqrt(variance + epsilon), n = (x - mean) / s, `share` 1 / the number of counting rows. Without d_gamma and d_beta (NULL) mean and
/// variance were constants: dx = gamma / s * d. dx may be dy.
void vc_batch_norm_input_gradient(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride, const float *x,
                                  const float *dy, const float *weight, float share, const float *d_gamma,
                                  const float *d_beta, float *dx);
