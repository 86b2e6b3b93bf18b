#include "vc_fourier.h"

#include <string.h>

// Stockham's radix-2 transform (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, 1.7): each stage
// halves the length of the transforms and doubles their number m; no bit reversal, and the inner loop is contiguous.
VC_KERNEL void vc_fourier(long n, const double *restrict roots_re, const double *restrict roots_im, double *re, double *im,
                          double *scratch_re, double *scratch_im) {
    double *x_re = re, *x_im = im, *y_re = scratch_re, *y_im = scratch_im;
    for (long half = n / 2, m = 1; half >= 1; half /= 2, m *= 2) {
        for (long j = 0; j < half; j++) {
            const double w_re = roots_re[j * m], w_im = roots_im[j * m];
            const double *restrict a_re = x_re + j * m, *restrict a_im = x_im + j * m;
            const double *restrict b_re = x_re + (j + half) * m, *restrict b_im = x_im + (j + half) * m;
            double *restrict s_re = y_re + 2 * j * m, *restrict s_im = y_im + 2 * j * m;
            double *restrict d_re = s_re + m, *restrict d_im = s_im + m;
            for (long k = 0; k < m; k++) {
                const double e_re = a_re[k] - b_re[k], e_im = a_im[k] - b_im[k];
                s_re[k] = a_re[k] + b_re[k];
                s_im[k] = a_im[k] + b_im[k];
                d_re[k] = e_re * w_re - e_im * w_im;
                d_im[k] = e_re * w_im + e_im * w_re;
            }
        }
        double *t_re = x_re, *t_im = x_im;
        x_re = y_re;
        x_im = y_im;
        y_re = t_re;
        y_im = t_im;
    }
    if (x_re != re) {
        memcpy(re, x_re, (size_t)n * sizeof(double));
        memcpy(im, x_im, (size_t)n * sizeof(double));
    }
}

VC_KERNEL void vc_complex_multiply(long n, const double *x_re, const double *x_im, const double *y_re, const double *y_im,
                                   double *z_re, double *z_im) {
    for (long i = 0; i < n; i++) {
        const double re = x_re[i] * y_re[i] - x_im[i] * y_im[i];
        const double im = x_re[i] * y_im[i] + x_im[i] * y_re[i];
        z_re[i] = re;
        z_im[i] = im;
    }
}

VC_KERNEL void vc_complex_power(long n, const double *restrict re, const double *restrict im, double scale,
                                double *restrict power) {
    for (long i = 0; i < n; i++) power[i] = scale * (re[i] * re[i] + im[i] * im[i]);
}
