#include "vc_activation.h"
#include "vc_reference_head.h"

#include <math.h>

double vc_reference_activation(int kind, double x) {
    switch (kind) {
    case VC_RELU: return x > 0 ? x : (isnan(x) ? x : 0);
    case VC_TANH: return tanh(x);
    case VC_SIGMOID: return 1 / (1 + exp(-x));
    case VC_HARD_SIGMOID: return isnan(x) ? x : fmin(fmax(0.2 * x + 0.5, 0), 1);
    case VC_RELU6: return isnan(x) ? x : fmin(fmax(x, 0), 6);
    case VC_SILU: return x / (1 + exp(-x));
    case VC_HARD_SWISH: return isnan(x) ? x : x * fmin(fmax(x + 3, 0), 6) / 6;
    case VC_HARD_SIGMOID_SIXTH: return isnan(x) ? x : fmin(fmax(x + 3, 0), 6) / 6;
    default: return x;
    }
}

double vc_reference_activation_slope(int kind, double x) {
    double y = vc_reference_activation(kind, x);
    switch (kind) {
    case VC_RELU: return x > 0 ? 1 : 0;
    case VC_TANH: return 1 - y * y;
    case VC_SIGMOID: return y * (1 - y);
    case VC_HARD_SIGMOID: return x > -2.5 && x < 2.5 ? 0.2 : 0;
    case VC_RELU6: return x > 0 && x < 6 ? 1 : 0;
    case VC_SILU: return 1 / (1 + exp(-x)) + x * exp(-x) / ((1 + exp(-x)) * (1 + exp(-x)));
    case VC_HARD_SWISH: return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
    case VC_HARD_SIGMOID_SIXTH: return x > -3 && x < 3 ? 1.0 / 6 : 0;
    default: return 1;
    }
}
