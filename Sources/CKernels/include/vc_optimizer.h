// Optimiser updates: one loop over a run of weights p, gradients g and moments. The caller computes
// what depends on the step alone (bias corrections, momentum schedules), in double precision.
//
// Common to all: the gradient used is gradient_scale * g (global-norm clipping), and before the update p is multiplied
// by `keep` = 1 - learning rate * weight decay (decoupled weight decay, Loshchilov and Hutter 2019).
#pragma once

#include "vc_simd.h"

typedef struct {
    float learning_rate, gradient_scale, keep;
    /// m = beta_1 m + one_minus_beta_1 g; v = beta_2 v + one_minus_beta_2 g^2.
    float beta_1, one_minus_beta_1, beta_2, one_minus_beta_2;
    /// p -= learning_rate * (gradient_share g + momentum_share m) / (sqrt(v_correction v) + epsilon).
    float gradient_share, momentum_share, v_correction, epsilon;
} vc_moment_coefficients;

/// Nadam (Dozat 2016), and Adam (Kingma and Ba 2015) with gradient_share 0.
void vc_moment_update(size_t count, const vc_moment_coefficients *coefficients, const float *g, float *m, float *v,
                      float *p);

typedef struct {
    float learning_rate, gradient_scale, keep;
    float momentum;
    bool nesterov;
} vc_sgd_coefficients;

/// m = momentum m - learning_rate g; p += m, or with Nesterov p += momentum m - learning_rate g. Keras's SGD.
/// `m` may be NULL: p -= learning_rate g.
void vc_sgd_update(size_t count, const vc_sgd_coefficients *coefficients, const float *g, float *m, float *p);

typedef struct {
    float learning_rate, gradient_scale, keep;
    /// v = rho v + one_minus_rho g^2; d = learning_rate g / sqrt(v + epsilon).
    float rho, one_minus_rho, epsilon;
    float momentum;
} vc_rmsprop_coefficients;

/// p -= d, or with `m` given m = momentum m + d; p -= m. Keras 3's RMSprop.
void vc_rmsprop_update(size_t count, const vc_rmsprop_coefficients *coefficients, const float *g, float *v, float *m,
                       float *p);
