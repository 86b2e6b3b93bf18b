// One step of an LSTM or a GRU on a panel of samples x units.
//
// ' marks the step before, r is the recurrent activation, a the activation. A masked step (mask 0) passes the state on unchanged.
//
// LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; Keras's LSTMCell).
// Gates in the order i, f, c, o. With the pre-activations z of a row
//   i = r(z_i)  f = r(z_f)  g = a(z_c)  o = r(z_o)
//   c = f * c' + i * g      h = o * a(c)
//
// GRU (Cho et al. 2014) in Keras's form with reset_after = true, the default of Keras 2 and 3.
// Gates in the order z (update), r (reset), h (candidate). With x = input product + input bias and
// y = h' x recurrent kernel + recurrent bias (hence a bias of shape (2, 3 units))
//   z = r(x_z + y_z)   r = r(x_r + y_r)   n = a(x_h + r * y_h)
//   h = z * h' + (1 - z) * n
// The reset gate acts after the recurrent product, so one product serves all three gates.
#pragma once

#include "vc_simd.h"

/// The forward step of `rows` samples x `units` units; each pointer is to the panel's first element.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// In: pre-activations (GRU: x). Out: activated gates, 0 where masked. Gate k of a row starts at k * gate_distance.
    float *gates;
    size_t gate_stride, gate_distance;
    /// One number a row (1 = counts, 0 = masked); NULL = every row counts.
    const float *mask;
    size_t mask_stride;
    /// Hidden states (rows, units) with row stride `state_stride`, of the step before (NULL = zeros, at the first step) and
    /// of this one (out).
    const float *h_previous;
    float *h;
    size_t state_stride;
    /// Factors on h as the next step's recurrent product sees it, and where that goes; both NULL without recurrent dropout.
    const float *recurrent_mask;
    float *h_dropped;
    /// Another place for h, with its own row stride; may be NULL.
    float *output;
    size_t output_stride;
} vc_recurrent_forward_panel;

/// States are laid out as h. In: c' (NULL = zeros). Out: c and a(c), the latter 0 where masked.
void vc_lstm_cell_forward(const vc_recurrent_forward_panel *panel, const float *c_previous, float *c,
                          float *c_activated);

/// In: the recurrent product without bias (NULL = zeros) and the recurrent bias, both laid out as the gates.
/// Out: y_h, laid out as h, 0 where masked.
void vc_gru_cell_forward(const vc_recurrent_forward_panel *panel, const float *recurrent, const float *recurrent_bias,
                         float *candidate_recurrent);

/// The backward step of the same panel.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// As the forward step left them.
    const float *gates;
    size_t gate_stride, gate_distance;
    const float *mask;
    size_t mask_stride;
    /// d(loss)/d(h) by the recurrent product of the step after, before the dropout factors; NULL at the last step.
    const float *d_recurrent;
    const float *recurrent_mask;
    /// d(loss)/d(h) by this step's own output, with its row stride; NULL if only the final state is used.
    const float *d_output;
    size_t d_output_stride;
    /// In: d(loss)/d(h) passed back directly by the step after (by a GRU's z, or where masked). Out: the same for the step before.
    float *dh_carry;
    size_t state_stride;
    /// Out: d(loss)/d(pre-activations) (GRU: d(loss)/d(x)), laid out as the gates.
    float *d_gates;
} vc_recurrent_backward_panel;

/// In: what the forward step read and wrote. dc, in: d(loss)/d(c), out: d(loss)/d(c').
void vc_lstm_cell_backward(const vc_recurrent_backward_panel *panel, const float *c_previous, const float *c_activated,
                           float *dc);

/// In: what the forward step read and wrote. d_recurrent_gates, out: d(loss)/d(y), laid out as the gates; it differs from
/// d(loss)/d(x) in the candidate's part only.
void vc_gru_cell_backward(const vc_recurrent_backward_panel *panel, const float *h_previous,
                          const float *candidate_recurrent, float *d_recurrent_gates);
