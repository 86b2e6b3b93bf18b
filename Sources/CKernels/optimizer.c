#include "vc_optimizer.h"

#include "vc_math.h"

VC_KERNEL void vc_moment_update(size_t count, const vc_moment_coefficients *coefficients, const float *restrict g,
                                float *restrict m, float *restrict v, float *restrict p) {
    const vc_moment_coefficients k = *coefficients;
    for (size_t i = 0; i < count; i++) {
        float d = k.gradient_scale * g[i];
        float first = k.beta_1 * m[i] + k.one_minus_beta_1 * d;
        float second = k.beta_2 * v[i] + k.one_minus_beta_2 * (d * d);
        m[i] = first;
        v[i] = second;
        float step = (k.gradient_share * d + k.momentum_share * first) / (vc_square_root(k.v_correction * second) + k.epsilon);
        p[i] = k.keep * p[i] - k.learning_rate * step;
    }
}

VC_KERNEL void vc_sgd_update(size_t count, const vc_sgd_coefficients *coefficients, const float *restrict g,
                             float *restrict m, float *restrict p) {
    const vc_sgd_coefficients k = *coefficients;
    float rate = k.learning_rate * k.gradient_scale;
    if (m == NULL) {
        for (size_t i = 0; i < count; i++) p[i] = k.keep * p[i] - rate * g[i];
    } else if (k.nesterov) {
        for (size_t i = 0; i < count; i++) {
            float velocity = k.momentum * m[i] - rate * g[i];
            m[i] = velocity;
            p[i] = k.keep * p[i] + (k.momentum * velocity - rate * g[i]);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            float velocity = k.momentum * m[i] - rate * g[i];
            m[i] = velocity;
            p[i] = k.keep * p[i] + velocity;
        }
    }
}

VC_KERNEL void vc_rmsprop_update(size_t count, const vc_rmsprop_coefficients *coefficients, const float *restrict g,
                                 float *restrict v, float *restrict m, float *restrict p) {
    const vc_rmsprop_coefficients k = *coefficients;
    for (size_t i = 0; i < count; i++) {
        float d = k.gradient_scale * g[i];
        v[i] = k.rho * v[i] + k.one_minus_rho * (d * d);
    }
    if (m == NULL) {
        for (size_t i = 0; i < count; i++) {
            float d = k.gradient_scale * g[i];
            p[i] = k.keep * p[i] - k.learning_rate * d / vc_square_root(v[i] + k.epsilon);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            float d = k.gradient_scale * g[i];
            m[i] = k.momentum * m[i] + k.learning_rate * d / vc_square_root(v[i] + k.epsilon);
            p[i] = k.keep * p[i] - m[i];
        }
    }
}
