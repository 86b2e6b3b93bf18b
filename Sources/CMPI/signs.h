#ifndef SIGNS_H
#define SIGNS_H

#include "state.h"

// Signs of life, of the service.

/// Whether this rank gives signs to that one and watches its signs: rank 0 does so with all, and the others with rank 0.
bool is_watched(int rank);

/// Receives the signs of others. Every piece of a message is a sign, too.
void await_signs(void);

/// Sends signs where it is time.
void give_signs(double time);

/// Where this process was stopped itself, the others get their whole patience again.
void forgive_own_pause(double time);

/// Fails where a rank's last sign is too long ago.
void watch(double time);

#endif
