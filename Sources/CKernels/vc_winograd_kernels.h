// The kernels of vc_winograd.h for vectors of vc_lane_count floats. Private to CKernels: included behind vc_winograd.h, with WINOGRAD(name),
// the name that a kernel gets, and WINOGRAD_KERNEL, its attributes.
#include "vc_lanes.h"

#include <string.h>

// `a` where `choice` is all ones, `b` where it is zero.
#define SELECT(choice, a, b) ((vc_lanes)(((choice) & (vc_lane_mask)(a)) | (~(choice) & (vc_lane_mask)(b))))

// The one-dimensional transforms, from line `in` to line `out`, whose elements are `o` apart.

// B': 6 to 6.
VC_INLINE void input_line(vc_lanes *out, int o, const vc_lanes *in) {
    const vc_lanes a = in[4] - in[2], b = in[3] - in[1];
    const vc_lanes even = a - 1.5f * in[3], odd = 1.5f * in[2] - b;
    out[0] = (in[0] - in[2]) + a - 1.5f * b;
    out[o] = even - odd;
    out[2 * o] = even + odd;
    out[3 * o] = a + 0.5f * b;
    out[4 * o] = a - 2.0f * b;
    out[5 * o] = (in[5] - in[3]) - b - 1.5f * a;
}

// A': 6 to 4.
VC_INLINE void output_line(vc_lanes *out, int o, const vc_lanes *in) {
    const vc_lanes sum = in[1] + in[2], difference = in[1] - in[2];
    out[0] = in[0] + sum + (in[3] + in[4]);
    out[o] = difference + 2.0f * in[3] - 0.5f * in[4];
    out[2 * o] = sum + 4.0f * in[3] + 0.25f * in[4];
    out[3 * o] = difference + 8.0f * in[3] - 0.125f * in[4] + in[5];
}

// A: 4 to 6.
VC_INLINE void output_adjoint_line(vc_lanes *out, int o, const vc_lanes *in) {
    const vc_lanes even = in[0] + in[2], odd = in[1] + in[3];
    out[0] = in[0];
    out[o] = even + odd;
    out[2 * o] = even - odd;
    out[3 * o] = in[0] + 2.0f * in[1] + 4.0f * in[2] + 8.0f * in[3];
    out[4 * o] = in[0] - 0.5f * in[1] + 0.25f * in[2] - 0.125f * in[3];
    out[5 * o] = in[3];
}

// G: 3 to 6.
VC_INLINE void filter_line(vc_lanes *out, int o, const vc_lanes *in) {
    const vc_lanes even = (1.0f / 3.0f) * (in[0] + in[2]), odd = (1.0f / 3.0f) * in[1];
    out[0] = in[0];
    out[o] = -even - odd;
    out[2 * o] = even - odd;
    out[3 * o] = (1.0f / 15.0f) * (in[0] + 2.0f * in[1] + 4.0f * in[2]);
    out[4 * o] = (-4.0f / 15.0f) * (4.0f * in[0] - 2.0f * in[1] + in[2]);
    out[5 * o] = in[2];
}

// G': 6 to 3.
VC_INLINE void filter_adjoint_line(vc_lanes *out, int o, const vc_lanes *in) {
    const vc_lanes sum = (1.0f / 3.0f) * (in[1] + in[2]), difference = (1.0f / 3.0f) * (in[2] - in[1]);
    const vc_lanes two = (1.0f / 15.0f) * in[3], half = (4.0f / 15.0f) * in[4];
    out[0] = in[0] + difference + two - 4.0f * half;
    out[o] = 2.0f * two + 2.0f * half - sum;
    out[2 * o] = difference + 4.0f * two - half + in[5];
}

