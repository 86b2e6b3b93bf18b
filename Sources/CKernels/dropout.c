#include "vc_dropout.h"

/// Ten rounds of Philox4x32 on one counter.
VC_INLINE void philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t *words) {
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
#pragma clang loop unroll(full)
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

VC_KERNEL void vc_dropout_factors(size_t count, uint64_t seed, uint64_t stream, uint64_t first_block,
                                  uint32_t threshold, float scale, float *factors) {
    size_t whole = count / 4;
    for (size_t b = 0; b < whole; b++) {
        uint32_t words[4];
        philox(seed, stream, first_block + b, words);
        for (int j = 0; j < 4; j++) factors[4 * b + j] = words[j] < threshold ? 0.0f : scale;
    }
    if (count > 4 * whole) {
        uint32_t words[4];
        philox(seed, stream, first_block + whole, words);
        for (size_t j = 0; j < count - 4 * whole; j++) factors[4 * whole + j] = words[j] < threshold ? 0.0f : scale;
    }
}
