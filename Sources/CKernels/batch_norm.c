#include "vc_batch_norm.h"

#include "vc_lanes.h"
#include "vc_math.h"

// Some vectors of columns go through all rows, with their sums and factors in registers: four whole vectors at a time, then the
// whole ones that are left, then a part of one.

/// Vectors of columns that go through the rows together.
enum { most_vectors = 4 };

/// The first n floats of a row's vector; the row `rows_ahead` further on is fetched, because rows of wide maps are far apart.
VC_INLINE void get_from_row(vc_lanes *value, const float *p, size_t stride, int n) {
    enum { rows_ahead = 8 };
    __builtin_prefetch(p + rows_ahead * stride);
    vc_get(value, p, n);
}

/// Sixteen numbers in double precision.
typedef double double_lanes __attribute__((vector_size(128)));

// Calls BODY(first, vectors, n), with constants, for groups of `vectors` vectors from column `first` on that cover all columns. Only
// n columns of the last vector of a group count.
#define FOR_EACH_GROUP(columns, BODY)                                                                                  \
    do {                                                                                                               \
        size_t first = 0;                                                                                              \
        for (; columns - first >= most_vectors * vc_lane_count; first += most_vectors * vc_lane_count)                 \
            BODY(first, most_vectors, vc_lane_count);                                                                  \
        switch ((columns - first) / vc_lane_count) {                                                                   \
        case 3: BODY(first, 3, vc_lane_count); break;                                                                  \
        case 2: BODY(first, 2, vc_lane_count); break;                                                                  \
        case 1: BODY(first, 1, vc_lane_count); break;                                                                  \
        }                                                                                                              \
        first = columns / vc_lane_count * vc_lane_count;                                                               \
        if (columns - first >= 8) {                                                                                    \
            BODY(first, 1, 8);                                                                                         \
            first += 8;                                                                                                \
        }                                                                                                              \
        if (columns - first >= 4) {                                                                                    \
            BODY(first, 1, 4);                                                                                         \
            first += 4;                                                                                                \
        }                                                                                                              \
        for (; first < columns; first++) BODY(first, 1, 1);                                                            \
    } while (0)

VC_INLINE void add_totals(int vectors, int n, size_t rows, size_t stride, const float *x, const float *weight, double *sums) {
    double_lanes sum[most_vectors] = {0};
    for (size_t r = 0; r < rows; r++) {
        if (weight != NULL && weight[r] == 0.0f) continue;
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            vc_lanes value;
            get_from_row(&value, x + r * stride + 16 * j, stride, n);
            sum[j] += __builtin_convertvector(value, double_lanes);
        }
    }
    VC_UNROLLED for (int j = 0; j < vectors; j++) memcpy(sums + 16 * j, &sum[j], (size_t)n * sizeof(double));
}

VC_KERNEL void vc_column_totals(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                                double *sums) {
#define BODY(first, vectors, n) add_totals(vectors, n, rows, stride, x + first, weight, sums + first)
    FOR_EACH_GROUP(columns, BODY);
#undef BODY
}

VC_INLINE void add_squares(int vectors, int n, size_t rows, size_t stride, const float *x, const float *weight, const double *centre,
                           double *squares) {
    double_lanes sum[most_vectors] = {0}, middle[most_vectors] = {0};
    VC_UNROLLED for (int j = 0; j < vectors; j++) memcpy(&middle[j], centre + 16 * j, (size_t)n * sizeof(double));
    for (size_t r = 0; r < rows; r++) {
        if (weight != NULL && weight[r] == 0.0f) continue;
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            vc_lanes value;
            get_from_row(&value, x + r * stride + 16 * j, stride, n);
            const double_lanes d = __builtin_convertvector(value, double_lanes) - middle[j];
            sum[j] += d * d;
        }
    }
    VC_UNROLLED for (int j = 0; j < vectors; j++) memcpy(squares + 16 * j, &sum[j], (size_t)n * sizeof(double));
}

VC_KERNEL void vc_centred_squares(size_t rows, size_t columns, size_t stride, const float *x, const float *weight,
                                  const double *centre, double *squares) {
#define BODY(first, vectors, n) add_squares(vectors, n, rows, stride, x + first, weight, centre + first, squares + first)
    FOR_EACH_GROUP(columns, BODY);
#undef BODY
}

/// The effect of an activation on a normalised value.
typedef enum {
    /// It has none.
    linear,
    /// It keeps the value within bounds: relu and relu6.
    bounded,
    /// It has any other effect.
    general,
} effect;

