// The numbers of the activation functions.
#ifndef VC_ACTIVATION_KIND_H
#define VC_ACTIVATION_KIND_H

/// The elementwise activations; softmax, which is not elementwise, is in vc_softmax.h.
enum { VC_LINEAR = 0, VC_RELU = 1, VC_TANH = 2, VC_SIGMOID = 3, VC_HARD_SIGMOID = 4 };

#endif
