// Transposition of 8 x 8 blocks in registers. Private to CKernels.
#pragma once

#include "vc_simd.h"

#include <string.h>

enum { vc_turn_side = 8 };
typedef float vc_turn_row __attribute__((vector_size(4 * vc_turn_side)));

/// y[j * y_stride + i] = x[i * x_stride + j] for i, j < 8: elements, pairs and fours are exchanged in turn.
VC_INLINE void vc_turn(const float *restrict x, size_t x_stride, float *restrict y, size_t y_stride) {
    vc_turn_row a[vc_turn_side], b[vc_turn_side];
    for (size_t i = 0; i < vc_turn_side; i++) memcpy(&a[i], x + i * x_stride, sizeof a[i]);
    for (size_t i = 0; i < vc_turn_side; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (size_t i = 0; i < vc_turn_side; i += i % 4 == 1 ? 3 : 1) {
        a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 2] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (size_t i = 0; i < vc_turn_side / 2; i++) {
        b[i] = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        b[i + 4] = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (size_t j = 0; j < vc_turn_side; j++) memcpy(y + j * y_stride, &b[j], sizeof b[j]);
}

/// The same for i < rows and j < columns.
VC_INLINE void vc_turn_all(size_t rows, size_t columns, const float *restrict x, size_t x_stride, float *restrict y, size_t y_stride) {
    const size_t whole_rows = rows / vc_turn_side * vc_turn_side, whole_columns = columns / vc_turn_side * vc_turn_side;
    // Two blocks by two: the cache lines of both sides are used up while they are there.
    enum { tile = 2 * vc_turn_side };
    for (size_t r = 0; r < whole_rows; r += tile)
        for (size_t c = 0; c < whole_columns; c += tile)
            for (size_t j = c; j < whole_columns && j < c + tile; j += vc_turn_side)
                for (size_t i = r; i < whole_rows && i < r + tile; i += vc_turn_side)
                    vc_turn(x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride);
    for (size_t j = 0; j < columns; j++)
        for (size_t i = j < whole_columns ? whole_rows : 0; i < rows; i++) y[j * y_stride + i] = x[i * x_stride + j];
}
