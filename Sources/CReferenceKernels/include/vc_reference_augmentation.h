// Naive double-precision twins of the warp and colour kernels; for tests.
#pragma once

#include "vc_colour.h"
#include "vc_warp.h"

/// out (rows, columns): a plane resampled along the map: the four neighbours of each place by their shares, each moved to
/// the nearest edge where it lies outside.
void vc_reference_warp(const vc_affine *map, int rows, int columns, const double *source, double *out);

/// out (channels, positions): the three steps one after the other, kept within smallest...largest after each.
void vc_reference_colour(const double *frame, long positions, int channels, double brightness, double contrast,
                         double saturation, double mean, double smallest, double largest, double *out);

/// The mean grey of a frame that is brightened and kept within the bounds; of other than three channels the mean of all.
double vc_reference_mean_grey(const double *frame, long positions, int channels, double brightness, double smallest,
                              double largest);