// A two-dimensional transform of (from, from) values, each got by the statement GET(value, i, j), to values (to, to): LINE
// down the columns, then along the rows.
#define TRANSFORM(LINE, from, to, GET)                                                                                 \
    vc_lanes values[to][to];                                                                                           \
    do {                                                                                                               \
        vc_lanes half[to][from];                                                                                       \
        VC_UNROLLED for (int j = 0; j < from; j++) {                                                                   \
            vc_lanes column[from];                                                                                     \
            VC_UNROLLED for (int i = 0; i < from; i++) { GET(&column[i], i, j); }                                      \
            LINE(&half[0][j], from, column);                                                                           \
        }                                                                                                              \
        VC_UNROLLED for (int i = 0; i < to; i++) { LINE(values[i], 1, half[i]); }                                      \
    } while (0)

// Calls BODY(c, at, n) for groups of n <= vc_lane_count columns c ... of the first `count` columns of row `row` of matrices, `at` being
// the place of the first in the matrix of frequency 0. A panel's rows have `width` columns.
#define FOR_EACH_GROUP(layout, count, row, BODY)                                                                       \
    for (int p = 0; p < (count); p += (layout)->panel) {                                                               \
        const int width = smaller((layout)->panel, (layout)->columns - p), end = smaller(width, (count) - p);          \
        const ptrdiff_t at = (ptrdiff_t)p * (layout)->rows + (ptrdiff_t)(row) * width;                                 \
        int c = 0;                                                                                                     \
        for (; c + vc_lane_count <= end; c += vc_lane_count) BODY(p + c, at + c, vc_lane_count);                       \
        if (c < end) BODY(p + c, at + c, end - c);                                                                     \
    }

VC_INLINE int smaller(int a, int b) { return a < b ? a : b; }

// Asks for the lines at `next` of `rows` rows, `line` floats apart, of so many positions of the next tile as the group has channels of: a
// tile's rows lie too far apart for the processor to see what comes. `writes`: whether they will be written.
#define FETCH(next, rows, positions, line, writes)                                                                     \
    VC_UNROLLED for (int i = 0; i < rows; i++)                                                                         \
        VC_UNROLLED for (int k = 0; k < (positions) * vc_lane_count; k += 16) __builtin_prefetch((next) + i * (line) + k, writes, 3)

// MARK: - Places

/// The position of a tile: its frame and the row and column of its first output.
typedef struct {
    long frame;
    int row, column;
} place;

VC_INLINE place place_of(const vc_winograd_map *map, long tile) {
    const int across = (map->columns + 3) / 4, down = (map->rows + 3) / 4;
    const long in_frame = tile % ((long)across * down);
    return (place){tile / ((long)across * down), (int)(in_frame / across) * 4, (int)(in_frame % across) * 4};
}

VC_INLINE place place_after(const vc_winograd_map *map, place at) {
    at.column += 4;
    if (at.column >= map->columns) at.column = 0, at.row += 4;
    if (at.row >= map->rows) at.row = 0, at.frame++;
    return at;
}

/// A square of positions of a frame of rows x columns positions, `channels` floats from one to the next.
typedef struct {
    /// The first position, and the distance between rows.
    const float *first;
    ptrdiff_t line;
    int channels;
    /// Whether the map ends within the square. Then `each` is its positions; those outside the map are `outside`.
    bool is_cut;
    const float *each[36];
} square;

VC_INLINE square square_of(const float *frame, int rows, int columns, int channels, int row, int column, int size, const float *outside) {
    square result;
    result.channels = channels;
    result.line = (ptrdiff_t)columns * channels;
    result.first = frame + row * result.line + (ptrdiff_t)column * channels;
    result.is_cut = row < 0 || column < 0 || row + size > rows || column + size > columns;
    for (int i = 0; i < size && result.is_cut; i++)
        for (int j = 0; j < size; j++) {
            const bool is_within = row + i >= 0 && row + i < rows && column + j >= 0 && column + j < columns;
            result.each[i * size + j] = is_within ? result.first + i * result.line + (ptrdiff_t)j * channels : outside;
        }
    return result;
}

/// The position (i, j) of a square of `size` (constants, like `is_cut`).
VC_INLINE const float *position(const square *s, bool is_cut, int size, int i, int j) {
    return is_cut ? s->each[i * size + j] : s->first + i * s->line + (ptrdiff_t)j * s->channels;
}