VC_INLINE effect effect_of(int activation) {
    return activation == VC_LINEAR ? linear : activation == VC_RELU || activation == VC_RELU6 ? bounded : general;
}

// Calls FUNCTION(effect, ...) with a constant effect.
#define BY_EFFECT(activation, FUNCTION, ...)                                                                           \
    switch (effect_of(activation)) {                                                                                   \
    case linear: FUNCTION(linear, __VA_ARGS__); break;                                                                 \
    case bounded: FUNCTION(bounded, __VA_ARGS__); break;                                                               \
    case general: FUNCTION(general, __VA_ARGS__); break;                                                               \
    }

/// A normalisation of some vectors of columns: (x - mean) * scale + beta, scale = gamma * inverse, inverse = 1 / s.
typedef struct {
    vc_lanes mean[most_vectors], inverse[most_vectors], scale[most_vectors], beta[most_vectors];
    /// Bounds of the result.
    float low, high;
} factors;

VC_INLINE factors factors_of(int vectors, int n, const vc_normalisation *norm, size_t first) {
    factors f;
    VC_UNROLLED for (int j = 0; j < vectors; j++) {
        const size_t at = first + (size_t)(16 * j);
        vc_lanes gamma;
        vc_get(&f.mean[j], norm->mean + at, n);
        vc_get(&f.inverse[j], norm->variance + at, n);
        vc_get(&gamma, norm->gamma + at, n);
        vc_get(&f.beta[j], norm->beta + at, n);
        VC_UNROLLED for (int i = 0; i < vc_lane_count; i++) f.inverse[j][i] = 1.0f / vc_square_root(f.inverse[j][i] + norm->epsilon);
        f.scale[j] = f.inverse[j] * gamma;
    }
    f.low = norm->activation == VC_LINEAR ? -__builtin_inff() : 0.0f;
    f.high = norm->activation == VC_RELU6 ? 6.0f : __builtin_inff();
    return f;
}

VC_INLINE void normalise(effect effect, int vectors, int n, const vc_normalisation *norm, size_t first, size_t rows, size_t stride,
                         const float *x, float *y) {
    enum { step = 32 }; // rows that are activated while they are in the first-level cache
    const factors f = factors_of(vectors, n, norm, first);
    const size_t width = (size_t)(16 * (vectors - 1) + n);
    for (size_t r0 = 0; r0 < rows; r0 += step) {
        const size_t end = rows - r0 < step ? rows : r0 + step;
        for (size_t r = r0; r < end; r++)
            VC_UNROLLED for (int j = 0; j < vectors; j++) {
                const size_t at = r * stride + first + (size_t)(16 * j);
                vc_lanes value;
                get_from_row(&value, x + at, stride, n);
                value = (value - f.mean[j]) * f.scale[j] + f.beta[j];
                if (effect == bounded) vc_bound(&value, f.low, f.high);
                vc_put(y + at, &value, n);
            }
        if (effect != general) continue;
        // Rows without gaps between them are one run, which has fewer ends that fill no vector.
        if (width == stride)
            vc_activate(norm->activation, (end - r0) * width, y + r0 * stride);
        else
            for (size_t r = r0; r < end; r++) vc_activate(norm->activation, width, y + r * stride + first);
    }
}

VC_KERNEL void vc_batch_norm_forward(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride, const float *x,
                                     float *y) {
#define BODY(first, vectors, n) BY_EFFECT(norm->activation, normalise, vectors, n, norm, first, rows, stride, x, y)
    FOR_EACH_GROUP(columns, BODY);
#undef BODY
}

/// d *= activation'(z) for a group of vectors of a row, from x - mean.
VC_INLINE void gate(effect effect, int vectors, int n, int activation, const factors *f, const vc_lanes *centred, vc_lanes *d) {
    if (effect == linear) return;
    vc_lanes z[most_vectors];
    VC_UNROLLED for (int j = 0; j < vectors; j++) z[j] = centred[j] * f->scale[j] + f->beta[j];
    if (effect == bounded) {
        VC_UNROLLED for (int j = 0; j < vectors; j++)
            d[j] = (vc_lanes)((vc_lane_mask)d[j] & ~((z[j] <= f->low) | (z[j] >= f->high)));
    } else {
        float slopes[16 * most_vectors];
        memcpy(slopes, z, sizeof(vc_lanes) * (size_t)vectors);
        vc_slopes_at_inputs(activation, (size_t)(16 * (vectors - 1) + n), slopes, slopes);
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            vc_lanes slope;
            vc_get(&slope, slopes + 16 * j, vc_lane_count);
            d[j] *= slope;
        }
    }
}

