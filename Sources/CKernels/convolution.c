#include "vc_convolution.h"

#include <string.h>

/// Copies a short run without a call: two overlapping fixed-size copies; long ones by memcpy.
VC_INLINE void copy_run(float *restrict target, const float *restrict source, int count) {
    if (count >= 64) {
        memcpy(target, source, (size_t)count * sizeof(float));
    } else if (count >= 16) {
        for (int i = 0; i + 16 <= count; i += 16) __builtin_memcpy(target + i, source + i, 64);
        __builtin_memcpy(target + count - 16, source + count - 16, 64);
    } else if (count >= 8) {
        __builtin_memcpy(target, source, 32);
        __builtin_memcpy(target + count - 8, source + count - 8, 32);
    } else if (count >= 4) {
        __builtin_memcpy(target, source, 16);
        __builtin_memcpy(target + count - 4, source + count - 4, 16);
    } else {
        for (int i = 0; i < count; i++) target[i] = source[i];
    }
}

VC_INLINE void zero_run(float *target, int count) {
    for (int i = 0; i < count; i++) target[i] = 0;
}

VC_INLINE int clamp(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

// Within one kernel row the (column, channel) pairs of an output position are contiguous in the input: a run of
// kernel_columns * channels floats, cut by the map's left and right edge.

VC_KERNEL void vc_im2col(const vc_conv_shape *s, const float *input, int row0, int row1, int k0, int k1, float *out) {
    const int run = s->kernel_columns * s->channels;
    const int first = k0 / run, last = (k1 - 1) / run;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const int column = j * s->stride_columns - s->pad_left;
            // The floats of the run within the map.
            const int left = clamp(-column, 0, s->kernel_columns) * s->channels;
            const int right = clamp(s->columns - column, 0, s->kernel_columns) * s->channels;
            for (int r = first; r <= last; r++) {
                const int begin = r == first ? k0 - r * run : 0;
                const int end = r == last ? k1 - r * run : run;
                const int row = i * s->stride_rows - s->pad_top + r;
                const int low = clamp(left, begin, end);
                const int high = row < 0 || row >= s->rows ? low : clamp(right, low, end);
                const ptrdiff_t origin = ((ptrdiff_t)row * s->columns + column) * s->channels;
                if (low > begin) zero_run(out, low - begin);
                copy_run(out + (low - begin), input + (high > low ? origin + low : 0), high - low);
                if (end > high) zero_run(out + (high - begin), end - high);
                out += end - begin;
            }
        }
    }
}

VC_KERNEL void vc_col2im_add(const vc_conv_shape *s, const float *columns, int row0, int row1, float *d_input) {
    const int run = s->kernel_columns * s->channels;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            const int column = j * s->stride_columns - s->pad_left;
            const int left = clamp(-column, 0, s->kernel_columns) * s->channels;
            const int right = clamp(s->columns - column, 0, s->kernel_columns) * s->channels;
            for (int r = 0; r < s->kernel_rows; r++, columns += run) {
                const int row = i * s->stride_rows - s->pad_top + r;
                if (row < 0 || row >= s->rows || right <= left) continue;
                float *restrict target = d_input + ((ptrdiff_t)row * s->columns + column) * s->channels + left;
                const float *restrict source = columns + left;
                for (int c = 0; c < right - left; c++) target[c] += source[c];
            }
        }
    }
}

// With groups the channels of one group are contiguous, a (column, channel) run is not.

VC_KERNEL void vc_im2col_group(const vc_conv_shape *s, int channel, int channels, const float *input, int row0, int row1,
                               int k0, int k1, float *out) {
    const int first = k0 / channels, last = (k1 - 1) / channels;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            for (int t = first; t <= last; t++) {
                const int begin = t == first ? k0 - t * channels : 0;
                const int end = t == last ? k1 - t * channels : channels;
                const int row = i * s->stride_rows - s->pad_top + t / s->kernel_columns;
                const int column = j * s->stride_columns - s->pad_left + t % s->kernel_columns;
                if (row < 0 || row >= s->rows || column < 0 || column >= s->columns)
                    zero_run(out, end - begin);
                else
                    copy_run(out, input + ((ptrdiff_t)row * s->columns + column) * s->channels + channel + begin, end - begin);
                out += end - begin;
            }
        }
    }
}

VC_KERNEL void vc_col2im_add_group(const vc_conv_shape *s, int channel, int channels, const float *columns, int row0,
                                   int row1, float *d_input) {
    const int taps = s->kernel_rows * s->kernel_columns;
    for (int i = row0; i < row1; i++) {
        for (int j = 0; j < s->out_columns; j++) {
            for (int t = 0; t < taps; t++, columns += channels) {
                const int row = i * s->stride_rows - s->pad_top + t / s->kernel_columns;
                const int column = j * s->stride_columns - s->pad_left + t % s->kernel_columns;
                if (row < 0 || row >= s->rows || column < 0 || column >= s->columns) continue;
                float *restrict target = d_input + ((ptrdiff_t)row * s->columns + column) * s->channels + channel;
                for (int c = 0; c < channels; c++) target[c] += columns[c];
            }
        }
    }
}

VC_KERNEL void vc_sum_positions(const float *restrict d, long positions, int filters, float *restrict sums) {
    enum { tile = 64 };
    float part[tile];
    for (int f0 = 0; f0 < filters; f0 += tile) {
        const int width = filters - f0 < tile ? filters - f0 : tile;
        for (int f = 0; f < width; f++) sums[f0 + f] = 0;
        for (long p0 = 0; p0 < positions; p0 += 64) {
            const long end = p0 + 64 < positions ? p0 + 64 : positions;
            for (int f = 0; f < tile; f++) part[f] = 0;
            if (width == tile) {
                for (long p = p0; p < end; p++)
                    for (int f = 0; f < tile; f++) part[f] += d[p * filters + f0 + f];
            } else {
                for (long p = p0; p < end; p++)
                    for (int f = 0; f < width; f++) part[f] += d[p * filters + f0 + f];
            }
            for (int f = 0; f < width; f++) sums[f0 + f] += part[f];
        }
    }
}

VC_KERNEL void vc_relu_gradient(const float *output, const float *d_output, float *d_input, long count) {
    VC_INDEPENDENT for (long i = 0; i < count; i++) d_input[i] = output[i] > 0 ? d_output[i] : 0;
}

VC_KERNEL void vc_add(float *restrict target, const float *restrict source, long count) {
    for (long i = 0; i < count; i++) target[i] += source[i];
}