// MARK: - Zero patches

/// Returns true if the n floats at `p`, n <= 64, are 0, of either sign.
VC_INLINE bool are_zero(const float *p, int n) {
    vc_lane_mask bits = {0};
    VC_UNROLLED for (int i = 0; i < 64 / vc_lane_count; i++) {
        vc_lanes values = {0};
        if (n > i * vc_lane_count) vc_get(&values, p + i * vc_lane_count, smaller(vc_lane_count, n - i * vc_lane_count));
        bits |= (vc_lane_mask)values;
    }
    return !__builtin_reduce_or(bits << 1);
}

/// Returns true if all channels are 0.
VC_INLINE bool is_zero(const float *position, int channels) {
    int c = 0;
    for (; c + 64 <= channels; c += 64) {
        if (!are_zero(position + c, 64)) return false;
    }
    return c == channels || are_zero(position + c, channels - c);
}

/// The zero patches of a tile of `rows` x `columns` outputs within the map, from the square of its 6x6 inputs.
VC_INLINE vc_winograd_patches zero_patches(const square *inputs, int channels, int rows, int columns) {
    // Every patch contains one of these four positions. Few maps have zeros in all channels there.
    const int top = smaller(2, rows), left = smaller(2, columns), bottom = smaller(3, rows), right = smaller(3, columns);
#define IS_ZERO(i, j) is_zero(position(inputs, inputs->is_cut, 6, i, j), channels)
    if (!IS_ZERO(top, left) && !IS_ZERO(top, right) && !IS_ZERO(bottom, left) && !IS_ZERO(bottom, right)) return 0;
    unsigned threes[6];  // Bit j: the three positions from column j on are zero.
    for (int i = 0; i < 6; i++) {
        unsigned zeros = 0;
        for (int j = 0; j < 6; j++) zeros |= (unsigned)IS_ZERO(i, j) << j;
        threes[i] = zeros & zeros >> 1 & zeros >> 2;
    }
#undef IS_ZERO
    unsigned patches = 0;
    for (int i = 0; i < 4; i++) patches |= (threes[i] & threes[i + 1] & threes[i + 2]) << 4 * i;
    return (vc_winograd_patches)patches;
}

// MARK: - Input and output gradient

// Calls BODY for the groups of the first `count` columns, with `is_cut` a constant.
#define FOR_EACH_GROUP_OF(square, layout, count, row, BODY)                                                            \
    if ((square).is_cut) {                                                                                             \
        const bool is_cut = true;                                                                                      \
        FOR_EACH_GROUP(layout, count, row, BODY)                                                                       \
    } else {                                                                                                           \
        const bool is_cut = false;                                                                                     \
        FOR_EACH_GROUP(layout, count, row, BODY)                                                                       \
    }

VC_INLINE void input_group(const square *inputs, bool is_cut, int channel, float *target, ptrdiff_t stride, int n) {
    FETCH(inputs->first + 6 * inputs->channels + 4 * channel, 6, 4, inputs->line, 0);
#define GET(value, i, j) vc_get(value, position(inputs, is_cut, 6, i, j) + channel, n)
    TRANSFORM(input_line, 6, 6, GET);
#undef GET
    VC_UNROLLED for (int f = 0; f < 36; f++) vc_put(target + f * stride, &values[f / 6][f % 6], vc_lane_count);
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_input)(const vc_winograd_map *map, const float *input, long first, int count,
                     const vc_winograd_matrices *layout, int at_row, float *v, vc_winograd_patches *zeros,
                     float *spare) {
    memset(spare, 0, (size_t)map->channels * sizeof(float));
    place tile = place_of(map, first);
    for (int t = 0; t < count; t++, tile = place_after(map, tile)) {
        const float *frame = input + tile.frame * map->rows * map->columns * map->channels;
        const square inputs = square_of(frame, map->rows, map->columns, map->channels, tile.row - 1, tile.column - 1, 6, spare);
        if (zeros)
            zeros[at_row + t] =
                zero_patches(&inputs, map->channels, smaller(4, map->rows - tile.row), smaller(4, map->columns - tile.column));
#define BODY(c, at, n) input_group(&inputs, is_cut, c, v + (at), layout->stride, n)
        FOR_EACH_GROUP_OF(inputs, layout, map->channels, at_row + t, BODY)
#undef BODY
    }
}

