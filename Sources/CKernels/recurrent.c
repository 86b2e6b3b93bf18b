#include "vc_recurrent.h"

#include "vc_math.h"
#include "vc_rows.h"

#include <string.h>

VC_INLINE bool is_masked(const float *mask, size_t r, size_t stride) {
    return mask != NULL && mask[r * stride] == 0.0f;
}

/// Zeros in row r of each gate.
VC_INLINE void clear_gates(float *gates, size_t count, size_t distance, size_t n) {
    for (size_t k = 0; k < count; k++) memset(gates + k * distance, 0, n * sizeof(float));
}

/// The state after a masked step is the state before it; zeros at the first step.
VC_INLINE void carry_state(float *state, const float *before, size_t n) {
    if (before == NULL)
        memset(state, 0, n * sizeof(float));
    else
        memcpy(state, before, n * sizeof(float));
}

/// Copies row r of the hidden state, h, to the layer's output and, times the dropout factors, to where the next recurrent
/// product reads it.
VC_INLINE void pass_on(const vc_recurrent_forward_panel *p, size_t r, const float *h) {
    size_t n = p->units;
    if (p->h_dropped != NULL) {
        float *restrict dropped = p->h_dropped + r * p->state_stride;
        const float *restrict factor = p->recurrent_mask + r * p->state_stride;
        for (size_t u = 0; u < n; u++) dropped[u] = h[u] * factor[u];
    }
    if (p->output != NULL) memcpy(p->output + r * p->output_stride, h, n * sizeof(float));
}

/// d(loss)/d(h) of row r: adds what the recurrent product of the step after and the output give to what was passed back.
VC_INLINE float *hidden_gradient(const vc_recurrent_backward_panel *p, size_t r) {
    size_t n = p->units;
    float *restrict dh = p->dh_carry + r * p->state_stride;
    if (p->d_recurrent != NULL) {
        const float *restrict d = p->d_recurrent + r * p->state_stride;
        const float *restrict factor = vc_row(p->recurrent_mask, r, p->state_stride);
        if (factor == NULL)
            for (size_t u = 0; u < n; u++) dh[u] += d[u];
        else
            for (size_t u = 0; u < n; u++) dh[u] += d[u] * factor[u];
    }
    if (p->d_output != NULL) {
        const float *restrict d = p->d_output + r * p->d_output_stride;
        for (size_t u = 0; u < n; u++) dh[u] += d[u];
    }
    return dh;
}

VC_KERNEL void vc_lstm_cell_forward(const vc_recurrent_forward_panel *p, const float *c_previous, float *cells,
                                    float *c_activated) {
    size_t n = p->units;
    for (size_t row = 0; row < p->rows; row++) {
        size_t at = row * p->state_stride;
        float *restrict h = p->h + at;
        float *restrict c = cells + at;
        float *restrict a = c_activated + at;
        float *restrict i = p->gates + row * p->gate_stride;
        const float *restrict before = vc_row(c_previous, row, p->state_stride);
        if (is_masked(p->mask, row, p->mask_stride)) {
            clear_gates(i, 4, p->gate_distance, n);
            memset(a, 0, n * sizeof(float));
            carry_state(c, before, n);
            carry_state(h, vc_row(p->h_previous, row, p->state_stride), n);
        } else {
            float *restrict f = i + p->gate_distance;
            float *restrict g = f + p->gate_distance;
            float *restrict o = g + p->gate_distance;
            vc_activate(p->recurrent_activation, n, i);
            vc_activate(p->recurrent_activation, n, f);
            vc_activate(p->activation, n, g);
            vc_activate(p->recurrent_activation, n, o);
            if (before == NULL)
                for (size_t u = 0; u < n; u++) a[u] = c[u] = i[u] * g[u];
            else
                for (size_t u = 0; u < n; u++) a[u] = c[u] = f[u] * before[u] + i[u] * g[u];
            vc_activate(p->activation, n, a);
            for (size_t u = 0; u < n; u++) h[u] = o[u] * a[u];
        }
        pass_on(p, row, h);
    }
}

VC_KERNEL void vc_lstm_cell_backward(const vc_recurrent_backward_panel *p, const float *c_previous,
                                     const float *c_activated, float *d_cells) {
    size_t n = p->units;
    vc_slope slope = vc_slope_of(p->activation), gate_slope = vc_slope_of(p->recurrent_activation);
    for (size_t row = 0; row < p->rows; row++) {
        size_t at = row * p->state_stride;
        float *restrict dh = hidden_gradient(p, row);
        float *restrict di = p->d_gates + row * p->gate_stride;
        if (is_masked(p->mask, row, p->mask_stride)) {
            clear_gates(di, 4, p->gate_distance, n);
            continue;
        }
        float *restrict df = di + p->gate_distance;
        float *restrict dg = df + p->gate_distance;
        float *restrict d_o = dg + p->gate_distance;
        const float *restrict i = p->gates + row * p->gate_stride;
        const float *restrict f = i + p->gate_distance;
        const float *restrict g = f + p->gate_distance;
        const float *restrict o = g + p->gate_distance;
        const float *restrict a = c_activated + at;
        const float *restrict before = vc_row(c_previous, row, p->state_stride);
        float *restrict dc = d_cells + at;
        for (size_t u = 0; u < n; u++) {
            float total = dc[u] + dh[u] * o[u] * vc_slope_at(slope, a[u]);
            d_o[u] = dh[u] * a[u] * vc_slope_at(gate_slope, o[u]);
            di[u] = total * g[u] * vc_slope_at(gate_slope, i[u]);
            dg[u] = total * i[u] * vc_slope_at(slope, g[u]);
            df[u] = total * vc_slope_at(gate_slope, f[u]);
            dc[u] = total * f[u];
            dh[u] = 0;
        }
        if (before == NULL)
            memset(df, 0, n * sizeof(float));
        else
            for (size_t u = 0; u < n; u++) df[u] *= before[u];
    }
}

