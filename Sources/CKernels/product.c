#include "vc_product.h"

#include "vc_lanes.h"
#include "vc_math.h"
#include "vc_turn.h"

// A tile of C is kept in registers: some rows times some vectors of 16 columns. For each element of the depth a tile takes one
// vector of B a column and one broadcast of A a row.

/// Vectors of the widest tile.
enum { most_vectors = 4 };
/// Rows of a strip whose result goes through a buffer, because its last vector is not full.
enum { buffered_rows = 36 };

/// Some vectors of columns and all rows, or the part of the product that is one pass over it.
typedef struct {
    long rows, segments, depth;
    const float *a;
    long a_row, a_depth, a_segment;
    const float *b;
    long b_depth, b_panel;
    float *c;
    long c_row;
    /// Where sums start (16 * vectors); NULL: with C.
    const float *start;
    /// A matrix with C's row stride that is added to where they start, or NULL.
    const float *adding;
    /// Whether sums that would start with C start at 0, and are added to C at their end.
    bool apart;
    /// Bounds of the result, where it is `bounded`.
    float low, high;
    bool bounded;
    /// The next part of B, which the tiles fetch into the second-level cache; NULL: they fetch nothing.
    const float *next;
} strip;

/// The parts of A and B that a tile reads in one segment of the depth.
typedef struct {
    /// The rows of A, where they are runs of memory.
    const float *lines[12];
    /// The tile's first element of A, and of B.
    const float *a, *b;
    long a_depth, b_depth, b_panel;
} operands;

/// Adds the products of element `p` of the depth to the sums of a tile.
VC_INLINE void add_products(vc_lanes *restrict sums, int rows, int vectors, bool by_rows, const operands *restrict o, long p) {
    vc_lanes columns[most_vectors];
    VC_UNROLLED for (int j = 0; j < vectors; j++) memcpy(&columns[j], o->b + p * o->b_depth + j * o->b_panel, sizeof(vc_lanes));
    VC_UNROLLED for (int i = 0; i < rows; i++) {
        // One pointer for all rows: a pointer a row takes more registers than there are.
        const float value = by_rows ? o->lines[i][p] : o->a[p * o->a_depth + i];
        VC_UNROLLED for (int j = 0; j < vectors; j++) sums[i * vectors + j] += value * columns[j];
    }
}

/// A tile of `rows` by `vectors` (constants); `by_rows`: whether the rows of A are runs of memory, otherwise its columns are.
VC_INLINE void tile(const strip *restrict s, int rows, int vectors, bool by_rows, const float *restrict a, const float *restrict adding,
                    float *restrict c) {
    vc_lanes sums[28];
    const long a_row = s->a_row, c_row = s->c_row, depth = s->depth;
    operands o = {{NULL}, a, s->b, s->a_depth, s->b_depth, s->b_panel};
    if (s->start) {
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            vc_lanes start;
            memcpy(&start, s->start + 16 * j, sizeof start);
            VC_UNROLLED for (int i = 0; i < rows; i++) sums[i * vectors + j] = start;
        }
    } else if (s->apart) {
        VC_UNROLLED for (int k = 0; k < rows * vectors; k++) sums[k] = (vc_lanes){0};
    } else {
        VC_UNROLLED for (int i = 0; i < rows; i++)
            VC_UNROLLED for (int j = 0; j < vectors; j++) memcpy(&sums[i * vectors + j], c + i * c_row + 16 * j, sizeof(vc_lanes));
    }
    if (adding)
        VC_UNROLLED for (int i = 0; i < rows; i++)
            VC_UNROLLED for (int j = 0; j < vectors; j++) {
                vc_lanes value;
                memcpy(&value, adding + i * c_row + 16 * j, sizeof value);
                sums[i * vectors + j] += value;
            }
    for (long segment = 0; segment < s->segments; segment++, o.a += s->a_segment, o.b += depth * o.b_depth) {
        VC_UNROLLED for (int i = 0; i < rows; i++) o.lines[i] = o.a + i * a_row;
        // An unrolled loop loads all values of A first: beside the sums of several vectors there are no registers for them.
        if (vectors == 1) {
            _Pragma("clang loop unroll_count(4)") for (long p = 0; p < depth; p++) add_products(sums, rows, vectors, by_rows, &o, p);
        } else {
            _Pragma("clang loop unroll(disable)") for (long p = 0; p < depth; p++) add_products(sums, rows, vectors, by_rows, &o, p);
        }
    }
    VC_UNROLLED for (int i = 0; i < rows; i++)
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            vc_lanes result = sums[i * vectors + j];
            if (s->apart) {
                vc_lanes before;
                memcpy(&before, c + i * c_row + 16 * j, sizeof before);
                result += before;
            }
            if (s->bounded) vc_bound(&result, s->low, s->high);
            memcpy(c + i * c_row + 16 * j, &result, sizeof result);
        }
}