VC_INLINE void output_adjoint_group(const square *outputs, bool is_cut, int channel, float *target, ptrdiff_t stride, int n) {
    FETCH(outputs->first + 4 * (outputs->channels + channel), 4, 4, outputs->line, 0);
#define GET(value, i, j) vc_get(value, position(outputs, is_cut, 4, i, j) + channel, n)
    TRANSFORM(output_adjoint_line, 4, 6, GET);
#undef GET
    VC_UNROLLED for (int f = 0; f < 36; f++) vc_put(target + f * stride, &values[f / 6][f % 6], vc_lane_count);
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_output_adjoint)(const vc_winograd_map *map, const float *d_output, long first,
                     int count, const vc_winograd_matrices *layout, int at_row, float *dm, float *spare) {
    memset(spare, 0, (size_t)map->channels * sizeof(float));
    place tile = place_of(map, first);
    for (int t = 0; t < count; t++, tile = place_after(map, tile)) {
        const float *frame = d_output + tile.frame * map->rows * map->columns * map->channels;
        const square outputs = square_of(frame, map->rows, map->columns, map->channels, tile.row, tile.column, 4, spare);
#define BODY(c, at, n) output_adjoint_group(&outputs, is_cut, c, dm + (at), layout->stride, n)
        FOR_EACH_GROUP_OF(outputs, layout, map->channels, at_row + t, BODY)
#undef BODY
    }
}

// MARK: - Output

/// The larger; NaN wins.
VC_INLINE void to_larger(vc_lanes *a, const vc_lanes *b) {
    const vc_lane_mask second = (*b > *a) | (*b != *b);
    *a = SELECT(second, *b, *a);
}

// The sums of a zero patch are multiplied by 0: they are rounding errors, which would open ReLUs that are shut, unless
// the filters are NaN or infinite.
#define OUTPUT_VALUES(source, stride, zeros, bias, relu, n)                                                            \
    TRANSFORM(output_line, 6, 4, GET);                                                                                 \
    if (zeros) VC_UNROLLED for (int i = 0; i < 16; i++) values[i / 4][i % 4] *= (zeros) >> i & 1 ? 0.0f : 1.0f;        \
    vc_lanes offset = {0};                                                                                             \
    if (bias) vc_get(&offset, bias, n);                                                                                \
    const float lowest = relu ? 0.0f : -__builtin_inff();                                                              \
    VC_UNROLLED for (int i = 0; i < 16; i++) {                                                                         \
        vc_lanes *value = &values[i / 4][i % 4];                                                                       \
        *value += offset;                                                                                              \
        *value = (vc_lanes)((vc_lane_mask)*value & ~(*value < lowest));                                                   \
    }
// The same place of the next tile is `row` floats behind.
#define GET(value, i, j)                                                                                               \
    __builtin_prefetch(source + ((i) * 6 + (j)) * stride + row, 0, 3);                                                 \
    vc_get(value, source + ((i) * 6 + (j)) * stride, vc_lane_count)

/// `gates`: NULL for none.
VC_INLINE void output_group(const float *source, int row, ptrdiff_t stride, unsigned zeros, const float *bias, bool relu,
                            const square *gates, const square *outputs, bool is_cut, int channel, int n) {
    FETCH(outputs->first + 4 * (outputs->channels + channel), 4, 4, outputs->line, 1);
    OUTPUT_VALUES(source, stride, zeros, bias, relu, n)
    VC_UNROLLED for (int i = 0; i < 4; i++)
        VC_UNROLLED for (int j = 0; j < 4; j++) {
            if (gates) {
                vc_lanes open;
                vc_get(&open, position(gates, is_cut, 4, i, j) + channel, n);
                values[i][j] = (vc_lanes)((vc_lane_mask)values[i][j] & (open > 0.0f));
            }
            vc_put((float *)position(outputs, is_cut, 4, i, j) + channel, &values[i][j], n);
        }
}

