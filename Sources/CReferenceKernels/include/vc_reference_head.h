// Naive double-precision twins of the kernels behind the CNN, for tests: one plain loop each, arrays dense, libm's
// functions. The mathematics is described at the kernels.
#pragma once

#include "vc_simd.h"

/// One value of an activation (VC_LINEAR ...), and its derivative at x.
double vc_reference_activation(int kind, double x);
double vc_reference_activation_slope(int kind, double x);

void vc_reference_softmax(size_t rows, size_t columns, const double *x, double *y);
void vc_reference_softmax_backward(size_t rows, size_t columns, const double *y, const double *dy, double *dx);

/// As vc_softmax_cross_entropy; `weight` and `gradient` are required.
void vc_reference_softmax_cross_entropy(size_t rows, size_t columns, const double *logits, const double *targets,
                                        const double *weight, double smoothing, double scale, double *losses,
                                        double *gradient);

/// One LSTM step: pre-activations z (rows, 4 units), gate order i, f, c, o; mask (rows); states (rows, units).
void vc_reference_lstm_forward(size_t rows, size_t units, int activation, int recurrent_activation, const double *z,
                               const double *mask, const double *c_previous, const double *h_previous, double *c,
                               double *h);

/// Its gradients for d(loss)/d(h) = dh and d(loss)/d(c) = dc: dz (rows, 4 units), and those of the states before by
/// every way but the recurrent product.
void vc_reference_lstm_backward(size_t rows, size_t units, int activation, int recurrent_activation, const double *z,
                                const double *mask, const double *c_previous, const double *dh, const double *dc,
                                double *dz, double *dh_previous, double *dc_previous);

/// One GRU step: x and y (rows, 3 units) with both biases added, gate order z, r, h.
void vc_reference_gru_forward(size_t rows, size_t units, int activation, int recurrent_activation, const double *x,
                              const double *y, const double *mask, const double *h_previous, double *h);

void vc_reference_gru_backward(size_t rows, size_t units, int activation, int recurrent_activation, const double *x,
                               const double *y, const double *mask, const double *h_previous, const double *dh,
                               double *dx, double *dy, double *dh_previous);

/// Batch normalisation with the statistics of the rows of weight != 0, forward and backward.
void vc_reference_batch_norm(size_t rows, size_t columns, const double *x, const double *weight, double epsilon,
                             const double *gamma, const double *beta, double *mean, double *variance, double *y);
void vc_reference_batch_norm_backward(size_t rows, size_t columns, const double *x, const double *weight,
                                      double epsilon, const double *gamma, const double *mean, const double *variance,
                                      const double *dy, double *d_gamma, double *d_beta, double *dx);

/// Layer normalisation of each row, forward and backward; d_gamma and d_beta are overwritten.
void vc_reference_layer_norm(size_t rows, size_t columns, const double *x, double epsilon, const double *gamma,
                             const double *beta, double *y);
void vc_reference_layer_norm_backward(size_t rows, size_t columns, const double *x, double epsilon, const double *gamma,
                                      const double *dy, double *d_gamma, double *d_beta, double *dx);

double vc_reference_sum_of_squares(size_t count, const double *x);

/// out[c] = scale * sum of weight[r] * x[r][c].
void vc_reference_column_sums(size_t rows, size_t columns, const double *x, const double *weight, double scale,
                              double *out);

/// out[c] = the sum of x[r][c] * y[r][c] over the rows.
void vc_reference_column_products(size_t rows, size_t columns, const float *x, const float *y, double *out);
