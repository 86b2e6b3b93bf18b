// Vectorised loops on plain pointers, each with a naive double-precision twin in CReferenceKernels.
// No function allocates or prints; shapes are explicit.
#pragma once

#include "vc_activation.h"
#include "vc_activation_kind.h"
#include "vc_batch_norm.h"
#include "vc_colour.h"
#include "vc_convolution.h"
#include "vc_cpu.h"
#include "vc_depthwise.h"
#include "vc_dropout.h"
#include "vc_elementwise.h"
#include "vc_fourier.h"
#include "vc_layer_norm.h"
#include "vc_optimizer.h"
#include "vc_pixels.h"
#include "vc_pooling.h"
#include "vc_recurrent.h"
#include "vc_reduce.h"
#include "vc_simd.h"
#include "vc_softmax.h"
#include "vc_warp.h"
#include "vc_winograd.h"
