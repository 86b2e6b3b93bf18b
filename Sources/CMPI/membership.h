#ifndef MEMBERSHIP_H
#define MEMBERSHIP_H

#include "state.h"

// Joining and leaving the other ranks, of the service.

/// Starts MPI. Returns what is wrong, or NULL.
const char *join(void);

/// Whether all ranks are leaving. Says goodbye when it is time: rank 0 waits for the goodbyes of all before it says its own; the others say
/// theirs and wait for rank 0's.
bool may_leave(void);

/// Ends MPI.
void leave(void);

#endif
