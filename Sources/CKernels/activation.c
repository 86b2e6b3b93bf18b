#include "vc_activation.h"

#include "vc_math.h"

#include <string.h>

VC_KERNEL void vc_exp_array(size_t count, const float *x, float *y) {
    for (size_t i = 0; i < count; i++) y[i] = vc_exp(x[i]);
}

VC_KERNEL void vc_activation_forward(int kind, size_t count, const float *x, float *y) {
    if (x != y) memcpy(y, x, count * sizeof *y);
    vc_activate(kind, count, y);
}

VC_KERNEL void vc_activation_backward(int kind, size_t count, const float *y, const float *dy, float *dx) {
    vc_slope slope = vc_slope_of(kind);
    for (size_t i = 0; i < count; i++) dx[i] = dy[i] * vc_slope_at(slope, y[i]);
}

VC_KERNEL void vc_bias_activation(int kind, size_t rows, size_t columns, size_t stride, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++) {
        float *row = x + r * stride;
        if (bias != NULL)
            for (size_t c = 0; c < columns; c++) row[c] += bias[c];
        vc_activate(kind, columns, row);
    }
}