/// `whole`: the squares of the map before the pooling, cut where the outputs are; NULL if it is not wanted.
VC_INLINE void pooled_group(const float *source, int row, ptrdiff_t stride, unsigned zeros, const float *bias, bool relu,
                            const square *whole, const square *outputs, bool is_cut, int channel, int n) {
    FETCH(outputs->first + 2 * (outputs->channels + channel), 2, 2, outputs->line, 1);
    if (whole) FETCH(whole->first + 4 * (whole->channels + channel), 4, 4, whole->line, 1);
    OUTPUT_VALUES(source, stride, zeros, bias, relu, n)
    VC_UNROLLED for (int i = 0; i < 16 && whole; i++)
        vc_put((float *)position(whole, is_cut, 4, i / 4, i % 4) + channel, &values[i / 4][i % 4], n);
    VC_UNROLLED for (int i = 0; i < 2; i++)
        VC_UNROLLED for (int j = 0; j < 2; j++) {
            vc_lanes *above = &values[2 * i][2 * j], *below = &values[2 * i + 1][2 * j];
            to_larger(above, above + 1);
            to_larger(below, below + 1);
            to_larger(above, below);
            vc_put((float *)position(outputs, is_cut, 2, i, j) + channel, above, n);
        }
}

#undef GET

// Writes tiles of `size` x `size` results to a map of `height` x `width` positions a frame, and what lies outside it to `spare`. PLACE is a
// statement for each tile.
#define OUTPUT_TILES(size, height, width, PLACE)                                                                       \
    place tile = place_of(map, first);                                                                                 \
    for (int t = 0; t < count; t++, tile = place_after(map, tile)) {                                                   \
        const int down = tile.row * size / 4, across = tile.column * size / 4;                                         \
        const ptrdiff_t frame = tile.frame * (height) * (width) * map->channels;                                       \
        const square outputs = square_of(output + frame, height, width, map->channels, down, across, size, spare);     \
        PLACE;                                                                                                         \
        if (zeros[at_row + t]) {                                                                                       \
            const unsigned zero = zeros[at_row + t];                                                                   \
            FOR_EACH_GROUP_OF(outputs, layout, map->channels, at_row + t, BODY)                                        \
        } else {                                                                                                       \
            const unsigned zero = 0;                                                                                   \
            FOR_EACH_GROUP_OF(outputs, layout, map->channels, at_row + t, BODY)                                        \
        }                                                                                                              \
    }

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_output)(const vc_winograd_map *map, const vc_winograd_matrices *layout,
                     const float *m, const vc_winograd_patches *zeros, int at_row, long first, int count,
                     const float *bias, bool relu, float *output, float *spare) {
#define BODY(c, at, n)                                                                                                 \
    output_group(m + (at), width, layout->stride, zero, bias ? bias + (c) : NULL, relu, NULL, &outputs, is_cut, c, n)
    OUTPUT_TILES(4, map->rows, map->columns, )
#undef BODY
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_output_gated)(const vc_winograd_map *map, const vc_winograd_matrices *layout,
                     const float *m, const vc_winograd_patches *zeros, int at_row, long first, int count,
                     const float *gate, float *output, float *spare) {
#define BODY(c, at, n) output_group(m + (at), width, layout->stride, zero, NULL, false, &gates, &outputs, is_cut, c, n)
    OUTPUT_TILES(4, map->rows, map->columns,
                 const square gates = square_of(gate + frame, map->rows, map->columns, map->channels, down, across, 4, spare))
#undef BODY
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_output_pooled)(const vc_winograd_map *map, const vc_winograd_matrices *layout,
                     const float *m, const vc_winograd_patches *zeros, int at_row, long first, int count,
                     const float *bias, bool relu, float *whole, float *output, float *spare) {
    if (whole) {
        const ptrdiff_t floats = (ptrdiff_t)map->rows * map->columns * map->channels;
#define BODY(c, at, n)                                                                                                 \
    pooled_group(m + (at), width, layout->stride, zero, bias ? bias + (c) : NULL, relu, &wholes, &outputs, is_cut, c, n)
        OUTPUT_TILES(2, map->rows / 2, map->columns / 2,
                     const square wholes = square_of(whole + tile.frame * floats, map->rows, map->columns, map->channels, tile.row,
                                                     tile.column, 4, spare))
#undef BODY
    } else {
#define BODY(c, at, n)                                                                                                 \
    pooled_group(m + (at), width, layout->stride, zero, bias ? bias + (c) : NULL, relu, NULL, &outputs, is_cut, c, n)
        OUTPUT_TILES(2, map->rows / 2, map->columns / 2, )
#undef BODY
    }
}

