#include "vc_reference_head.h"

void vc_reference_lstm_forward(size_t rows, size_t units, int activation, int recurrent_activation, const double *z,
                               const double *mask, const double *c_previous, const double *h_previous, double *c,
                               double *h) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < units; u++) {
            size_t at = r * units + u;
            const double *row = z + r * 4 * units + u;
            double i = vc_reference_activation(recurrent_activation, row[0]);
            double f = vc_reference_activation(recurrent_activation, row[units]);
            double g = vc_reference_activation(activation, row[2 * units]);
            double o = vc_reference_activation(recurrent_activation, row[3 * units]);
            double cell = f * c_previous[at] + i * g;
            c[at] = mask[r] != 0 ? cell : c_previous[at];
            h[at] = mask[r] != 0 ? o * vc_reference_activation(activation, cell) : h_previous[at];
        }
    }
}

void vc_reference_lstm_backward(size_t rows, size_t units, int activation, int recurrent_activation, const double *z,
                                const double *mask, const double *c_previous, const double *dh, const double *dc,
                                double *dz, double *dh_previous, double *dc_previous) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < units; u++) {
            size_t at = r * units + u;
            const double *row = z + r * 4 * units + u;
            double *d_row = dz + r * 4 * units + u;
            if (mask[r] == 0) {
                d_row[0] = d_row[units] = d_row[2 * units] = d_row[3 * units] = 0;
                dh_previous[at] = dh[at];
                dc_previous[at] = dc[at];
                continue;
            }
            double i = vc_reference_activation(recurrent_activation, row[0]);
            double f = vc_reference_activation(recurrent_activation, row[units]);
            double g = vc_reference_activation(activation, row[2 * units]);
            double o = vc_reference_activation(recurrent_activation, row[3 * units]);
            double cell = f * c_previous[at] + i * g;
            double d_cell = dc[at] + dh[at] * o * vc_reference_activation_slope(activation, cell);
            d_row[0] = d_cell * g * vc_reference_activation_slope(recurrent_activation, row[0]);
            d_row[units] = d_cell * c_previous[at] * vc_reference_activation_slope(recurrent_activation, row[units]);
            d_row[2 * units] = d_cell * i * vc_reference_activation_slope(activation, row[2 * units]);
            d_row[3 * units] = dh[at] * vc_reference_activation(activation, cell) *
                               vc_reference_activation_slope(recurrent_activation, row[3 * units]);
            dh_previous[at] = 0;
            dc_previous[at] = d_cell * f;
        }
    }
}
