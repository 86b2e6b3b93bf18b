// The numbers of the activation functions.
#pragma once

/// The elementwise activations; softmax, which is not elementwise, is in vc_softmax.h.
enum {
    VC_LINEAR = 0,
    VC_RELU = 1,
    VC_TANH = 2,
    VC_SIGMOID = 3,
    VC_HARD_SIGMOID = 4,
    VC_RELU6 = 5,
    VC_SILU = 6,
    VC_HARD_SWISH = 7,
    VC_HARD_SIGMOID_SIXTH = 8
};
