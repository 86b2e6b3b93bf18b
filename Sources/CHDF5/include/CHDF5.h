// The only access to the HDF5 library: what importing weights needs, into memory that the caller owns, and a writer of files in memory.
//
// The library is not made for hostile files. Therefore the file is given open and no other is ever opened: only hard links are
// followed, external and virtual storage is refused, and no filter plugins are loaded. Nothing is printed, and the caller can
// check every size before anything is read. Paths are relative to the file's root, components joined by single slashes; "" is the root.
// Only one thread at a time may call these functions.
#pragma once

#include <stdint.h>

/// Loads the library. Returns NULL; or in one line why it cannot be loaded, and then nothing can be read or written.
const char *vc_hdf5_load(void);

/// The version of the HDF5 library, as "1.10.8"; NULL where it cannot be loaded.
const char *vc_hdf5_version(void);

/// Debian's package of the library's version with which this module was compiled.
const char *vc_hdf5_package(void);

/// Errors, as negative return values.
enum vc_hdf5_status {
    /// The library cannot read it: it is damaged, or of an unknown kind.
    VC_HDF5_UNREADABLE = -1,
    /// There is no such link, object or attribute.
    VC_HDF5_ABSENT = -2,
    /// A soft, external or user-defined link, external or virtual storage.
    VC_HDF5_NOT_LOCAL = -3,
    /// It has another type than expected (not strings, not floats, not a list).
    VC_HDF5_TYPE = -4,
    /// It exceeds the caller's memory or the limits below.
    VC_HDF5_TOO_LARGE = -5,
    /// Fewer bytes are stored than the shape needs.
    VC_HDF5_HOLLOW = -6,
};

/// The most axes of a dataset.
#define VC_HDF5_MAXIMUM_RANK 8
/// The most strings of an attribute, and the most links of a group.
#define VC_HDF5_MAXIMUM_COUNT 4096

/// The kinds of objects.
enum vc_hdf5_kind { VC_HDF5_GROUP = 1, VC_HDF5_DATASET = 2, VC_HDF5_OTHER = 3 };

/// Loads and prepares the library, so that it needs no file later. `vc_hdf5_open` does it, too. Returns 0, or a negative status.
int vc_hdf5_prepare(void);

/// Reads the open file `descriptor` of `size` bytes by pread; nothing is opened by name. The descriptor stays open and belongs to the
/// caller. Returns a handle, or a negative status.
int64_t vc_hdf5_open(int descriptor, int64_t size);

void vc_hdf5_close(int64_t file);

/// The kind of the object at `path` (`vc_hdf5_kind`), or a negative status.
int vc_hdf5_kind_of(int64_t file, const char *path);

/// Reads an attribute of the object at `path` that is a list of strings (of fixed or variable length; a single string counts as a
/// list, and so does an empty list of any type). Writes the strings to `text` one after another, each ended by a NUL.
/// Returns their number, or a negative status.
int vc_hdf5_strings(int64_t file, const char *path, const char *attribute, char *text, int64_t capacity);

/// Writes the names of the links in the group at `path` to `text` in the same form, sorted by bytes.
/// Returns their number, or a negative status.
int vc_hdf5_children(int64_t file, const char *path, char *text, int64_t capacity);

/// Writes the extents of the floating-point dataset at `path`, outermost first, without reading its values.
/// Returns its rank, or a negative status.
int vc_hdf5_shape(int64_t file, const char *path, int64_t shape[VC_HDF5_MAXIMUM_RANK]);

/// Reads all `count` values of the dataset at `path`, converted to single precision, in row-major order.
/// Returns 0, or a negative status.
int vc_hdf5_floats(int64_t file, const char *path, float *values, int64_t count);

// Writing

/// A new file in memory. Returns a handle for vc_hdf5_close, or a negative status.
int64_t vc_hdf5_create(void);

/// Adds the dataset `path` of little-endian single-precision values, and the groups above it. Returns 0, or a negative status.
int vc_hdf5_add(int64_t file, const char *path, const int64_t *shape, int rank, const float *values);

/// Gives the object at `path` the attribute `name`, a string. Returns 0, or a negative status.
int vc_hdf5_set_text(int64_t file, const char *path, const char *name, const char *text);

/// Copies the file's bytes, of which there are at most `capacity`, to `bytes` unless that is NULL. Returns their number, or a negative
/// status.
int64_t vc_hdf5_image(int64_t file, void *bytes, int64_t capacity);