// MARK: - Filters

/// `streams`: whether the results go past the caches to `target`, which is whole cache lines.
VC_INLINE void filter_group(const float *source, ptrdiff_t tap, float *target, ptrdiff_t stride, bool streams, int n) {
#define GET(value, i, j) vc_get(value, source + ((i) * 3 + (j)) * tap, n)
    TRANSFORM(filter_line, 3, 6, GET);
#undef GET
    VC_UNROLLED for (int f = 0; f < 36; f++) {
        if (streams) {
            __builtin_nontemporal_store(values[f / 6][f % 6], (vc_lanes *)(target + f * stride));
        } else {
            vc_put(target + f * stride, &values[f / 6][f % 6], vc_lane_count);
        }
    }
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_filter)(const float *kernel, int filters, int first, int last,
                     const vc_winograd_matrices *layout, float *u) {
    const ptrdiff_t tap = (ptrdiff_t)layout->rows * filters;
    // The matrices leave the caches before they are read. (A vector of 8 floats is half a cache line.)
    const bool are_large = vc_lane_count == 16 && layout->stride >= 128 * 1024 && (uintptr_t)u % sizeof(vc_lanes) == 0;
    for (int channel = first; channel < last; channel++) {
#define BODY(k, at, n) filter_group(kernel + (ptrdiff_t)channel * filters + (k), tap, u + (at), layout->stride, streams, n)
        if (are_large) {
            const bool streams = true;
            FOR_EACH_GROUP(layout, filters, channel, BODY)
        } else {
            const bool streams = false;
            FOR_EACH_GROUP(layout, filters, channel, BODY)
        }
#undef BODY
    }
    // A store past the caches is not ordered by what tells the other threads that it is done.
    if (are_large) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

VC_INLINE void filter_adjoint_group(const float *source, int row, ptrdiff_t stride, float *target, ptrdiff_t tap, int n) {
// The same place of the channel after the next is 2 * row floats behind.
#define GET(value, i, j)                                                                                               \
    __builtin_prefetch(source + ((i) * 6 + (j)) * stride + 2 * row, 0, 3);                                             \
    vc_get(value, source + ((i) * 6 + (j)) * stride, vc_lane_count)
    TRANSFORM(filter_adjoint_line, 6, 3, GET);
#undef GET
    VC_UNROLLED for (int i = 0; i < 9; i++) {
        vc_lanes sum;
        vc_get(&sum, target + i * tap, n);
        sum += values[i / 3][i % 3];
        vc_put(target + i * tap, &sum, n);
    }
}

WINOGRAD_KERNEL void WINOGRAD(vc_winograd_filter_adjoint)(const vc_winograd_matrices *layout, const float *du,
                     int filters, int first, int last, float *d_kernel) {
    const ptrdiff_t tap = (ptrdiff_t)layout->rows * filters;
    for (int channel = first; channel < last; channel++) {
#define BODY(k, at, n) filter_adjoint_group(du + (at), width, layout->stride, d_kernel + (ptrdiff_t)channel * filters + (k), tap, n)
        FOR_EACH_GROUP(layout, filters, channel, BODY)
#undef BODY
    }
}