VC_INLINE void tiles_of(const strip *restrict s, int most, int vectors, bool by_rows) {
    const long count = (s->rows + most - 1) / most;
    const float *next = s->next, *end = next ? next + s->depth * s->b_depth : NULL;
    const long ahead = (end - next + count * vc_lane_count - 1) / (count * vc_lane_count) * vc_lane_count;
    long row = 0;
    for (long t = 0; t < count; t++) {
        for (const float *stop = next + ahead; next < end && next < stop; next += vc_lane_count) __builtin_prefetch(next, 0, 2);
        const long rows = (s->rows - row + count - t - 1) / (count - t);
        // The sums of the next tile start with its part of C, which it would wait for.
        if (!s->start && !s->apart)
            VC_UNROLLED for (int i = 0; i < most; i++)
                VC_UNROLLED for (int j = 0; j < vectors; j++) __builtin_prefetch(s->c + (row + rows + i) * s->c_row + 16 * j, 1, 3);
        const float *a = s->a + row * s->a_row;
        const float *adding = s->adding ? s->adding + row * s->c_row : NULL;
        float *c = s->c + row * s->c_row;
        switch (rows) {
#define CASE(n)                                                                                                        \
    case n: tile(s, n <= most ? n : most, vectors, by_rows, a, adding, c); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#undef CASE
        }
        row += rows;
    }
}

/// The tiles of a strip, nearly equal, of at most `most` (a constant) rows.
VC_INLINE void tiles(const strip *restrict s, int most, int vectors) {
    if (s->a_depth == 1) {
        tiles_of(s, most, vectors, true);
    } else {
        tiles_of(s, most, vectors, false);
    }
}

// The tiles for 32 registers of 16 floats, for 16 of 8 and for 16 of 4.
#ifdef VC_CLONES
// Without the width, clang halves the vectors of functions that take none.
#define AVX512 __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
AVX512 static void avx512_by_1(const strip *s) { tiles(s, 12, 1); }
AVX512 static void avx512_by_2(const strip *s) { tiles(s, 12, 2); }
AVX512 static void avx512_by_3(const strip *s) { tiles(s, 9, 3); }
AVX512 static void avx512_by_4(const strip *s) { tiles(s, 6, 4); }
__attribute__((target("arch=x86-64-v3"))) static void avx2_by_1(const strip *s) { tiles(s, 6, 1); }
#endif
static void baseline_by_1(const strip *s) { tiles(s, 2, 1); }

typedef void run_tiles(const strip *);
typedef struct {
    /// Depth of a pass: so much of a strip's panels stays in the first-level cache with AVX2, in the second-level one with AVX-512. C is
    /// read and written once a pass.
    long depth;
    int widest;
    /// For each number of vectors up to the widest.
    run_tiles *by[most_vectors + 1];
} tile_set;

static tile_set best_tiles(void) {
#ifdef VC_CLONES
    if (__builtin_cpu_supports("x86-64-v4")) return (tile_set){512, 4, {NULL, avx512_by_1, avx512_by_2, avx512_by_3, avx512_by_4}};
    if (__builtin_cpu_supports("x86-64-v3")) return (tile_set){256, 1, {NULL, avx2_by_1}};
#endif
    return (tile_set){256, 1, {NULL, baseline_by_1}};
}

/// Vectors of the next strip where `left` are left: three, the fastest, but four where seven would end with one.
static int strip_vectors(long left, int widest) {
    if (left <= widest) return (int)left;
    return widest < 4 ? widest : left == 7 ? 4 : 3;
}

/// Returns true if the tiles bound their results, which is all that the activation does.
VC_INLINE bool is_bounded(const vc_product *s) {
    return s->activation == VC_RELU || s->activation == VC_RELU6;
}

/// All passes over `groups` groups of `rows` rows of a strip, into c; sums start with `start` (NULL: with c) and `adding` (or NULL).
/// A pass takes some segments, or a part of one; its depth is `run`, whose sum is taken apart, or where that is 0 the set's.
static void run_strip(const tile_set *set, int vectors, const vc_product *s, long run, const float *a, long groups, long rows,
                      long column, const float *start, const float *adding, float *c, long c_row) {
    const long pass = run > 0 ? run : set->depth;
    const float infinity = __builtin_inff();
    const bool bounded = is_bounded(s);
    const float *b = s->b + column / vc_panel_columns * s->b_panel;
    const long segments_at_once = s->depth >= pass ? 1 : pass / (s->depth > 0 ? s->depth : 1);
    // Measured with one vector. Few rows are done before anything has come.
    const bool fetches = vectors == 1 && s->segments == 1 && s->b_depth == vc_panel_columns && rows >= 24;
    for (long segment = 0; segment < s->segments; segment += segments_at_once) {
        const long segments = s->segments - segment < segments_at_once ? s->segments - segment : segments_at_once;
        for (long p = 0; p == 0 || p < s->depth; p += pass) {
            const long depth = s->depth - p < pass ? s->depth - p : pass;
            const float *part_b = b + (segment * s->depth + p) * s->b_depth;
            const bool first = segment == 0 && p == 0;
            const bool last = segment + segments == s->segments && p + depth >= s->depth;
            strip part = {
                rows, segments, depth, a + segment * s->a_segment + p * s->a_depth, s->a_row, s->a_depth, s->a_segment,
                part_b, s->b_depth, s->b_panel, c, c_row,
                first ? start : NULL, first ? adding : NULL, run > 0 && !(first && start),
                last && bounded ? 0 : -infinity, last && bounded && s->activation == VC_RELU6 ? 6 : infinity, last && bounded,
                fetches ? part_b + depth * s->b_depth : NULL,
            };
            for (long group = 0; group < groups; group++, part.a += s->a_group, part.c += rows * c_row) {
                set->by[vectors](&part);
                if (part.adding) part.adding += rows * c_row;
            }
        }
    }
}

