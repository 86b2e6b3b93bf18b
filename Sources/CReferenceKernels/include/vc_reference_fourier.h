// The naive twin of the Fourier transform; for tests.
#pragma once

#include "vc_simd.h"

/// out[k] = sum over j of x[j] e^(-2 pi i j k / n) by its definition, for any n.
void vc_reference_fourier(long n, const double *re, const double *im, double *out_re, double *out_im);
