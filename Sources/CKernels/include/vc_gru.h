// One step of a GRU (Cho et al. 2014) in Keras's form with reset_after = true, the default of Keras 2 and 3.
//
// Gates lie in the order z (update), r (reset), h (candidate). With x = input product + input bias and
// y = h' x recurrent kernel + recurrent bias (' the step before; two biases, hence a bias of shape (2, 3 units))
//   z = s(x_z + y_z)   r = s(x_r + y_r)   n = a(x_h + r * y_h)      s the recurrent activation, a the activation
//   h = z * h' + (1 - z) * n
// The reset gate is applied after the recurrent product, so one product serves all three gates.
// A masked step (mask 0) carries h' through unchanged.
#ifndef VC_GRU_H
#define VC_GRU_H

#include "vc_simd.h"

/// A panel of `rows` samples x `units` units of one step; pointers stand at its first element.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// In: x, input bias included; out: z, r, n, 0 where masked. Gate k of a row starts at k * gate_distance.
    float *gates;
    /// The recurrent product without bias, laid out as the gates; NULL = zeros (before the first step).
    const float *recurrent;
    /// The recurrent bias; gate k starts at k * gate_distance.
    const float *recurrent_bias;
    size_t gate_stride, gate_distance;
    /// One number a row (1 = counts, 0 = masked); NULL = every row counts.
    const float *mask;
    size_t mask_stride;
    /// (rows, units) with row stride `state_stride`; NULL = zeros (before the first step).
    const float *h_previous;
    size_t state_stride;
    /// Out: y_h (0 where masked) and the hidden state.
    float *candidate_recurrent, *h;
    /// Factors on h as the next step's recurrent product sees it, and where that goes; both NULL without recurrent dropout.
    const float *recurrent_mask;
    float *h_dropped;
    /// Another place for h, with its own row stride; may be NULL.
    float *output;
    size_t output_stride;
} vc_gru_forward_panel;

void vc_gru_cell_forward(const vc_gru_forward_panel *panel);

/// What the backward step of the same panel reads and writes.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// As the forward step left them.
    const float *gates;
    size_t gate_stride, gate_distance;
    const float *mask;
    size_t mask_stride;
    const float *h_previous, *candidate_recurrent;
    size_t state_stride;
    /// d(loss)/d(h) by the recurrent product of the step after, before the dropout factors; NULL at the last step.
    const float *d_recurrent;
    const float *recurrent_mask;
    /// d(loss)/d(h) by this step's own output, with its row stride; NULL if only the final state is used.
    const float *d_output;
    size_t d_output_stride;
    /// In: d(loss)/d(h) carried back directly (by z, or past a masked step). Out: the same for the step before.
    float *dh_carry;
    /// Out: d(loss)/d(x) and d(loss)/d(y), laid out as the gates. They differ in the candidate's part only.
    float *d_gates, *d_recurrent_gates;
} vc_gru_backward_panel;

void vc_gru_cell_backward(const vc_gru_backward_panel *panel);

#endif
