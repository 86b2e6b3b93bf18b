// Naive double-precision twins of the functions of CKernels. Only tests link them.
#pragma once

#include "vc_reference_augmentation.h"
#include "vc_reference_convolution.h"
#include "vc_reference_fourier.h"
#include "vc_reference_head.h"
#include "vc_reference_pooling.h"
