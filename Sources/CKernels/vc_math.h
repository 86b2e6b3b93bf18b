// Elementary functions in single precision, written so that loops over them vectorise. Private to CKernels.
//
// Largest errors over every 1021st float, with and without fused multiply-add: exp 1.0 ulp (denormal results included),
// tanh 1.3, sigmoid 2.7; checked by ElementaryFunctionTests. NaN gives NaN, overflow infinity.
#pragma once

#include "vc_activation_kind.h"
#include "vc_simd.h"

#include <string.h>

VC_INLINE float vc_bits_to_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

VC_INLINE uint32_t vc_float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// e^x. Infinity above 88.73, 0 below -104.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts (Cody and Waite); e^r by the polynomial of Cephes's expf
/// (Moshier); 2^n applied in two factors so that denormal results and the last binade come out right.
VC_INLINE float vc_exp(float x) {
    const float to_integer = 12582912.0f; // 1.5 x 2^23: adding it leaves the integer nearest to x in the low bits
    x = x > 90.0f ? 90.0f : x;
    x = x < -105.0f ? -105.0f : x;
    float shifted = x * 1.44269504088896341f + to_integer;
    float n = shifted - to_integer;
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    // With NaN the integer is garbage, the arithmetic on it is unsigned, and p is NaN whatever the factors.
    int32_t exponent = (int32_t)(vc_float_to_bits(shifted) - vc_float_to_bits(to_integer));
    int32_t half = exponent >> 1;
    uint32_t first = ((uint32_t)half + 127u) << 23;
    uint32_t second = ((uint32_t)exponent - (uint32_t)half + 127u) << 23;
    return p * vc_bits_to_float(first) * vc_bits_to_float(second);
}

/// The square root, by an instruction that leaves errno alone, so that loops over it vectorise.
VC_INLINE float vc_square_root(float x) {
#if __has_builtin(__builtin_elementwise_sqrt)
    return __builtin_elementwise_sqrt(x);
#else
    return __builtin_sqrtf(x);
#endif
}

VC_INLINE float vc_absolute(float x) { return vc_bits_to_float(vc_float_to_bits(x) & 0x7fffffffu); }

VC_INLINE float vc_with_sign_of(float magnitude, float sign) {
    return vc_bits_to_float((vc_float_to_bits(magnitude) & 0x7fffffffu) | (vc_float_to_bits(sign) & 0x80000000u));
}

/// tanh(x): below 0.625 the odd polynomial of Cephes's tanhf, above it 1 - 2 / (e^2|x| + 1) with x's sign.
VC_INLINE float vc_tanh(float x) {
    float a = vc_absolute(x);
    float z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    float small = p * z * x + x;
    float large = 1.0f - 2.0f / (vc_exp(2.0f * a) + 1.0f);
    return a < 0.625f ? small : vc_with_sign_of(large, x);
}

/// 1 / (1 + e^-x), accurate in both tails: from e^-|x|, which cannot overflow.
VC_INLINE float vc_sigmoid(float x) {
    float e = vc_exp(-vc_absolute(x));
    float s = 1.0f / (1.0f + e);
    return x < 0.0f ? e * s : s;
}

/// clip(0.2 x + 0.5, 0, 1), the hard_sigmoid of Keras 1 and 2.
VC_INLINE float vc_hard_sigmoid(float x) {
    float y = 0.2f * x + 0.5f;
    y = y < 0.0f ? 0.0f : y;
    return y > 1.0f ? 1.0f : y;
}

/// max(x, 0); NaN stays NaN.
VC_INLINE float vc_rectify(float x) { return x < 0.0f ? 0.0f : x; }

/// min(max(x, 0), 6); NaN stays NaN.
VC_INLINE float vc_relu6(float x) {
    float y = vc_rectify(x);
    return y > 6.0f ? 6.0f : y;
}

/// relu6(x + 3) / 6, the hard_sigmoid of PyTorch and Keras 3.
VC_INLINE float vc_hard_sigmoid_sixth(float x) { return vc_relu6(x + 3.0f) * (1.0f / 6.0f); }

/// x sigmoid(x).
VC_INLINE float vc_silu(float x) { return x * vc_sigmoid(x); }

