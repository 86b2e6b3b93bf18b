// The HDF5 library, which vc_hdf5_load loads: only readers and exports to Keras need it.
#pragma once

#include "CHDF5.h"
#include "CLazyLibrary.h"

#if __has_include(<hdf5.h>)
#include <hdf5.h>
#else
#include <hdf5/serial/hdf5.h>  // Debian's place
#endif

// The header's constants call functions of the library, which vc_hdf5_prepare has called.
#undef H5OPEN
#define H5OPEN
#undef H5CHECK
#define H5CHECK

/// The functions and variables that are used, as h5.H5Fopen(...) and *h5.H5T_C_S1_g.
#define VC_HDF5(SYMBOL)                                                                                                                 \
    SYMBOL(H5Aclose)                                                                                                                    \
    SYMBOL(H5Acreate_by_name)                                                                                                           \
    SYMBOL(H5Aexists)                                                                                                                   \
    SYMBOL(H5Aget_space)                                                                                                                \
    SYMBOL(H5Aget_type)                                                                                                                 \
    SYMBOL(H5Aopen)                                                                                                                     \
    SYMBOL(H5Aread)                                                                                                                     \
    SYMBOL(H5Awrite)                                                                                                                    \
    SYMBOL(H5Dclose)                                                                                                                    \
    SYMBOL(H5Dcreate2)                                                                                                                  \
    SYMBOL(H5Dget_create_plist)                                                                                                         \
    SYMBOL(H5Dget_space)                                                                                                                \
    SYMBOL(H5Dget_storage_size)                                                                                                         \
    SYMBOL(H5Dget_type)                                                                                                                 \
    SYMBOL(H5Dread)                                                                                                                     \
    SYMBOL(H5Dvlen_reclaim)                                                                                                             \
    SYMBOL(H5Dwrite)                                                                                                                    \
    SYMBOL(H5Eset_auto2)                                                                                                                \
    SYMBOL(H5FDregister)                                                                                                                \
    SYMBOL(H5Fclose)                                                                                                                    \
    SYMBOL(H5Fcreate)                                                                                                                   \
    SYMBOL(H5Fflush)                                                                                                                    \
    SYMBOL(H5Fget_file_image)                                                                                                           \
    SYMBOL(H5Fopen)                                                                                                                     \
    SYMBOL(H5Gget_info)                                                                                                                 \
    SYMBOL(H5Iget_type)                                                                                                                 \
    SYMBOL(H5Lexists)                                                                                                                   \
    SYMBOL(H5Lget_info)                                                                                                                 \
    SYMBOL(H5Lget_name_by_idx)                                                                                                          \
    SYMBOL(H5Oclose)                                                                                                                    \
    SYMBOL(H5Oopen)                                                                                                                     \
    SYMBOL(H5PLset_loading_state)                                                                                                       \
    SYMBOL(H5Pclose)                                                                                                                    \
    SYMBOL(H5Pcreate)                                                                                                                   \
    SYMBOL(H5Pget_driver_info)                                                                                                          \
    SYMBOL(H5Pget_external_count)                                                                                                       \
    SYMBOL(H5Pget_layout)                                                                                                               \
    SYMBOL(H5Pset_create_intermediate_group)                                                                                            \
    SYMBOL(H5Pset_driver)                                                                                                               \
    SYMBOL(H5Pset_fapl_core)                                                                                                            \
    SYMBOL(H5Pset_obj_track_times)                                                                                                      \
    SYMBOL(H5Sclose)                                                                                                                    \
    SYMBOL(H5Screate)                                                                                                                   \
    SYMBOL(H5Screate_simple)                                                                                                            \
    SYMBOL(H5Sget_simple_extent_dims)                                                                                                   \
    SYMBOL(H5Sget_simple_extent_npoints)                                                                                                \
    SYMBOL(H5Sget_simple_extent_type)                                                                                                   \
    SYMBOL(H5Tclose)                                                                                                                    \
    SYMBOL(H5Tcopy)                                                                                                                     \
    SYMBOL(H5Tget_class)                                                                                                                \
    SYMBOL(H5Tget_cset)                                                                                                                 \
    SYMBOL(H5Tget_size)                                                                                                                 \
    SYMBOL(H5Tget_strpad)                                                                                                               \
    SYMBOL(H5Tis_variable_str)                                                                                                          \
    SYMBOL(H5Tset_cset)                                                                                                                 \
    SYMBOL(H5Tset_size)                                                                                                                 \
    SYMBOL(H5get_libversion)                                                                                                            \
    SYMBOL(H5open)                                                                                                                      \
    SYMBOL(H5P_CLS_DATASET_CREATE_ID_g)                                                                                                 \
    SYMBOL(H5P_CLS_FILE_ACCESS_ID_g)                                                                                                    \
    SYMBOL(H5P_CLS_LINK_CREATE_ID_g)                                                                                                    \
    SYMBOL(H5T_C_S1_g)                                                                                                                  \
    SYMBOL(H5T_IEEE_F32LE_g)                                                                                                            \
    SYMBOL(H5T_NATIVE_FLOAT_g)

struct vc_hdf5 {
    VC_HDF5(VC_LAZY_MEMBER)
};

extern struct vc_hdf5 vc_hdf5 __attribute__((visibility("hidden")));
#define h5 vc_hdf5
