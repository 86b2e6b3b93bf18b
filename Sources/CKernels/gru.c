#include "vc_gru.h"

#include "vc_math.h"
#include "vc_rows.h"

#include <string.h>

/// A masked row: the state goes through, everything else is 0.
VC_INLINE void carry_row(const vc_gru_forward_panel *p, size_t r) {
    size_t n = p->units, at = r * p->state_stride;
    for (size_t k = 0; k < 3; k++) memset(p->gates + r * p->gate_stride + k * p->gate_distance, 0, n * sizeof(float));
    memset(p->candidate_recurrent + at, 0, n * sizeof(float));
    if (p->h_previous == NULL)
        memset(p->h + at, 0, n * sizeof(float));
    else
        memcpy(p->h + at, p->h_previous + at, n * sizeof(float));
}

VC_KERNEL void vc_gru_cell_forward(const vc_gru_forward_panel *p) {
    size_t n = p->units;
    const float *restrict bias_z = p->recurrent_bias;
    const float *restrict bias_r = bias_z + p->gate_distance;
    const float *restrict bias_h = bias_r + p->gate_distance;
    for (size_t row = 0; row < p->rows; row++) {
        float *restrict h = p->h + row * p->state_stride;
        if (p->mask != NULL && p->mask[row * p->mask_stride] == 0.0f) {
            carry_row(p, row);
        } else {
            float *restrict z = p->gates + row * p->gate_stride;
            float *restrict r = z + p->gate_distance;
            float *restrict candidate = r + p->gate_distance;
            float *restrict y = p->candidate_recurrent + row * p->state_stride;
            const float *restrict before = vc_row(p->h_previous, row, p->state_stride);
            if (p->recurrent == NULL) {
                for (size_t u = 0; u < n; u++) {
                    z[u] += bias_z[u];
                    r[u] += bias_r[u];
                    y[u] = bias_h[u];
                }
            } else {
                const float *restrict y_z = p->recurrent + row * p->gate_stride;
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
        if (p->h_dropped != NULL) {
            float *restrict dropped = p->h_dropped + row * p->state_stride;
            const float *restrict factor = p->recurrent_mask + row * p->state_stride;
            for (size_t u = 0; u < n; u++) dropped[u] = h[u] * factor[u];
        }
        if (p->output != NULL) memcpy(p->output + row * p->output_stride, h, n * sizeof(float));
    }
}

VC_KERNEL void vc_gru_cell_backward(const vc_gru_backward_panel *p) {
    size_t n = p->units;
    vc_slope slope = vc_slope_of(p->activation), gate_slope = vc_slope_of(p->recurrent_activation);
    for (size_t row = 0; row < p->rows; row++) {
        size_t at = row * p->state_stride;
        float *restrict dh = p->dh_carry + at;
        if (p->d_recurrent != NULL) {
            const float *restrict d = p->d_recurrent + at;
            const float *restrict factor = vc_row(p->recurrent_mask, row, p->state_stride);
            if (factor == NULL)
                for (size_t u = 0; u < n; u++) dh[u] += d[u];
            else
                for (size_t u = 0; u < n; u++) dh[u] += d[u] * factor[u];
        }
        if (p->d_output != NULL) {
            const float *restrict d = p->d_output + row * p->d_output_stride;
            for (size_t u = 0; u < n; u++) dh[u] += d[u];
        }
        float *restrict dx_z = p->d_gates + row * p->gate_stride;
        float *restrict dx_r = dx_z + p->gate_distance;
        float *restrict dx_h = dx_r + p->gate_distance;
        float *restrict dy_z = p->d_recurrent_gates + row * p->gate_stride;
        float *restrict dy_r = dy_z + p->gate_distance;
        float *restrict dy_h = dy_r + p->gate_distance;
        if (p->mask != NULL && p->mask[row * p->mask_stride] == 0.0f) {
            for (size_t u = 0; u < n; u++) dx_z[u] = dx_r[u] = dx_h[u] = dy_z[u] = dy_r[u] = dy_h[u] = 0;
            continue;
        }
        const float *restrict z = p->gates + row * p->gate_stride;
        const float *restrict r = z + p->gate_distance;
        const float *restrict candidate = r + p->gate_distance;
        const float *restrict y = p->candidate_recurrent + at;
        const float *restrict before = vc_row(p->h_previous, row, p->state_stride);
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
