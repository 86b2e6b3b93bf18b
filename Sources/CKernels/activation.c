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
    VC_INDEPENDENT for (size_t i = 0; i < count; i++) dx[i] = dy[i] * vc_slope_at(slope, y[i]);
}

VC_KERNEL void vc_activation_input_gradient(int kind, size_t count, const float *x, const float *dy, float *dx) {
    enum { tile = 256 };
    float slopes[tile];
    for (size_t first = 0; first < count; first += tile) {
        size_t n = count - first < tile ? count - first : tile;
        vc_slopes_at_inputs(kind, n, x + first, slopes);
        VC_INDEPENDENT for (size_t i = 0; i < n; i++) dx[first + i] = dy[first + i] * slopes[i];
    }
}

VC_KERNEL void vc_add_activate(int kind, size_t count, const float *a, const float *b, float *z) {
    enum { tile = 4096 };
    for (size_t first = 0; first < count; first += tile) {
        size_t end = count - first < tile ? count : first + tile;
        VC_INDEPENDENT for (size_t i = first; i < end; i++) z[i] = a[i] + b[i];
        vc_activate(kind, end - first, z + first);
    }
}

VC_KERNEL void vc_add_activate_gradient(int kind, size_t count, const float *a, const float *b, const float *dz, float *d) {
    enum { tile = 256 };
    float slopes[tile];
    for (size_t first = 0; first < count; first += tile) {
        size_t n = count - first < tile ? count - first : tile;
        for (size_t i = 0; i < n; i++) slopes[i] = a[first + i] + b[first + i];
        vc_slopes_at_inputs(kind, n, slopes, slopes);
        VC_INDEPENDENT for (size_t i = 0; i < n; i++) d[first + i] = dz[first + i] * slopes[i];
    }
}

/// A row of `n` values: x += bias + adding, either of which may be NULL; as (x + bias) + adding.
VC_INLINE void add_to_row(size_t n, float *restrict x, const float *restrict bias, const float *restrict adding) {
    if (bias != NULL && adding != NULL)
        for (size_t i = 0; i < n; i++) x[i] = (x[i] + bias[i]) + adding[i];
    else if (bias != NULL)
        for (size_t i = 0; i < n; i++) x[i] += bias[i];
    else if (adding != NULL)
        for (size_t i = 0; i < n; i++) x[i] += adding[i];
}

VC_KERNEL void vc_finish_positions(int kind, size_t positions, size_t filters, const float *bias, const float *adding,
                                   float *values) {
    // As many rows at a time as stay in the first-level cache; short rows are activated together.
    const size_t step = filters < 4096 ? 4096 / filters : 1;
    for (size_t first = 0; first < positions; first += step) {
        const size_t rows = positions - first < step ? positions - first : step;
        float *block = values + first * filters;
        if (bias != NULL || adding != NULL)
            for (size_t r = 0; r < rows; r++)
                add_to_row(filters, block + r * filters, bias, adding == NULL ? NULL : adding + (first + r) * filters);
        vc_activate(kind, rows * filters, block);
    }
}

VC_KERNEL void vc_bias_activation(int kind, size_t rows, size_t columns, size_t stride, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++) {
        float *row = x + r * stride;
        if (bias != NULL)
            for (size_t c = 0; c < columns; c++) row[c] += bias[c];
        vc_activate(kind, columns, row);
    }
}
