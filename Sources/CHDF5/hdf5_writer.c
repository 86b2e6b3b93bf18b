#include "hdf5_library.h"

#include <string.h>

int64_t vc_hdf5_create(void) {
    if (vc_hdf5_prepare() < 0) return VC_HDF5_UNREADABLE;
    hid_t access = h5.H5Pcreate(*h5.H5P_CLS_FILE_ACCESS_ID_g);
    if (access < 0) return VC_HDF5_UNREADABLE;
    // In memory alone, which grows by 1 MiB at a time.
    hid_t file = h5.H5Pset_fapl_core(access, 1 << 20, 0) < 0 ? -1 : h5.H5Fcreate("an image in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    h5.H5Pclose(access);
    return file < 0 ? VC_HDF5_UNREADABLE : (int64_t)file;
}

int vc_hdf5_add(int64_t file, const char *path, const int64_t *shape, int rank, const float *values) {
    if (rank < 1 || rank > VC_HDF5_MAXIMUM_RANK) return VC_HDF5_TOO_LARGE;
    hsize_t extents[VC_HDF5_MAXIMUM_RANK];
    for (int axis = 0; axis < rank; axis++) extents[axis] = (hsize_t)shape[axis];
    hid_t space = h5.H5Screate_simple(rank, extents, NULL);
    hid_t link = h5.H5Pcreate(*h5.H5P_CLS_LINK_CREATE_ID_g);
    hid_t creation = h5.H5Pcreate(*h5.H5P_CLS_DATASET_CREATE_ID_g);
    int status = VC_HDF5_UNREADABLE;
    // Without times the same values give the same bytes.
    if (space >= 0 && link >= 0 && creation >= 0 && h5.H5Pset_create_intermediate_group(link, 1) >= 0 &&
        h5.H5Pset_obj_track_times(creation, 0) >= 0) {
        hid_t dataset = h5.H5Dcreate2((hid_t)file, path, *h5.H5T_IEEE_F32LE_g, space, link, creation, H5P_DEFAULT);
        if (dataset >= 0) {
            if (h5.H5Dwrite(dataset, *h5.H5T_NATIVE_FLOAT_g, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) status = 0;
            h5.H5Dclose(dataset);
        }
    }
    if (creation >= 0) h5.H5Pclose(creation);
    if (link >= 0) h5.H5Pclose(link);
    if (space >= 0) h5.H5Sclose(space);
    return status;
}

int vc_hdf5_set_text(int64_t file, const char *path, const char *name, const char *text) {
    hid_t type = h5.H5Tcopy(*h5.H5T_C_S1_g);
    hid_t space = h5.H5Screate(H5S_SCALAR);
    int status = VC_HDF5_UNREADABLE;
    if (type >= 0 && space >= 0 && h5.H5Tset_size(type, strlen(text) + 1) >= 0 && h5.H5Tset_cset(type, H5T_CSET_UTF8) >= 0) {
        hid_t attribute = h5.H5Acreate_by_name((hid_t)file, path, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (attribute >= 0) {
            if (h5.H5Awrite(attribute, type, text) >= 0) status = 0;
            h5.H5Aclose(attribute);
        }
    }
    if (space >= 0) h5.H5Sclose(space);
    if (type >= 0) h5.H5Tclose(type);
    return status;
}

int64_t vc_hdf5_image(int64_t file, void *bytes, int64_t capacity) {
    if (h5.H5Fflush((hid_t)file, H5F_SCOPE_GLOBAL) < 0) return VC_HDF5_UNREADABLE;
    ssize_t size = h5.H5Fget_file_image((hid_t)file, bytes, bytes == NULL ? 0 : (size_t)capacity);
    return size < 0 ? VC_HDF5_UNREADABLE : (int64_t)size;
}
