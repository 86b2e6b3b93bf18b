#ifndef ALARM_H
#define ALARM_H

#include "state.h"

/// Prepares the one alarm that this rank sends. To be called with the lock, by any thread.
void prepare_alarm(int rank, bool is_alarm, const char *text, size_t count);

// Of the service:

/// Receives the alarms of others.
void await_alarms(void);

/// Sends the prepared alarm to all other ranks but one that is lost.
void send_alarm(void);

#endif
