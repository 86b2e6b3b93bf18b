#include "vc_reference_convolution.h"

#include "vc_reference_head.h"

/// The input element that tap (r, q) of output position (i, j) sees in channel c; -1 outside the map.
static long tap(const vc_conv_shape *s, int i, int j, int r, int q, int c) {
    int row = i * s->stride_rows - s->pad_top + r, column = j * s->stride_columns - s->pad_left + q;
    if (row < 0 || row >= s->rows || column < 0 || column >= s->columns) return -1;
    return ((long)row * s->columns + column) * s->channels + c;
}

/// Calls BODY for every output position (i, j; p), tap and channel (r, q, c; k) with `at` its input element, if any.
#define FOR_EACH_TAP(BODY)                                                                                             \
    for (int i = 0; i < s->out_rows; i++)                                                                              \
        for (int j = 0; j < s->out_columns; j++)                                                                       \
            for (int r = 0; r < s->kernel_rows; r++)                                                                   \
                for (int q = 0; q < s->kernel_columns; q++)                                                            \
                    for (int c = 0; c < s->channels; c++) {                                                            \
                        const long p = (long)i * s->out_columns + j;                                                   \
                        const long k = ((long)r * s->kernel_columns + q) * s->channels + c;                            \
                        const long at = tap(s, i, j, r, q, c);                                                         \
                        BODY                                                                                           \
                    }

VC_KERNEL void vc_reference_convolution(const vc_conv_shape *s, int filters, const float *input, const float *kernel,
                              const float *bias, bool relu, double *output) {
    const long count = (long)s->out_rows * s->out_columns * filters;
    for (long o = 0; o < count; o++) output[o] = bias[o % filters];
    FOR_EACH_TAP({
        if (at < 0) continue;
        for (int f = 0; f < filters; f++) output[p * filters + f] += (double)input[at] * kernel[k * filters + f];
    })
    if (relu)
        for (long o = 0; o < count; o++) output[o] = output[o] > 0 ? output[o] : 0;
}

void vc_reference_convolution_input_gradient(const vc_conv_shape *s, int filters, const float *d_output,
                                             const float *kernel, double *d_input) {
    for (long x = 0; x < (long)s->rows * s->columns * s->channels; x++) d_input[x] = 0;
    FOR_EACH_TAP({
        if (at < 0) continue;
        for (int f = 0; f < filters; f++) d_input[at] += (double)d_output[p * filters + f] * kernel[k * filters + f];
    })
}

VC_KERNEL void vc_reference_convolution_parameter_gradients(const vc_conv_shape *s, int filters, const float *input,
                                                  const float *d_output, double *d_kernel, double *d_bias) {
    FOR_EACH_TAP({
        if (at < 0) continue;
        for (int f = 0; f < filters; f++) d_kernel[k * filters + f] += (double)input[at] * d_output[p * filters + f];
    })
    for (long o = 0; o < (long)s->out_rows * s->out_columns * filters; o++) d_bias[o % filters] += d_output[o];
}

void vc_reference_im2col(const vc_conv_shape *s, const float *input, double *out) {
    const long width = (long)s->kernel_rows * s->kernel_columns * s->channels;
    FOR_EACH_TAP({ out[p * width + k] = at < 0 ? 0 : input[at]; })
}

void vc_reference_col2im(const vc_conv_shape *s, const float *columns, double *d_input) {
    const long width = (long)s->kernel_rows * s->kernel_columns * s->channels;
    for (long x = 0; x < (long)s->rows * s->columns * s->channels; x++) d_input[x] = 0;
    FOR_EACH_TAP({
        if (at >= 0) d_input[at] += columns[p * width + k];
    })
}

void vc_reference_finish_positions(int kind, long positions, int filters, const float *values, const float *bias,
                                   const float *adding, double *out) {
    for (long o = 0; o < positions * filters; o++) {
        const double sum = (double)values[o] + (bias ? bias[o % filters] : 0) + (adding ? adding[o] : 0);
        out[o] = vc_reference_activation(kind, sum);
    }
}

void vc_reference_sum_positions(const float *d, long positions, int filters, double *sums) {
    for (int f = 0; f < filters; f++) sums[f] = 0;
    for (long o = 0; o < positions * filters; o++) sums[o % filters] += d[o];
}

void vc_reference_relu_gradient(const float *output, const float *d_output, long count, double *d_input) {
    for (long i = 0; i < count; i++) d_input[i] = output[i] > 0 ? d_output[i] : 0;
}

VC_KERNEL void vc_reference_depthwise(const vc_conv_shape *s, const float *input, const float *kernel, const float *bias, int kind,
                            double *output) {
    const long count = (long)s->out_rows * s->out_columns * s->channels;
    for (long o = 0; o < count; o++) output[o] = bias ? bias[o % s->channels] : 0;
    FOR_EACH_TAP({
        if (at >= 0) output[p * s->channels + c] += (double)input[at] * kernel[k];
    })
    for (long o = 0; o < count; o++) output[o] = vc_reference_activation(kind, output[o]);
}

VC_KERNEL void vc_reference_depthwise_gradients(const vc_conv_shape *s, const float *input, const float *kernel,
                                      const float *d_output, double *d_input, double *d_kernel) {
    for (long x = 0; x < (long)s->rows * s->columns * s->channels; x++) d_input[x] = 0;
    FOR_EACH_TAP({
        if (at < 0) continue;
        const double d = d_output[p * s->channels + c];
        d_input[at] += d * kernel[k];
        d_kernel[k] += d * input[at];
    })
}
