// Resamples planes of pixels bilinearly along an affine map. The map is evaluated a row at a time and used for every plane
// of a clip.
#pragma once

#include "vc_simd.h"

/// From an output place (column x, row y) to a source place, in pixels from the centre of the first pixel:
/// column = xx x + xy y + x0, row = yx x + yy y + y0. All finite.
typedef struct {
    double xx, xy, x0;
    double yx, yy, y0;
} vc_affine;

/// The source places of output row `row`, for source and output of (rows, columns): place[x] (columns) is the index of the
/// upper left one of four neighbours, across[x] and down[x] in [0, 1] the shares of the right ones and of the lower ones.
/// Places outside are moved to the nearest edge.
void vc_warp_places(const vc_affine *map, int rows, int columns, int row, int32_t *place, float *across, float *down);

/// One output row (columns) of one plane (rows, columns), rounded to the nearest, halves up. Shares of 0 and 1 copy.
void vc_warp_row_bytes(const uint8_t *source, int rows, int columns, const int32_t *place, const float *across,
                       const float *down, uint8_t *out);

/// The same for finite floats.
void vc_warp_row_floats(const float *source, int rows, int columns, const int32_t *place, const float *across,
                        const float *down, float *out);
