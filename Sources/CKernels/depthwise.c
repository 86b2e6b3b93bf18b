#include "vc_depthwise.h"

#include "vc_lanes.h"
#include "vc_math.h"

/// Neighbouring outputs that are computed together: for 5x5 kernels, whose sums are long, more if the map is wide enough.
enum { most_columns = 8, columns_at_once = 4 };

VC_INLINE int larger(int a, int b) { return a > b ? a : b; }
VC_INLINE int smaller(int a, int b) { return a < b ? a : b; }

/// Taps `first` ..< `last` of a kernel's axis whose inputs, from `origin` on, are within 0 ..< `extent`.
typedef struct {
    int first, last;
} taps;

VC_INLINE taps taps_inside(int origin, int kernel, int extent) {
    const int first = larger(0, -origin), last = smaller(kernel, extent - origin);
    return (taps){first, larger(first, last)};
}

/// A rectangle of products: `rows` x `columns` pairs of a value and a weight, each the given steps apart.
typedef struct {
    int rows, columns;
    const float *values;
    ptrdiff_t value_row, value_column;
    const float *weights;
    ptrdiff_t weight_row, weight_column;
} products;

/// out (channels) = bias + the sum of the products, row by row.
VC_INLINE void sum_products(const products *p, const float *bias, int channels, float *out) {
#define GROUP(at, n)                                                                                                   \
    do {                                                                                                               \
        vc_lanes sum = {0};                                                                                            \
        if (bias) vc_get(&sum, bias + (at), n);                                                                        \
        for (int r = 0; r < p->rows; r++) {                                                                            \
            for (int q = 0; q < p->columns; q++) {                                                                     \
                vc_lanes value, weight;                                                                                \
                vc_get(&value, p->values + r * p->value_row + q * p->value_column + (at), n);                          \
                vc_get(&weight, p->weights + r * p->weight_row + q * p->weight_column + (at), n);                      \
                sum += value * weight;                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        vc_put(out + (at), &sum, n);                                                                                   \
    } while (0)
    VC_FOR_EACH_GROUP(channels, GROUP)
#undef GROUP
}

// MARK: - Forward

/// `count` (a constant) neighbouring outputs of 16 channels from `rows` rows of the kernel. Of the (count - 1) * stride + size
/// inputs of a row, counted from `x`, those from `low` to `high` are within the map. Each is loaded once.
VC_INLINE void outputs_of_block(const float *x, ptrdiff_t line, const float *kernel, const float *bias, int rows, int size,
                                int stride, int count, int low, int high, int channels, int n, float *out) {
    vc_lanes sums[most_columns] = {{0}};
    if (bias)
        VC_UNROLLED for (int j = 0; j < count; j++) vc_get(&sums[j], bias, n);
    for (int r = 0; r < rows; r++) {
        vc_lanes weights[5];
        VC_UNROLLED for (int q = 0; q < size; q++) vc_get(&weights[q], kernel + (ptrdiff_t)(r * size + q) * channels, n);
        VC_UNROLLED for (int t = 0; t < (count - 1) * stride + size; t++) {
            if (t < low || t >= high) continue;
            vc_lanes value;
            vc_get(&value, x + r * line + (ptrdiff_t)t * channels, n);
            VC_UNROLLED for (int j = 0; j < count; j++) {
                const int q = t - j * stride;
                if (q >= 0 && q < size) sums[j] += value * weights[q];
            }
        }
    }
    VC_UNROLLED for (int j = 0; j < count; j++) vc_put(out + (ptrdiff_t)j * channels, &sums[j], n);
}

/// One output row by blocks of `count` (a constant) columns, the last of which overlaps the one before it.
VC_INLINE void row_by_blocks(const vc_conv_shape *s, int size, int stride, int count, const float *input, const float *kernel,
                             const float *bias, int i, float *out) {
    const int channels = s->channels, row = i * stride - s->pad_top, width = (count - 1) * stride + size;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    const taps r = taps_inside(row, size, s->rows);
    const float *w = kernel + (ptrdiff_t)r.first * size * channels;
    for (int next = 0; next < s->out_columns; next += count) {
        const int j = smaller(next, s->out_columns - count), column = j * stride - s->pad_left;
        const taps inside = taps_inside(column, width, s->columns);
        const float *x = input + (row + r.first) * line + (ptrdiff_t)column * channels;
        float *target = out + (ptrdiff_t)j * channels;
        if (inside.first == 0 && inside.last == width) {
#define GROUP(c, n)                                                                                                    \
    outputs_of_block(x + (c), line, w + (c), bias ? bias + (c) : NULL, r.last - r.first, size, stride, count, 0, width, channels, n, target + (c))
            VC_FOR_EACH_GROUP(channels, GROUP)
#undef GROUP
        } else {
#define GROUP(c, n)                                                                                                    \
    outputs_of_block(x + (c), line, w + (c), bias ? bias + (c) : NULL, r.last - r.first, size, stride, count, inside.first, \
                     inside.last, channels, n, target + (c))
            VC_FOR_EACH_GROUP(channels, GROUP)
#undef GROUP
        }
    }
}

/// One output row of any kernel.
VC_INLINE void row_by_positions(const vc_conv_shape *s, const float *input, const float *kernel, const float *bias, int i,
                                float *out) {
    const int channels = s->channels, row = i * s->stride_rows - s->pad_top;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels, kernel_line = (ptrdiff_t)s->kernel_columns * channels;
    const taps r = taps_inside(row, s->kernel_rows, s->rows);
    for (int j = 0; j < s->out_columns; j++) {
        const int column = j * s->stride_columns - s->pad_left;
        const taps q = taps_inside(column, s->kernel_columns, s->columns);
        const products p = {
            r.last - r.first, q.last - q.first,
            input + (row + r.first) * line + (ptrdiff_t)(column + q.first) * channels, line, channels,
            kernel + r.first * kernel_line + (ptrdiff_t)q.first * channels, kernel_line, channels,
        };
        sum_products(&p, bias, channels, out + (ptrdiff_t)j * channels);
    }
}

/// The size of a square kernel with equal strides that has loops of its own, 10 * size + stride; else 0.
VC_INLINE int special_case(const vc_conv_shape *s) {
    const bool even = s->kernel_rows == s->kernel_columns && s->stride_rows == s->stride_columns;
    const bool known = (s->kernel_rows == 3 || s->kernel_rows == 5) && (s->stride_rows == 1 || s->stride_rows == 2);
    return even && known ? 10 * s->kernel_rows + s->stride_rows : 0;
}

#define ROW(size, stride, count) row_by_blocks(s, size, stride, count, input, kernel, bias, i, out)

VC_KERNEL void vc_depthwise(const vc_conv_shape *s, const float *input, const float *kernel, const float *bias, int kind,
                            int row0, int row1, float *output) {
    const ptrdiff_t out_line = (ptrdiff_t)s->out_columns * s->channels;
    const int special = s->out_columns < columns_at_once ? 0 : special_case(s);
    const bool wide = s->out_columns >= most_columns;
    for (int i = row0; i < row1; i++) {
        float *out = output + i * out_line;
        switch (special) {
        case 31: ROW(3, 1, columns_at_once); break;
        case 32: ROW(3, 2, columns_at_once); break;
        case 51:
            if (wide) ROW(5, 1, most_columns);
            else ROW(5, 1, columns_at_once);
            break;
        case 52:
            if (wide) ROW(5, 2, most_columns);
            else ROW(5, 2, columns_at_once);
            break;
        default: row_by_positions(s, input, kernel, bias, i, out); break;
        }
        vc_activate(kind, (size_t)out_line, out);
    }
}

// MARK: - Gradients

/// The taps of one axis that reach input `at`, `padded` = at + padding: every stride-th from `first` on, the first of them from
/// output `output`, each further one from the output before.
typedef struct {
    int first, count, output;
} reaching;

VC_INLINE reaching taps_reaching(int padded, int kernel, int stride, int outputs) {
    const int first = larger(padded % stride, padded - stride * (outputs - 1)), last = smaller(kernel - 1, padded);
    return (reaching){first, last < first ? 0 : (last - first) / stride + 1, (padded - first) / stride};
}

VC_KERNEL void vc_depthwise_input_gradient(const vc_conv_shape *s, const float *d_output, const float *kernel, int row0,
                                           int row1, float *d_input) {
    const int channels = s->channels;
    const ptrdiff_t line = (ptrdiff_t)s->out_columns * channels, kernel_line = (ptrdiff_t)s->kernel_columns * channels;
    for (int i = row0; i < row1; i++) {
        const reaching r = taps_reaching(i + s->pad_top, s->kernel_rows, s->stride_rows, s->out_rows);
        for (int j = 0; j < s->columns; j++) {
            const reaching q = taps_reaching(j + s->pad_left, s->kernel_columns, s->stride_columns, s->out_columns);
            const products p = {
                q.count > 0 ? r.count : 0, q.count,
                d_output + r.output * line + (ptrdiff_t)q.output * channels, -line, -channels,
                kernel + r.first * kernel_line + (ptrdiff_t)q.first * channels, s->stride_rows * kernel_line,
                (ptrdiff_t)s->stride_columns * channels,
            };
            sum_products(&p, NULL, channels, d_input + ((ptrdiff_t)i * s->columns + j) * channels);
        }
    }
}

/// Adds to 16 channels of `d_kernel` the share of `count` (a constant) neighbouring outputs; as `outputs_of_block`.
VC_INLINE void add_gradient_of_block(const float *x, ptrdiff_t line, const float *d, int rows, int size, int stride, int count,
                                     int low, int high, int channels, int n, float *d_kernel) {
    vc_lanes slopes[columns_at_once];
    VC_UNROLLED for (int j = 0; j < count; j++) vc_get(&slopes[j], d + (ptrdiff_t)j * channels, n);
    for (int r = 0; r < rows; r++) {
        vc_lanes sums[5];
        float *target = d_kernel + (ptrdiff_t)r * size * channels;
        VC_UNROLLED for (int q = 0; q < size; q++) vc_get(&sums[q], target + (ptrdiff_t)q * channels, n);
        VC_UNROLLED for (int t = 0; t < (count - 1) * stride + size; t++) {
            if (t < low || t >= high) continue;
            vc_lanes value;
            vc_get(&value, x + r * line + (ptrdiff_t)t * channels, n);
            VC_UNROLLED for (int j = 0; j < count; j++) {
                const int q = t - j * stride;
                if (q >= 0 && q < size) sums[q] += value * slopes[j];
            }
        }
        VC_UNROLLED for (int q = 0; q < size; q++) vc_put(target + (ptrdiff_t)q * channels, &sums[q], n);
    }
}

/// As VC_FOR_EACH_GROUP, but no groups overlap.
#define FOR_EACH_GROUP_ONCE(channels, BODY)                                                                            \
    do {                                                                                                               \
        int c = 0;                                                                                                     \
        for (; c + vc_lane_count <= (channels); c += vc_lane_count) BODY(c, vc_lane_count);                            \
        if (c < (channels)) BODY(c, (channels) - c);                                                                   \
    } while (0)

VC_INLINE void add_gradient_of_row(const vc_conv_shape *s, int size, int stride, const float *input, const float *d_output,
                                   int i, float *d_kernel) {
    const int channels = s->channels, row = i * stride - s->pad_top, width = (columns_at_once - 1) * stride + size;
    const ptrdiff_t line = (ptrdiff_t)s->columns * channels;
    const taps r = taps_inside(row, size, s->rows);
    float *target = d_kernel + (ptrdiff_t)r.first * size * channels;
    const float *d = d_output + (ptrdiff_t)i * s->out_columns * channels;
    int j = 0;
#define GROUP(count, low, high, c, n)                                                                                  \
    add_gradient_of_block(x + (c), line, d + (ptrdiff_t)j * channels + (c), r.last - r.first, size, stride, count, low, \
                          high, channels, n, target + (c))
#define WHOLE(c, n) GROUP(columns_at_once, 0, width, c, n)
#define CUT(c, n) GROUP(columns_at_once, inside.first, inside.last, c, n)
#define SINGLE(c, n) GROUP(1, inside.first, inside.last, c, n)
    for (; j + columns_at_once <= s->out_columns; j += columns_at_once) {
        const int column = j * stride - s->pad_left;
        const taps inside = taps_inside(column, width, s->columns);
        const float *x = input + (row + r.first) * line + (ptrdiff_t)column * channels;
        if (inside.first == 0 && inside.last == width)
            FOR_EACH_GROUP_ONCE(channels, WHOLE);
        else
            FOR_EACH_GROUP_ONCE(channels, CUT);
    }
    for (; j < s->out_columns; j++) {
        const int column = j * stride - s->pad_left;
        const taps inside = taps_inside(column, size, s->columns);
        const float *x = input + (row + r.first) * line + (ptrdiff_t)column * channels;
        FOR_EACH_GROUP_ONCE(channels, SINGLE);
    }
#undef GROUP
#undef WHOLE
#undef CUT
#undef SINGLE
}

/// As `add_gradient_of_row`, of any kernel.
VC_INLINE void add_gradient_by_positions(const vc_conv_shape *s, const float *input, const float *d_output, int i,
                                         float *d_kernel) {
    const int channels = s->channels, row = i * s->stride_rows - s->pad_top;
    const taps r = taps_inside(row, s->kernel_rows, s->rows);
    for (int j = 0; j < s->out_columns; j++) {
        const int column = j * s->stride_columns - s->pad_left;
        const taps q = taps_inside(column, s->kernel_columns, s->columns);
        const float *restrict d = d_output + ((ptrdiff_t)i * s->out_columns + j) * channels;
        for (int a = r.first; a < r.last; a++) {
            for (int b = q.first; b < q.last; b++) {
                const float *restrict x = input + ((ptrdiff_t)(row + a) * s->columns + column + b) * channels;
                float *restrict target = d_kernel + ((ptrdiff_t)a * s->kernel_columns + b) * channels;
                for (int c = 0; c < channels; c++) target[c] += x[c] * d[c];
            }
        }
    }
}

VC_KERNEL void vc_depthwise_filter_gradient(const vc_conv_shape *s, const float *input, const float *d_output, int row0,
                                            int row1, float *d_kernel) {
    const ptrdiff_t size = (ptrdiff_t)s->kernel_rows * s->kernel_columns * s->channels;
    for (ptrdiff_t k = 0; k < size; k++) d_kernel[k] = 0;
    const int special = special_case(s);
    for (int i = row0; i < row1; i++) {
        switch (special) {
        case 31: add_gradient_of_row(s, 3, 1, input, d_output, i, d_kernel); break;
        case 32: add_gradient_of_row(s, 3, 2, input, d_output, i, d_kernel); break;
        case 51: add_gradient_of_row(s, 5, 1, input, d_output, i, d_kernel); break;
        case 52: add_gradient_of_row(s, 5, 2, input, d_output, i, d_kernel); break;
        default: add_gradient_by_positions(s, input, d_output, i, d_kernel); break;
        }
    }
}
