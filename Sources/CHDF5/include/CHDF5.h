#ifndef CHDF5_H
#define CHDF5_H

/// The version of the HDF5 library, as "1.10.8".
const char *vc_hdf5_version(void);

#endif
