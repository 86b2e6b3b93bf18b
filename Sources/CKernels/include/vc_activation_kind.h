// The numbers of the activation functions.
#pragma once

/// The elementwise activations; softmax, which is not elementwise, is in vc_softmax.h.
enum { VC_LINEAR = 0, VC_RELU = 1, VC_TANH = 2, VC_SIGMOID = 3, VC_HARD_SIGMOID = 4 };