VC_KERNEL void vc_gru_cell_forward(const vc_recurrent_forward_panel *p, const float *recurrent,
                                   const float *recurrent_bias, float *candidate_recurrent) {
    size_t n = p->units;
    const float *restrict bias_z = recurrent_bias;
    const float *restrict bias_r = bias_z + p->gate_distance;
    const float *restrict bias_h = bias_r + p->gate_distance;
    for (size_t row = 0; row < p->rows; row++) {
        float *restrict h = p->h + row * p->state_stride;
        float *restrict y = candidate_recurrent + row * p->state_stride;
        float *restrict z = p->gates + row * p->gate_stride;
        const float *restrict before = vc_row(p->h_previous, row, p->state_stride);
        if (is_masked(p->mask, row, p->mask_stride)) {
            clear_gates(z, 3, p->gate_distance, n);
            memset(y, 0, n * sizeof(float));
            carry_state(h, before, n);
        } else {
            float *restrict r = z + p->gate_distance;
            float *restrict candidate = r + p->gate_distance;
            if (recurrent == NULL) {
                for (size_t u = 0; u < n; u++) {
                    z[u] += bias_z[u];
                    r[u] += bias_r[u];
                    y[u] = bias_h[u];
                }
            } else {
                const float *restrict y_z = recurrent + row * p->gate_stride;
                const float *restrict y_r = y_z + p->gate_distance;
                const float *restrict y_h = y_r + p->gate_distance;
                for (size_t u = 0; u < n; u++) {
                    z[u] += y_z[u] + bias_z[u];
                    r[u] += y_r[u] + bias_r[u];
                    y[u] = y_h[u] + bias_h[u];
                }
            }
            vc_activate(p->recurrent_activation, n, z);
            vc_activate(p->recurrent_activation, n, r);
            for (size_t u = 0; u < n; u++) candidate[u] += r[u] * y[u];
            vc_activate(p->activation, n, candidate);
            if (before == NULL)
                for (size_t u = 0; u < n; u++) h[u] = (1.0f - z[u]) * candidate[u];
            else
                for (size_t u = 0; u < n; u++) h[u] = z[u] * before[u] + (1.0f - z[u]) * candidate[u];
        }
        pass_on(p, row, h);
    }
}

VC_KERNEL void vc_gru_cell_backward(const vc_recurrent_backward_panel *p, const float *h_previous,
                                    const float *candidate_recurrent, float *d_recurrent_gates) {
    size_t n = p->units;
    vc_slope slope = vc_slope_of(p->activation), gate_slope = vc_slope_of(p->recurrent_activation);
    for (size_t row = 0; row < p->rows; row++) {
        float *restrict dh = hidden_gradient(p, row);
        float *restrict dx_z = p->d_gates + row * p->gate_stride;
        float *restrict dy_z = d_recurrent_gates + row * p->gate_stride;
        if (is_masked(p->mask, row, p->mask_stride)) {
            clear_gates(dx_z, 3, p->gate_distance, n);
            clear_gates(dy_z, 3, p->gate_distance, n);
            continue;
        }
        float *restrict dx_r = dx_z + p->gate_distance;
        float *restrict dx_h = dx_r + p->gate_distance;
        float *restrict dy_r = dy_z + p->gate_distance;
        float *restrict dy_h = dy_r + p->gate_distance;
        const float *restrict z = p->gates + row * p->gate_stride;
        const float *restrict r = z + p->gate_distance;
        const float *restrict candidate = r + p->gate_distance;
        const float *restrict y = candidate_recurrent + row * p->state_stride;
        const float *restrict before = vc_row(h_previous, row, p->state_stride);
        for (size_t u = 0; u < n; u++) {
            float past = before == NULL ? 0.0f : before[u];
            float d_candidate = dh[u] * (1.0f - z[u]) * vc_slope_at(slope, candidate[u]);
            float d_z = dh[u] * (past - candidate[u]) * vc_slope_at(gate_slope, z[u]);
            float d_r = d_candidate * y[u] * vc_slope_at(gate_slope, r[u]);
            dx_z[u] = d_z;
            dy_z[u] = d_z;
            dx_r[u] = d_r;
            dy_r[u] = d_r;
            dx_h[u] = d_candidate;
            dy_h[u] = d_candidate * r[u];
            dh[u] *= z[u];
        }
    }
}
