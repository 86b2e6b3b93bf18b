// Dropout's factors from the counter-based generator Philox4x32-10 (Salmon et al. 2011), the words of
// VidTensor.RandomGenerator: any part of the stream can be computed by itself.
#pragma once

#include "vc_simd.h"

/// factors[i] = 0 where word i mod 4 of block `first_block` + i / 4 is below `threshold`, else `scale`.
///
/// With threshold = rate * 2^32 and scale = 1 / (1 - rate) that is inverted dropout (Srivastava et al. 2014).
void vc_dropout_factors(size_t count, uint64_t seed, uint64_t stream, uint64_t first_block, uint32_t threshold,
                        float scale, float *factors);
