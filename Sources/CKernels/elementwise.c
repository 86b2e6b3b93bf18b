#include "vc_elementwise.h"

#include "vc_turn.h"

VC_KERNEL void vc_multiply(size_t count, const float *x, const float *y, float *z) {
    VC_INDEPENDENT for (size_t i = 0; i < count; i++) z[i] = x[i] * y[i];
}

VC_KERNEL void vc_scale(size_t count, float scale, const float *x, bool accumulate, float *y) {
    if (accumulate)
        for (size_t i = 0; i < count; i++) y[i] += scale * x[i];
    else
        for (size_t i = 0; i < count; i++) y[i] = scale * x[i];
}

VC_KERNEL void vc_transpose(size_t rows, size_t columns, const float *x, size_t x_stride, float *y, size_t y_stride) {
    vc_turn_all(rows, columns, x, x_stride, y, y_stride);
}

VC_KERNEL void vc_scale_channels(size_t positions, size_t channels, const float *x, const float *gate, float *y) {
    for (size_t p = 0; p < positions; p++)
        VC_INDEPENDENT for (size_t c = 0; c < channels; c++) y[p * channels + c] = x[p * channels + c] * gate[c];
}
