#include "hdf5_library.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// gzip compresses at most 1032 : 1. A dataset whose size exceeds its stored bytes by more than this is a bomb or incomplete.
enum { largest_ratio = 1100 };

/// Stops the library from printing its error stack. The setting is per thread.
static void be_quiet(void) { h5.H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// A driver that reads an open file and opens none. Its functions get addresses and sizes from the library, which got them from the file.

/// The open file, as a property of an access list, for the driver.
struct source {
    int descriptor;
    haddr_t size;
};

/// The library's own part is first.
struct open_file {
    H5FD_t base;
    struct source source;
    haddr_t end_of_addresses;
};

static H5FD_t *source_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
    (void)name, (void)most;
    const struct source *source = h5.H5Pget_driver_info(access);
    struct open_file *file = source == NULL || (flags & H5F_ACC_RDWR) != 0 ? NULL : calloc(1, sizeof *file);
    if (file == NULL) return NULL;
    file->source = *source;
    return &file->base;
}

static herr_t source_close(H5FD_t *file) {
    free(file);
    return 0;
}

static herr_t source_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_DATA_SIEVE;
    return 0;
}

static haddr_t source_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const struct open_file *)file)->end_of_addresses;
}

static herr_t source_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((struct open_file *)file)->end_of_addresses = address;
    return 0;
}

static haddr_t source_get_eof(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const struct open_file *)file)->source.size;
}

/// Bytes beyond the end of the file are zeros, as with the library's own drivers.
static herr_t source_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *bytes) {
    (void)type, (void)transfer;
    const int descriptor = ((struct open_file *)file)->source.descriptor;
    if (address > INT64_MAX || size > INT64_MAX - address) return -1;
    char *next = bytes;
    while (size > 0) {
        const ssize_t count = pread(descriptor, next, size, (off_t)address);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        next += count, address += (haddr_t)count, size -= (size_t)count;
    }
    memset(next, 0, size);
    return 0;
}

static herr_t source_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, const void *bytes) {
    (void)file, (void)type, (void)transfer, (void)address, (void)size, (void)bytes;
    return -1;
}

static const H5FD_class_t source_driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = 600,  // of those that the library leaves to others
#endif
    .name = "vidclass",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct source),
    .open = source_open,
    .close = source_close,
    .query = source_query,
    .get_eoa = source_get_eoa,
    .set_eoa = source_set_eoa,
    .get_eof = source_get_eof,
    .read = source_read,
    .write = source_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/// The driver's number in the library; 0 before it is registered.
static hid_t driver = 0;

int vc_hdf5_prepare(void) {
    if (driver > 0) return 0;
    if (vc_hdf5_load() || h5.H5open() < 0) return VC_HDF5_UNREADABLE;
    be_quiet();
    h5.H5PLset_loading_state(0);
    driver = h5.H5FDregister(&source_driver);
    return driver > 0 ? 0 : VC_HDF5_UNREADABLE;
}

int64_t vc_hdf5_open(int descriptor, int64_t size) {
    if (vc_hdf5_prepare() < 0) return VC_HDF5_UNREADABLE;
    be_quiet();
    hid_t access = h5.H5Pcreate(*h5.H5P_CLS_FILE_ACCESS_ID_g);
    if (access < 0) return VC_HDF5_UNREADABLE;
    const struct source source = {descriptor, (haddr_t)size};
    hid_t file = h5.H5Pset_driver(access, driver, &source) < 0
                     ? -1
                     : h5.H5Fopen("/an open file", H5F_ACC_RDONLY, access);  // of another name, the library would ask for the folder
    h5.H5Pclose(access);
    return file < 0 ? VC_HDF5_UNREADABLE : (int64_t)file;
}

void vc_hdf5_close(int64_t file) {
    be_quiet();
    h5.H5Fclose((hid_t)file);
}

/// Opens the object at `path` after checking each link on the way; only hard links are followed.
static hid_t open_object(hid_t file, const char *path) {
    be_quiet();
    if (path[0] == '\0') return h5.H5Oopen(file, "/", H5P_DEFAULT);
    char part[1024];
    size_t length = strlen(path);
    if (length >= sizeof part) return VC_HDF5_TOO_LARGE;
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0') continue;
        memcpy(part, path, end);
        part[end] = '\0';
        htri_t exists = h5.H5Lexists(file, part, H5P_DEFAULT);
        if (exists < 0) return VC_HDF5_UNREADABLE;
        if (exists == 0) return VC_HDF5_ABSENT;
        H5L_info_t link;
        if (h5.H5Lget_info(file, part, &link, H5P_DEFAULT) < 0) return VC_HDF5_UNREADABLE;
        // guard: hdf5-hard-links
        if (link.type != H5L_TYPE_HARD) return VC_HDF5_NOT_LOCAL;
    }
    hid_t object = h5.H5Oopen(file, path, H5P_DEFAULT);
    return object < 0 ? VC_HDF5_UNREADABLE : object;
}

