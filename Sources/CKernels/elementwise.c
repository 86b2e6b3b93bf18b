#include "vc_elementwise.h"

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
    enum { tile = 16 };
    for (size_t r = 0; r < rows; r += tile) {
        size_t r_end = rows - r < tile ? rows : r + tile;
        for (size_t c = 0; c < columns; c += tile) {
            size_t c_end = columns - c < tile ? columns : c + tile;
            for (size_t j = c; j < c_end; j++)
                for (size_t i = r; i < r_end; i++) y[j * y_stride + i] = x[i * x_stride + j];
        }
    }
}

VC_KERNEL void vc_scale_channels(size_t positions, size_t channels, const float *x, const float *gate, float *y) {
    for (size_t p = 0; p < positions; p++)
        VC_INDEPENDENT for (size_t c = 0; c < channels; c++) y[p * channels + c] = x[p * channels + c] * gate[c];
}
