#include "vc_warp.h"

VC_KERNEL void vc_warp_places(const vc_affine *map, int rows, int columns, int row, int32_t *restrict place,
                              float *restrict across, float *restrict down) {
    const double right = columns - 1, bottom = rows - 1;
    // The last place with a neighbour to its right or below it; 0 if there is only one column or row.
    const int last_column = columns > 1 ? columns - 2 : 0, last_row = rows > 1 ? rows - 2 : 0;
    const double x0 = map->xy * row + map->x0, y0 = map->yy * row + map->y0;
    for (int x = 0; x < columns; x++) {
        double u = map->xx * x + x0, v = map->yx * x + y0;
        u = u < 0 ? 0 : u;
        u = u > right ? right : u;
        v = v < 0 ? 0 : v;
        v = v > bottom ? bottom : v;
        int i = (int)u, j = (int)v;
        i = i > last_column ? last_column : i;
        j = j > last_row ? last_row : j;
        place[x] = j * columns + i;
        across[x] = (float)(u - i);
        down[x] = (float)(v - j);
    }
}

// Weights of 0 and 1 give the exact value: 1 a + 0 b = a for finite b.
#define WARP_ROW(type, ROUND)                                                                                          \
    const int next = columns > 1 ? 1 : 0, below = rows > 1 ? columns : 0;                                              \
    for (int x = 0; x < columns; x++) {                                                                                \
        const type *p = source + place[x];                                                                             \
        const float fx = across[x], fy = down[x];                                                                      \
        const float upper = (1 - fx) * (float)p[0] + fx * (float)p[next];                                              \
        const float lower = (1 - fx) * (float)p[below] + fx * (float)p[below + next];                                  \
        out[x] = ROUND((1 - fy) * upper + fy * lower);                                                                 \
    }

#define TO_BYTE(value) (uint8_t)((value) + 0.5f)
#define TO_FLOAT(value) (value)

VC_KERNEL void vc_warp_row_bytes(const uint8_t *restrict source, int rows, int columns, const int32_t *restrict place,
                                 const float *restrict across, const float *restrict down, uint8_t *restrict out) {
    WARP_ROW(uint8_t, TO_BYTE)
}

VC_KERNEL void vc_warp_row_floats(const float *restrict source, int rows, int columns, const int32_t *restrict place,
                                  const float *restrict across, const float *restrict down, float *restrict out) {
    WARP_ROW(float, TO_FLOAT)
}
