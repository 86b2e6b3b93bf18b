#include "vc_lstm.h"

#include "vc_math.h"
#include "vc_rows.h"

#include <string.h>

/// A masked row: the state goes through, everything else is 0.
VC_INLINE void carry_row(const vc_lstm_forward_panel *p, size_t r) {
    size_t n = p->units, at = r * p->state_stride;
    for (size_t k = 0; k < 4; k++) memset(p->gates + r * p->gate_stride + k * p->gate_distance, 0, n * sizeof(float));
    memset(p->c_activated + at, 0, n * sizeof(float));
    if (p->c_previous == NULL) {
        memset(p->c + at, 0, n * sizeof(float));
        memset(p->h + at, 0, n * sizeof(float));
    } else {
        memcpy(p->c + at, p->c_previous + at, n * sizeof(float));
        memcpy(p->h + at, p->h_previous + at, n * sizeof(float));
    }
}

VC_KERNEL void vc_lstm_cell_forward(const vc_lstm_forward_panel *p) {
    size_t n = p->units;
    for (size_t r = 0; r < p->rows; r++) {
        float *restrict h = p->h + r * p->state_stride;
        if (p->mask != NULL && p->mask[r * p->mask_stride] == 0.0f) {
            carry_row(p, r);
        } else {
            float *restrict i = p->gates + r * p->gate_stride;
            float *restrict f = i + p->gate_distance;
            float *restrict g = f + p->gate_distance;
            float *restrict o = g + p->gate_distance;
            float *restrict c = p->c + r * p->state_stride;
            float *restrict a = p->c_activated + r * p->state_stride;
            const float *restrict before = vc_row(p->c_previous, r, p->state_stride);
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
        if (p->h_dropped != NULL) {
            float *restrict dropped = p->h_dropped + r * p->state_stride;
            const float *restrict factor = p->recurrent_mask + r * p->state_stride;
            for (size_t u = 0; u < n; u++) dropped[u] = h[u] * factor[u];
        }
        if (p->output != NULL) memcpy(p->output + r * p->output_stride, h, n * sizeof(float));
    }
}

VC_KERNEL void vc_lstm_cell_backward(const vc_lstm_backward_panel *p) {
    size_t n = p->units;
    vc_slope slope = vc_slope_of(p->activation), gate_slope = vc_slope_of(p->recurrent_activation);
    for (size_t r = 0; r < p->rows; r++) {
        size_t at = r * p->state_stride;
        float *restrict dh = p->dh_carry + at;
        if (p->d_recurrent != NULL) {
            const float *restrict d = p->d_recurrent + at;
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
        float *restrict di = p->d_gates + r * p->gate_stride;
        float *restrict df = di + p->gate_distance;
        float *restrict dg = df + p->gate_distance;
        float *restrict d_o = dg + p->gate_distance;
        if (p->mask != NULL && p->mask[r * p->mask_stride] == 0.0f) {
            memset(di, 0, n * sizeof(float));
            memset(df, 0, n * sizeof(float));
            memset(dg, 0, n * sizeof(float));
            memset(d_o, 0, n * sizeof(float));
            continue;
        }
        const float *restrict i = p->gates + r * p->gate_stride;
        const float *restrict f = i + p->gate_distance;
        const float *restrict g = f + p->gate_distance;
        const float *restrict o = g + p->gate_distance;
        const float *restrict a = p->c_activated + at;
        const float *restrict before = vc_row(p->c_previous, r, p->state_stride);
        float *restrict dc = p->dc + at;
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
