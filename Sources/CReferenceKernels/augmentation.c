#include "vc_reference_augmentation.h"

#include <math.h>

static double at_edge(const double *source, int rows, int columns, long row, long column) {
    row = row < 0 ? 0 : row >= rows ? rows - 1 : row;
    column = column < 0 ? 0 : column >= columns ? columns - 1 : column;
    return source[row * columns + column];
}

void vc_reference_warp(const vc_affine *map, int rows, int columns, const double *source, double *out) {
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            const double u = map->xx * x + map->xy * y + map->x0, v = map->yx * x + map->yy * y + map->y0;
            const long i = (long)floor(u), j = (long)floor(v);
            double sum = 0;
            for (int b = 0; b < 2; b++)
                for (int a = 0; a < 2; a++)
                    sum += (1 - fabs(u - (i + a))) * (1 - fabs(v - (j + b))) * at_edge(source, rows, columns, j + b, i + a);
            out[(long)y * columns + x] = sum;
        }
    }
}

static double bounded(double v, double smallest, double largest) { return fmin(fmax(v, smallest), largest); }

static double grey_of(double r, double g, double b) { return 0.299 * r + 0.587 * g + 0.114 * b; }

void vc_reference_colour(const double *frame, long positions, int channels, double brightness, double contrast,
                         double saturation, double mean, double smallest, double largest, double *out) {
    for (long n = 0; n < positions * channels; n++) {
        const double bright = bounded(brightness * frame[n], smallest, largest);
        out[n] = bounded(mean + contrast * (bright - mean), smallest, largest);
    }
    if (channels != 3) return;
    for (long p = 0; p < positions; p++) {
        const double grey = grey_of(out[p], out[positions + p], out[2 * positions + p]);
        for (int c = 0; c < 3; c++)
            out[c * positions + p] = bounded(grey + saturation * (out[c * positions + p] - grey), smallest, largest);
    }
}

double vc_reference_mean_grey(const double *frame, long positions, int channels, double brightness, double smallest,
                              double largest) {
    double sum = 0;
    for (long p = 0; p < positions; p++) {
        double value[3] = {0, 0, 0};
        for (int c = 0; c < channels; c++) {
            const double bright = bounded(brightness * frame[c * positions + p], smallest, largest);
            if (channels == 3) value[c] = bright;
            else sum += bright / channels;
        }
        if (channels == 3) sum += grey_of(value[0], value[1], value[2]);
    }
    return sum / (double)positions;
}
