#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct state state = {.lock = PTHREAD_MUTEX_INITIALIZER};

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct timespec moment(double seconds) {
    const time_t whole = (time_t)seconds;
    return (struct timespec){whole, (long)(1e9 * (seconds - (double)whole))};
}

void *grown(void *memory, size_t bytes) {
    void *larger = realloc(memory, bytes);
    if (larger) return larger;
    fprintf(stderr, "vidclass: no memory is left for the messages of MPI\n");
    _exit(1);
}

void notify(void) {
    pthread_mutex_lock(&state.lock);
    pthread_cond_broadcast(&state.change);
    pthread_mutex_unlock(&state.lock);
}
