// Brightness, contrast and saturation of a frame (channels, positions), in this order, in one pass.
#pragma once

#include "vc_simd.h"

/// Factors, 1 = no change. `mean` is the grey that contrast is relative to, of pixels already brightened.
typedef struct {
    float brightness, contrast, saturation;
    float mean;
} vc_colour;

/// For each value: v *= brightness; v = contrast v + (1 - contrast) mean; with three channels
/// v = saturation v + (1 - saturation) grey, grey = 0.299 R + 0.587 G + 0.114 B of the pixel. Values are kept within 0...255
/// after each, and rounded to the nearest at the end, halves up. In place.
void vc_colour_bytes(uint8_t *frame, long positions, int channels, const vc_colour *colour);

/// The same for floats, which have no bounds and are not rounded.
void vc_colour_floats(float *frame, long positions, int channels, const vc_colour *colour);

/// The sum of values (count) times brightness, each at most 255.
double vc_brightened_sum_bytes(const uint8_t *values, long count, float brightness);

/// The sum of values (count) times brightness.
double vc_brightened_sum_floats(const float *values, long count, float brightness);