/// Its derivative s (1 + x (1 - s)) with s = sigmoid(x); 1 - s from e^-|x| too, so that nothing cancels.
VC_INLINE float vc_silu_slope(float x) {
    float e = vc_exp(-vc_absolute(x));
    float larger = 1.0f / (1.0f + e);
    float s = x < 0.0f ? e * larger : larger;
    float rest = x < 0.0f ? larger : e * larger;
    return s * (1.0f + x * rest);
}

/// x relu6(x + 3) / 6.
VC_INLINE float vc_hard_swish(float x) { return x * vc_hard_sigmoid_sixth(x); }

/// Its derivative: 0 up to -3, 1 from 3 on, (2 x + 3) / 6 between.
VC_INLINE float vc_hard_swish_slope(float x) {
    float value = x * (1.0f / 3.0f) + 0.5f;
    value = x <= -3.0f ? 0.0f : value;
    return x >= 3.0f ? 1.0f : value;
}

/// The activation of n consecutive values in place: one vectorised loop for each kind.
VC_INLINE void vc_activate(int kind, size_t n, float *x) {
    switch (kind) {
    case VC_RELU:
        for (size_t i = 0; i < n; i++) x[i] = vc_rectify(x[i]);
        break;
    case VC_TANH:
        for (size_t i = 0; i < n; i++) x[i] = vc_tanh(x[i]);
        break;
    case VC_SIGMOID:
        for (size_t i = 0; i < n; i++) x[i] = vc_sigmoid(x[i]);
        break;
    case VC_HARD_SIGMOID:
        for (size_t i = 0; i < n; i++) x[i] = vc_hard_sigmoid(x[i]);
        break;
    case VC_RELU6:
        for (size_t i = 0; i < n; i++) x[i] = vc_relu6(x[i]);
        break;
    case VC_SILU:
        for (size_t i = 0; i < n; i++) x[i] = vc_silu(x[i]);
        break;
    case VC_HARD_SWISH:
        for (size_t i = 0; i < n; i++) x[i] = vc_hard_swish(x[i]);
        break;
    case VC_HARD_SIGMOID_SIXTH:
        for (size_t i = 0; i < n; i++) x[i] = vc_hard_sigmoid_sixth(x[i]);
        break;
    default: break;
    }
}

/// The derivative of an activation as a function of its output a: c0 + c1 a + c2 a^2 for low < a < high, else 0. Silu's and
/// hard_swish's are no functions of the output.
typedef struct {
    float low, high, c0, c1, c2;
} vc_slope;

VC_INLINE vc_slope vc_slope_of(int kind) {
    const float infinity = __builtin_inff();
    switch (kind) {
    case VC_RELU: return (vc_slope){0.0f, infinity, 1.0f, 0.0f, 0.0f};
    case VC_TANH: return (vc_slope){-infinity, infinity, 1.0f, 0.0f, -1.0f};
    case VC_SIGMOID: return (vc_slope){-infinity, infinity, 0.0f, 1.0f, -1.0f};
    case VC_HARD_SIGMOID: return (vc_slope){0.0f, 1.0f, 0.2f, 0.0f, 0.0f};
    case VC_RELU6: return (vc_slope){0.0f, 6.0f, 1.0f, 0.0f, 0.0f};
    case VC_HARD_SIGMOID_SIXTH: return (vc_slope){0.0f, 1.0f, 1.0f / 6.0f, 0.0f, 0.0f};
    default: return (vc_slope){-infinity, infinity, 1.0f, 0.0f, 0.0f};
    }
}

/// The slope at output a; NaN in, NaN out.
VC_INLINE float vc_slope_at(vc_slope s, float a) {
    float value = s.c0 + a * (s.c1 + a * s.c2);
    return (a <= s.low || a >= s.high) ? 0.0f : value;
}

/// slopes[i] = activation'(x[i]) for n values: the derivative as a function of the input, for every kind.
VC_INLINE void vc_slopes_at_inputs(int kind, size_t n, const float *x, float *slopes) {
    if (kind == VC_SILU) {
        for (size_t i = 0; i < n; i++) slopes[i] = vc_silu_slope(x[i]);
    } else if (kind == VC_HARD_SWISH) {
        for (size_t i = 0; i < n; i++) slopes[i] = vc_hard_swish_slope(x[i]);
    } else {
        vc_slope slope = vc_slope_of(kind);
        if (slopes != x) memcpy(slopes, x, n * sizeof *slopes);
        vc_activate(kind, n, slopes);
        for (size_t i = 0; i < n; i++) slopes[i] = vc_slope_at(slope, slopes[i]);
    }
}
