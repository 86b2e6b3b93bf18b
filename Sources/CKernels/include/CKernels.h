// Vectorised loops on plain pointers, each with a naive double-precision twin in reference/.
// No function allocates or prints; shapes are explicit.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "vc_cpu.h"
#include "vc_process.h"
#include "vc_simd.h"

#endif
