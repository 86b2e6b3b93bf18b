// One step of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; Keras's LSTMCell).
//
// Gates lie in the order i, f, c, o. With the pre-activations z of a row
//   i = r(z_i)  f = r(z_f)  g = a(z_c)  o = r(z_o)      r the recurrent activation, a the activation
//   c = f * c' + i * g      h = o * a(c)                ' the step before
// A masked step (mask 0) carries c' and h' through unchanged.
#ifndef VC_LSTM_H
#define VC_LSTM_H

#include "vc_simd.h"

/// A panel of `rows` samples x `units` units of one step; pointers stand at its first element.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// In: pre-activations; out: activated gates, 0 where masked. Gate k of a row starts at k * gate_distance.
    float *gates;
    size_t gate_stride, gate_distance;
    /// One number a row (1 = counts, 0 = masked); NULL = every row counts.
    const float *mask;
    size_t mask_stride;
    /// (rows, units) with row stride `state_stride`; NULL = zeros (before the first step).
    const float *c_previous, *h_previous;
    size_t state_stride;
    /// Out: the cell state, a(c) (0 where masked) and the hidden state.
    float *c, *c_activated, *h;
    /// Factors on h as the next step's recurrent product sees it, and where that goes; both NULL without recurrent dropout.
    const float *recurrent_mask;
    float *h_dropped;
    /// Another place for h, with its own row stride; may be NULL.
    float *output;
    size_t output_stride;
} vc_lstm_forward_panel;

void vc_lstm_cell_forward(const vc_lstm_forward_panel *panel);

/// What the backward step of the same panel reads and writes.
typedef struct {
    size_t rows, units;
    int activation, recurrent_activation;
    /// As the forward step left them.
    const float *gates;
    size_t gate_stride, gate_distance;
    const float *mask;
    size_t mask_stride;
    const float *c_previous, *c_activated;
    size_t state_stride;
    /// d(loss)/d(h) by the recurrent product of the step after, before the dropout factors; NULL at the last step.
    const float *d_recurrent;
    const float *recurrent_mask;
    /// d(loss)/d(h) by this step's own output, with its row stride; NULL if only the final state is used.
    const float *d_output;
    size_t d_output_stride;
    /// In: d(loss)/d(h) carried back past a masked step after this one. Out: the same for the step before.
    float *dh_carry;
    /// In: d(loss)/d(c). Out: d(loss)/d(c').
    float *dc;
    /// Out: d(loss)/d(pre-activations), laid out as the gates.
    float *d_gates;
} vc_lstm_backward_panel;

void vc_lstm_cell_backward(const vc_lstm_backward_panel *panel);

#endif
