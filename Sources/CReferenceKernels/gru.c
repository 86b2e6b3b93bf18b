#include "vc_reference_head.h"

void vc_reference_gru_forward(size_t rows, size_t units, int activation, int recurrent_activation, const double *x,
                              const double *y, const double *mask, const double *h_previous, double *h) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t u = 0; u < units; u++) {
            size_t at = row * units + u, gate = row * 3 * units + u;
            double z = vc_reference_activation(recurrent_activation, x[gate] + y[gate]);
            double r = vc_reference_activation(recurrent_activation, x[gate + units] + y[gate + units]);
            double n = vc_reference_activation(activation, x[gate + 2 * units] + r * y[gate + 2 * units]);
            h[at] = mask[row] != 0 ? z * h_previous[at] + (1 - z) * n : h_previous[at];
        }
    }
}

void vc_reference_gru_backward(size_t rows, size_t units, int activation, int recurrent_activation, const double *x,
                               const double *y, const double *mask, const double *h_previous, const double *dh,
                               double *dx, double *dy, double *dh_previous) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t u = 0; u < units; u++) {
            size_t at = row * units + u, gate = row * 3 * units + u;
            if (mask[row] == 0) {
                for (size_t k = 0; k < 3; k++) dx[gate + k * units] = dy[gate + k * units] = 0;
                dh_previous[at] = dh[at];
                continue;
            }
            double z_in = x[gate] + y[gate], r_in = x[gate + units] + y[gate + units];
            double z = vc_reference_activation(recurrent_activation, z_in);
            double r = vc_reference_activation(recurrent_activation, r_in);
            double n_in = x[gate + 2 * units] + r * y[gate + 2 * units];
            double n = vc_reference_activation(activation, n_in);
            double dn = dh[at] * (1 - z) * vc_reference_activation_slope(activation, n_in);
            dx[gate] = dy[gate] =
                dh[at] * (h_previous[at] - n) * vc_reference_activation_slope(recurrent_activation, z_in);
            dx[gate + units] = dy[gate + units] =
                dn * y[gate + 2 * units] * vc_reference_activation_slope(recurrent_activation, r_in);
            dx[gate + 2 * units] = dn;
            dy[gate + 2 * units] = dn * r;
            dh_previous[at] = dh[at] * z;
        }
    }
}
