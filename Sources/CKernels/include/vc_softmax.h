// Softmax over the last axis, and categorical cross-entropy from logits.
#pragma once

#include "vc_simd.h"

/// y = softmax(x) for each row of (rows, columns), rows dense. x and y may be the same. A NaN makes its row NaN.
void vc_softmax_forward(size_t rows, size_t columns, const float *x, float *y);

/// dx = y * (dy - sum(y * dy)) for each row, y = softmax(x). dx and dy may be the same.
void vc_softmax_backward(size_t rows, size_t columns, const float *y, const float *dy, float *dx);

/// Categorical cross-entropy of softmax(logits) against targets, by log-sum-exp, and its gradient.
///
/// With t' = (1 - smoothing) t + smoothing / columns (Keras's label smoothing, for rows that sum to 1):
/// losses[r] = weight[r] * (sum(t') * log(sum(e^x)) - sum(t' x)); gradient = scale * weight[r] * (sum(t') softmax(x) - t').
/// Shapes: logits, targets, gradient (rows, columns); weight (rows) or NULL for ones; losses (rows) in double precision.
/// `gradient` may be NULL: losses only. Rows of weight 0 give loss 0 and gradient 0 whatever their logits.
void vc_softmax_cross_entropy(size_t rows, size_t columns, const float *logits, const float *targets,
                              const float *weight, float smoothing, float scale, double *losses, float *gradient);