/// The activation of some columns, unless the tiles did it.
VC_KERNEL static void finish(const vc_product *s, long column, long columns) {
    for (long i = 0; i < s->groups * s->rows; i++) vc_activate(s->activation, (size_t)columns, s->c + i * s->c_row + column);
}

/// A strip whose last vector is not full, by way of a buffer: whole vectors would reach over what is behind a row.
static void run_buffered(const tile_set *set, int vectors, const vc_product *s, long run, long column, long columns,
                         const float *start) {
    const long width = vectors * vc_lane_count;
    float buffer[buffered_rows * most_vectors * vc_lane_count] = {0};
    const bool continues = s->adds || s->adding;
    for (long group = 0; group < s->groups; group++) {
        for (long row = 0; row < s->rows; row += buffered_rows) {
            const long rows = s->rows - row < buffered_rows ? s->rows - row : buffered_rows;
            const long at = (group * s->rows + row) * s->c_row + column;
            for (long i = 0; continues && i < rows; i++) {
                const float *first = start ? start : s->c + at + i * s->c_row;
                const float *adding = s->adding ? s->adding + at + i * s->c_row : NULL;
                for (long j = 0; j < columns; j++) buffer[i * width + j] = first[j] + (adding ? adding[j] : 0.0f);
            }
            const float *a = s->a + group * s->a_group + row * s->a_row;
            run_strip(set, vectors, s, run, a, 1, rows, column, continues ? NULL : start, NULL, buffer, width);
            for (long i = 0; i < rows; i++) memcpy(s->c + at + i * s->c_row, buffer + i * width, (size_t)columns * sizeof(float));
        }
    }
}

void vc_matrix_product(const vc_product *s) { vc_matrix_product_in_runs(s, 0); }

void vc_matrix_product_in_runs(const vc_product *s, long run) {
    const tile_set set = best_tiles();
    const bool is_finished = is_bounded(s) || s->activation == VC_LINEAR;
    int vectors;
    for (long column = 0; column < s->columns; column += vectors * vc_lane_count) {
        const long left = s->columns - column;
        vectors = strip_vectors((left + vc_lane_count - 1) / vc_lane_count, set.widest);
        const long columns = left < vectors * vc_lane_count ? left : vectors * vc_lane_count;
        float bias[most_vectors * vc_lane_count] = {0};
        if (s->bias) memcpy(bias, s->bias + column, (size_t)columns * sizeof(float));
        const float *start = s->adds ? NULL : bias;
        if (columns == vectors * vc_lane_count) {
            const float *adding = s->adding ? s->adding + column : NULL;
            run_strip(&set, vectors, s, run, s->a, s->groups, s->rows, column, start, adding, s->c + column, s->c_row);
        } else {
            run_buffered(&set, vectors, s, run, column, columns, start);
        }
        if (!is_finished) finish(s, column, columns);
    }
}

VC_KERNEL void vc_pack(long depth, long columns, const float *b, long depth_stride, long column_stride, float *packed, long panel) {
    for (long column = 0; column < columns; column += vc_panel_columns) {
        float *restrict target = packed + column / vc_panel_columns * panel;
        const long width = columns - column < vc_panel_columns ? columns - column : vc_panel_columns;
        const float *restrict source = b + column * column_stride;
        if (depth_stride == 1) {
            vc_turn_all((size_t)width, (size_t)depth, source, (size_t)column_stride, target, vc_panel_columns);
        } else if (width == vc_panel_columns && column_stride == 1) {
            for (long p = 0; p < depth; p++) memcpy(target + p * vc_panel_columns, source + p * depth_stride, vc_panel_columns * sizeof(float));
        } else {
            for (long p = 0; p < depth; p++)
                for (long j = 0; j < width; j++) target[p * vc_panel_columns + j] = source[p * depth_stride + j * column_stride];
        }
        for (long p = 0; width < vc_panel_columns && p < depth; p++)
            for (long j = width; j < vc_panel_columns; j++) target[p * vc_panel_columns + j] = 0;
    }
}
