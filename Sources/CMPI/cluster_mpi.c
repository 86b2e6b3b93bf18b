// The interface of the plug-in; state.h tells how it works.

#include "alarm.h"
#include "messages.h"
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Seconds that MPI has for ending all ranks.
static const double abort_limit = 5;

static const char *library(void) {
    static char name[100];
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "an unknown MPI";
    // "Open MPI v4.1.4, package: ..." or "MPICH Version:\t4.0.2\n...".
    char *rest = NULL;
    text[strcspn(text, ",\n")] = 0;
    name[0] = 0;
    for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (strcmp(word, "Version:") == 0) continue;
        const bool is_version = word[0] == 'v' && word[1] >= '0' && word[1] <= '9';
        const size_t count = strlen(name);
        snprintf(name + count, sizeof name - count, "%s%s", count > 0 ? " " : "", is_version ? word + 1 : word);
    }
    return name;
}

/// Waits for `change`, with the lock; returns false when `end` is over.
static bool wait_for_change(double end) {
    const struct timespec time = moment(end);
    return pthread_cond_timedwait(&state.change, &state.lock, &time) == 0;
}

static int start(double patience, char *message, size_t size) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state.work, &attributes);
    pthread_cond_init(&state.change, &attributes);
    state.patience = patience;
    state.membership = is_starting;
    if (!start_service()) {
        snprintf(message, size, "the thread of MPI does not start");
        return -1;
    }
    pthread_mutex_lock(&state.lock);
    while (state.membership == is_starting) pthread_cond_wait(&state.change, &state.lock);
    const bool is_started = state.membership == is_in;
    if (!is_started) snprintf(message, size, "%s", state.start_fault);
    pthread_mutex_unlock(&state.lock);
    return is_started ? 0 : -1;
}

static int rank(void) { return state.rank; }

static int size(void) { return state.size; }

static void enqueue(struct message *message) {
    pthread_mutex_lock(&state.lock);
    const bool is_accepted = state.membership != is_out;
    if (is_accepted) append(&state.queue, message);
    pthread_cond_signal(&state.work);
    pthread_mutex_unlock(&state.lock);
    if (is_accepted) return;
    message->done(message->context, -1, message->rank, 0);
    free(message);
}

static void send_message(int rank, int tag, const void *bytes, size_t count, vc_cluster_done done, void *context) {
    enqueue(new_send(rank, tag, bytes, count, done, context));
}

static void receive_message(int rank, int tag, void *bytes, size_t count, vc_cluster_done done, void *context) {
    enqueue(new_receive(rank < 0 ? MPI_ANY_SOURCE : rank, tag, bytes, count, done, context));
}

static void raise_alarm(const void *text, size_t count) {
    const double end = now() + grace;
    pthread_mutex_lock(&state.lock);
    // After another rank's alarm all know that there is one.
    const bool is_known = state.failure.is_there && state.failure.alarm.is_alarm;
    if (!is_known && state.membership != is_out) {
        prepare_alarm(state.rank, true, text, count);
        pthread_cond_signal(&state.work);
        while ((!state.has_told || state.untold > 0) && wait_for_change(end));
    }
    pthread_mutex_unlock(&state.lock);
}

static size_t failure(char *text, size_t size, int *rank, int *is_alarm) {
    pthread_mutex_lock(&state.lock);
    const struct failure *failure = &state.failure;
    const size_t count = failure->count < size ? failure->count : size;
    memcpy(text, failure->alarm.text, count);
    *rank = failure->alarm.rank;
    *is_alarm = failure->alarm.is_alarm;
    pthread_mutex_unlock(&state.lock);
    return count;
}

/// Whether a rank does not answer, so that it will not leave either. After an alarm all ranks can. With the lock.
static bool has_lost_ranks(void) { return state.failure.is_there && !state.failure.alarm.is_alarm; }

static int stop(double patience) {
    const double end = now() + patience;
    pthread_mutex_lock(&state.lock);
    if (state.membership == is_in) state.membership = is_leaving;
    pthread_cond_signal(&state.work);
    while (state.membership != is_out && !has_lost_ranks() && wait_for_change(end));
    const bool is_left = state.membership == is_out;
    pthread_mutex_unlock(&state.lock);
    return is_left ? 0 : -1;
}

static void abort_all(int code) {
    const double end = now() + abort_limit;
    pthread_mutex_lock(&state.lock);
    state.abort_code = code;
    state.wants_abort = true;
    pthread_cond_signal(&state.work);
    while (state.membership != is_out && wait_for_change(end));
    _exit(code);
}

const struct vc_cluster_plugin *vc_cluster_plugin_table(void);

__attribute__((visibility("default"))) const struct vc_cluster_plugin *vc_cluster_plugin_table(void) {
    static const struct vc_cluster_plugin table = {
        VC_CLUSTER_PLUGIN_VERSION, library, start, rank, size, send_message, receive_message, raise_alarm, failure, stop, abort_all};
    return &table;
}