int vc_hdf5_kind_of(int64_t file, const char *path) {
    hid_t object = open_object((hid_t)file, path);
    if (object < 0) return (int)object;
    H5I_type_t type = h5.H5Iget_type(object);
    h5.H5Oclose(object);
    return type == H5I_GROUP ? VC_HDF5_GROUP : type == H5I_DATASET ? VC_HDF5_DATASET : VC_HDF5_OTHER;
}

/// Reads strings of a fixed length: first `count` bytes after their final place, then each is moved there and ended by a NUL.
///
/// Item k is read at count + k * size and ends up before (k + 1) * (size + 1) <= count + (k + 1) * size.
static int fixed_strings(hid_t attribute, hid_t type, hssize_t count, char *text, int64_t capacity) {
    size_t size = h5.H5Tget_size(type);
    if (size == 0 || size > (size_t)capacity || (int64_t)(size + 1) > capacity / count) return VC_HDF5_TOO_LARGE;
    char *raw = text + count;
    if (h5.H5Aread(attribute, type, raw) < 0) return VC_HDF5_UNREADABLE;
    bool is_space_padded = h5.H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    char *end = text;
    for (hssize_t i = 0; i < count; i++) {
        const char *item = raw + (size_t)i * size;
        size_t length = strnlen(item, size);
        while (is_space_padded && length > 0 && item[length - 1] == ' ') length--;
        memmove(end, item, length);
        end[length] = '\0';
        end += length + 1;
    }
    return (int)count;
}

static int variable_strings(hid_t attribute, hid_t space, hid_t type, hssize_t count, char *text, int64_t capacity) {
    char *items[VC_HDF5_MAXIMUM_COUNT];
    memset(items, 0, sizeof items);
    hid_t memory = h5.H5Tcopy(*h5.H5T_C_S1_g);
    if (memory < 0) return VC_HDF5_UNREADABLE;
    int status = VC_HDF5_UNREADABLE;
    if (h5.H5Tset_size(memory, H5T_VARIABLE) >= 0 && h5.H5Tset_cset(memory, h5.H5Tget_cset(type)) >= 0 &&
        h5.H5Aread(attribute, memory, items) >= 0) {
        status = (int)count;
        char *end = text;
        for (hssize_t i = 0; i < count; i++) {
            const char *item = items[i] == NULL ? "" : items[i];
            size_t length = strlen(item) + 1;
            if ((int64_t)length > capacity - (end - text)) {
                status = VC_HDF5_TOO_LARGE;
                break;
            }
            memcpy(end, item, length);
            end += length;
        }
        h5.H5Dvlen_reclaim(memory, space, H5P_DEFAULT, items);
    }
    h5.H5Tclose(memory);
    return status;
}

static int strings_of(hid_t attribute, char *text, int64_t capacity) {
    hid_t space = h5.H5Aget_space(attribute);
    hid_t type = h5.H5Aget_type(attribute);
    hssize_t count = space < 0 ? -1 : h5.H5Sget_simple_extent_npoints(space);
    int status;
    if (count < 0 || type < 0) {
        status = VC_HDF5_UNREADABLE;
    } else if (count == 0) {
        status = 0;
    } else if (h5.H5Tget_class(type) != H5T_STRING) {
        status = VC_HDF5_TYPE;
    } else if (count > VC_HDF5_MAXIMUM_COUNT) {
        status = VC_HDF5_TOO_LARGE;
    } else if (h5.H5Tis_variable_str(type) > 0) {
        status = variable_strings(attribute, space, type, count, text, capacity);
    } else {
        status = fixed_strings(attribute, type, count, text, capacity);
    }
    if (type >= 0) h5.H5Tclose(type);
    if (space >= 0) h5.H5Sclose(space);
    return status;
}

int vc_hdf5_strings(int64_t file, const char *path, const char *name, char *text, int64_t capacity) {
    hid_t object = open_object((hid_t)file, path);
    if (object < 0) return (int)object;
    int status = VC_HDF5_UNREADABLE;
    htri_t exists = h5.H5Aexists(object, name);
    if (exists == 0) {
        status = VC_HDF5_ABSENT;
    } else if (exists > 0) {
        hid_t attribute = h5.H5Aopen(object, name, H5P_DEFAULT);
        if (attribute >= 0) {
            status = strings_of(attribute, text, capacity);
            h5.H5Aclose(attribute);
        }
    }
    h5.H5Oclose(object);
    return status;
}

