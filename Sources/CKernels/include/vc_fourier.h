// Fourier transforms in double precision, real and imaginary parts in arrays of their own.
#pragma once

#include "vc_simd.h"

/// X[k] = sum over j of x[j] e^(-2 pi i j k / n) in place; n is a power of two. roots_re, roots_im (n / 2): e^(-2 pi i j / n).
/// scratch_re, scratch_im (n) are overwritten.
void vc_fourier(long n, const double *roots_re, const double *roots_im, double *re, double *im, double *scratch_re,
                double *scratch_im);

/// z[i] = x[i] y[i]; z may be x or y.
void vc_complex_multiply(long n, const double *x_re, const double *x_im, const double *y_re, const double *y_im,
                         double *z_re, double *z_im);

/// power[i] = scale |x[i]|^2.
void vc_complex_power(long n, const double *re, const double *im, double scale, double *power);
