#include "CHDF5.h"

#include <hdf5.h>
#include <stdio.h>

const char *vc_hdf5_version(void) {
    static char text[32];
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