int vc_hdf5_children(int64_t file, const char *path, char *text, int64_t capacity) {
    hid_t group = open_object((hid_t)file, path);
    if (group < 0) return (int)group;
    int status = VC_HDF5_UNREADABLE;
    H5G_info_t info;
    if (h5.H5Iget_type(group) != H5I_GROUP) {
        status = VC_HDF5_TYPE;
    } else if (h5.H5Gget_info(group, &info) >= 0) {
        status = info.nlinks > VC_HDF5_MAXIMUM_COUNT ? VC_HDF5_TOO_LARGE : (int)info.nlinks;
        char *end = text;
        for (int i = 0; i < status; i++) {
            int64_t left = capacity - (end - text);
            ssize_t length = h5.H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, end, (size_t)left, H5P_DEFAULT);
            if (length < 0 || length >= left) {
                status = length < 0 ? VC_HDF5_UNREADABLE : VC_HDF5_TOO_LARGE;
                break;
            }
            end += length + 1;
        }
    }
    h5.H5Oclose(group);
    return status;
}

/// The rank of an open dataset of floats that this file contains completely, or a negative status.
static int shape_of(hid_t dataset, int64_t shape[VC_HDF5_MAXIMUM_RANK]) {
    hid_t type = h5.H5Dget_type(dataset);
    hid_t space = h5.H5Dget_space(dataset);
    hid_t creation = h5.H5Dget_create_plist(dataset);
    int status = VC_HDF5_UNREADABLE;
    if (type >= 0 && space >= 0 && creation >= 0) {
        hsize_t extents[H5S_MAX_RANK];
        int rank = h5.H5Sget_simple_extent_type(space) == H5S_SIMPLE ? h5.H5Sget_simple_extent_dims(space, extents, NULL) : 0;
        hsize_t storage = h5.H5Dget_storage_size(dataset);
        if (h5.H5Tget_class(type) != H5T_FLOAT || h5.H5Tget_size(type) > 8) {
            status = VC_HDF5_TYPE;
        } else if (h5.H5Pget_external_count(creation) != 0 || h5.H5Pget_layout(creation) == H5D_VIRTUAL) {
            status = VC_HDF5_NOT_LOCAL;
        } else if (rank > VC_HDF5_MAXIMUM_RANK) {
            status = VC_HDF5_TOO_LARGE;
        } else if (rank >= 0) {
            status = rank;
            hsize_t bytes = h5.H5Tget_size(type);
            for (int axis = 0; axis < rank && status >= 0; axis++) {
                shape[axis] = (int64_t)extents[axis];
                if (extents[axis] > INT64_MAX || (extents[axis] != 0 && bytes > INT64_MAX / extents[axis])) status = VC_HDF5_TOO_LARGE;
                bytes *= extents[axis];
            }
            if (status >= 0 && bytes / largest_ratio > storage) status = VC_HDF5_HOLLOW;
            if (status >= 0 && bytes > 0 && storage == 0) status = VC_HDF5_HOLLOW;
        }
    }
    if (creation >= 0) h5.H5Pclose(creation);
    if (space >= 0) h5.H5Sclose(space);
    if (type >= 0) h5.H5Tclose(type);
    return status;
}

int vc_hdf5_shape(int64_t file, const char *path, int64_t shape[VC_HDF5_MAXIMUM_RANK]) {
    hid_t dataset = open_object((hid_t)file, path);
    if (dataset < 0) return (int)dataset;
    int status = h5.H5Iget_type(dataset) == H5I_DATASET ? shape_of(dataset, shape) : VC_HDF5_TYPE;
    h5.H5Oclose(dataset);
    return status;
}

int vc_hdf5_floats(int64_t file, const char *path, float *values, int64_t count) {
    hid_t dataset = open_object((hid_t)file, path);
    if (dataset < 0) return (int)dataset;
    int64_t shape[VC_HDF5_MAXIMUM_RANK];
    int status = h5.H5Iget_type(dataset) == H5I_DATASET ? shape_of(dataset, shape) : VC_HDF5_TYPE;
    if (status >= 0) {
        int64_t points = 1;
        for (int axis = 0; axis < status; axis++) points *= shape[axis];
        if (points != count) {
            status = VC_HDF5_TOO_LARGE;
        } else {
            bool was_read = h5.H5Dread(dataset, *h5.H5T_NATIVE_FLOAT_g, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
            status = was_read ? 0 : VC_HDF5_UNREADABLE;
        }
    }
    h5.H5Oclose(dataset);
    return status;
}