/// x - mean, and d = dy * activation'(z), for a group of vectors of a row.
VC_INLINE void get_gradients(effect effect, int vectors, int n, int activation, const factors *f, const float *x, const float *dy,
                             size_t stride, vc_lanes *centred, vc_lanes *d) {
    VC_UNROLLED for (int j = 0; j < vectors; j++) {
        get_from_row(&centred[j], x + 16 * j, stride, n);
        get_from_row(&d[j], dy + 16 * j, stride, n);
        centred[j] -= f->mean[j];
    }
    gate(effect, vectors, n, activation, f, centred, d);
}

VC_INLINE void add_parameter_sums(effect effect, int vectors, int n, const vc_normalisation *norm, size_t first, size_t rows,
                                  size_t stride, const float *x, const float *dy, double *gamma_sums, double *beta_sums) {
    const factors f = factors_of(vectors, n, norm, first);
    double_lanes gamma_sum[most_vectors] = {0}, beta_sum[most_vectors] = {0};
    for (size_t r = 0; r < rows; r++) {
        vc_lanes centred[most_vectors], d[most_vectors];
        get_gradients(effect, vectors, n, norm->activation, &f, x + r * stride + first, dy + r * stride + first, stride, centred, d);
        VC_UNROLLED for (int j = 0; j < vectors; j++) {
            const double_lanes wide = __builtin_convertvector(d[j], double_lanes);
            beta_sum[j] += wide;
            gamma_sum[j] += wide * __builtin_convertvector(centred[j], double_lanes);
        }
    }
    VC_UNROLLED for (int j = 0; j < vectors; j++) {
        memcpy(gamma_sums + first + 16 * j, &gamma_sum[j], (size_t)n * sizeof(double));
        memcpy(beta_sums + first + 16 * j, &beta_sum[j], (size_t)n * sizeof(double));
    }
}

VC_KERNEL void vc_batch_norm_parameter_sums(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride,
                                            const float *x, const float *dy, double *gamma_sums, double *beta_sums) {
#define BODY(first, vectors, n)                                                                                        \
    BY_EFFECT(norm->activation, add_parameter_sums, vectors, n, norm, first, rows, stride, x, dy, gamma_sums, beta_sums)
    FOR_EACH_GROUP(columns, BODY);
#undef BODY
}

/// dx = scale * d - (constant + slope * (x - mean)); the second term only in the rows that count, and not at all without d_gamma.
VC_INLINE void input_gradient(effect effect, int vectors, int n, const vc_normalisation *norm, size_t first, size_t rows, size_t stride,
                              const float *x, const float *dy, const float *weight, float share, const float *d_gamma,
                              const float *d_beta, float *dx) {
    const factors f = factors_of(vectors, n, norm, first);
    vc_lanes constant[most_vectors] = {0}, slope[most_vectors] = {0};
    VC_UNROLLED for (int j = 0; j < vectors; j++) {
        if (d_gamma == NULL) continue;
        vc_get(&constant[j], d_beta + first + 16 * j, n);
        vc_get(&slope[j], d_gamma + first + 16 * j, n);
        constant[j] *= f.scale[j] * share;
        slope[j] *= f.scale[j] * f.inverse[j] * share;
    }
    for (size_t r = 0; r < rows; r++) {
        vc_lanes centred[most_vectors], d[most_vectors];
        get_gradients(effect, vectors, n, norm->activation, &f, x + r * stride + first, dy + r * stride + first, stride, centred, d);
        VC_UNROLLED for (int j = 0; j < vectors; j++) d[j] *= f.scale[j];
        if (d_gamma != NULL && (weight == NULL || weight[r] != 0.0f))
            VC_UNROLLED for (int j = 0; j < vectors; j++) d[j] -= constant[j] + centred[j] * slope[j];
        VC_UNROLLED for (int j = 0; j < vectors; j++) vc_put(dx + r * stride + first + 16 * j, &d[j], n);
    }
}

VC_KERNEL void vc_batch_norm_input_gradient(const vc_normalisation *norm, size_t rows, size_t columns, size_t stride,
                                            const float *x, const float *dy, const float *weight, float share,
                                            const float *d_gamma, const float *d_beta, float *dx) {
#define BODY(first, vectors, n)                                                                                        \
    BY_EFFECT(norm->activation, input_gradient, vectors, n, norm, first, rows, stride, x, dy, weight, share, d_gamma, d_beta, dx)
    FOR_EACH_GROUP(columns, BODY);
#undef BODY
}
