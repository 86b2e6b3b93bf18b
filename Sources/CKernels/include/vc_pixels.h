// Converts pixels in the layout of files, (channels, rows, columns), to the network's (rows, columns, channels) floats.
#pragma once

#include "vc_simd.h"

/// out (positions, channels): out[p][c] = source[order[c]][p] * scale[c] + offset[c], source (channels, positions) bytes.
void vc_pixels_from_bytes(const uint8_t *source, long positions, int channels, const int32_t *order,
                          const float *scale, const float *offset, float *out);

/// The same for floats.
void vc_pixels_from_floats(const float *source, long positions, int channels, const int32_t *order, const float *scale,
                           const float *offset, float *out);
