#include "vc_reference_fourier.h"

#include <math.h>

void vc_reference_fourier(long n, const double *re, const double *im, double *out_re, double *out_im) {
    for (long k = 0; k < n; k++) {
        out_re[k] = 0;
        out_im[k] = 0;
        for (long j = 0; j < n; j++) {
            // The product reduced, so that the angle stays exact.
            double angle = -2 * M_PI * (double)(j * k % n) / (double)n;
            out_re[k] += re[j] * cos(angle) - im[j] * sin(angle);
            out_im[k] += re[j] * sin(angle) + im[j] * cos(angle);
        }
    }
}
