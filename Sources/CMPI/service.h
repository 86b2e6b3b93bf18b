#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>

/// Starts the thread that makes all calls of MPI. Returns false where that cannot be.
bool start_service(void);

#endif
