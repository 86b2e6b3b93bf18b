// Loading the HDF5 library.
#include "hdf5_library.h"

#include <pthread.h>
#include <stdio.h>

struct vc_hdf5 vc_hdf5;

// The file of the version whose headers this file was compiled with; Debian's name comes first.
#if H5_VERSION_GE(1, 14, 0)
#define NUMBER "310"
#define PACKAGE "libhdf5-310"
#elif H5_VERSION_GE(1, 12, 0)
#define NUMBER "200"
#define PACKAGE "libhdf5-200"
#else
#define NUMBER "103"
#define PACKAGE "libhdf5-103-1"
#endif
static const char *const files[] = {"libhdf5_serial.so." NUMBER, "libhdf5.so." NUMBER, NULL};

static pthread_once_t once = PTHREAD_ONCE_INIT;
/// Empty after it is loaded.
static char fault[256] = "not tried";

static void load(void) {
#define FIND(name) VC_LAZY_SYMBOL(h5, name)
    const struct vc_lazy_symbol symbols[] = {VC_HDF5(FIND)};
    void *libraries[2] = {vc_lazy_open(files, fault, sizeof fault)};
    if (!libraries[0] || vc_lazy_find(libraries, symbols, sizeof symbols / sizeof *symbols, fault, sizeof fault) != 0) return;
    unsigned major = 0, minor = 0, release = 0;
    h5.H5get_libversion(&major, &minor, &release);
    // Structures have another layout in other versions.
    if (major != H5_VERS_MAJOR || minor != H5_VERS_MINOR) {
        snprintf(fault, sizeof fault, "it is version %u.%u, not %u.%u", major, minor, (unsigned)H5_VERS_MAJOR, (unsigned)H5_VERS_MINOR);
    } else {
        fault[0] = '\0';
    }
}

const char *vc_hdf5_load(void) {
    pthread_once(&once, load);
    return fault[0] == '\0' ? NULL : fault;
}

const char *vc_hdf5_package(void) { return PACKAGE; }

const char *vc_hdf5_version(void) {
    static char text[32];
    if (vc_hdf5_load()) return NULL;
    unsigned major = 0, minor = 0, release = 0;
    h5.H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
