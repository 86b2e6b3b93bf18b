#include "membership.h"

#include "alarm.h"
#include "messages.h"
#include "signs.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void goodbye_sent(void *context, int status, int source, size_t count) {
    (void)context, (void)status, (void)source, (void)count;
    state.open_goodbyes -= 1;
}

static void await_goodbyes(void);

static void goodbye_came(void *context, int status, int source, size_t count) {
    (void)context, (void)status, (void)count;
    state.goodbyes += 1;
    state.peers[source].has_left = true;
    await_goodbyes();
}

static void await_goodbyes(void) { post(new_receive(MPI_ANY_SOURCE, tag_goodbye, NULL, 0, goodbye_came, NULL)); }

static void say_goodbye(int rank) {
    state.open_goodbyes += 1;
    post(new_send(rank, tag_goodbye, NULL, 0, goodbye_sent, NULL));
}

bool may_leave(void) {
    const bool has_heard = state.goodbyes == (state.rank == 0 ? state.size - 1 : 1);
    if (!state.has_said_goodbye && (has_heard || state.rank != 0)) {
        state.has_said_goodbye = true;
        for (int rank = 0; rank < state.size; rank++) {
            if (is_watched(rank)) say_goodbye(rank);
        }
    }
    return state.has_said_goodbye && has_heard && state.open_goodbyes == 0 && !state.messages.first;
}

/// Takes back the receives of signs, alarms and goodbyes, which no one sends any more.
static void take_back(void) {
    for (int i = 0; i < state.posted; i++) {
        if (state.requests[i] != MPI_REQUEST_NULL && !state.owners[i]->is_send) MPI_Cancel(&state.requests[i]);
    }
    int are_done = 0;
    for (const double end = now() + grace; !are_done && now() < end; sched_yield()) {
        if (MPI_Testall(state.posted, state.requests, &are_done, state.statuses) != MPI_SUCCESS) return;
    }
}

void leave(void) {
    take_back();
    MPI_Finalize();
    pthread_mutex_lock(&state.lock);
    state.membership = is_out;
    pthread_mutex_unlock(&state.lock);
    notify();
}

static void learn_hosts(void) {
    char own[sizeof ((struct peer *)0)->host] = "";
    gethostname(own, sizeof own - 1);
    char(*hosts)[sizeof own] = grown(NULL, (size_t)state.size * sizeof own);
    MPI_Allgather(own, sizeof own, MPI_CHAR, hosts, sizeof own, MPI_CHAR, MPI_COMM_WORLD);
    state.peers = grown(NULL, (size_t)state.size * sizeof *state.peers);
    for (int rank = 0; rank < state.size; rank++) {
        state.peers[rank] = (struct peer){.last_sign = now()};
        memcpy(state.peers[rank].host, hosts[rank], sizeof own);
    }
    free(hosts);
}

const char *join(void) {
    int provided = 0, highest_tag = 0, is_set = 0, *value = &highest_tag;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) return "MPI does not start";
    if (provided < MPI_THREAD_FUNNELED) return "this MPI cannot be called by a thread of its own (MPI_THREAD_FUNNELED)";
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &value, &is_set);
    if (!is_set || *value < tag_goodbye) return "this MPI has too few tags";
    MPI_Comm_rank(MPI_COMM_WORLD, &state.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &state.size);
    learn_hosts();
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    state.last_turn = state.last_event = now();
    await_alarms();
    await_signs();
    await_goodbyes();
    return NULL;
}
