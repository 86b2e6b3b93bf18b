#include "signs.h"

#include "alarm.h"
#include "messages.h"

#include <stdio.h>

static void sign_sent(void *peer, int status, int source, size_t count) {
    (void)status, (void)source, (void)count;
    ((struct peer *)peer)->is_reached = false;
}

/// `receive_piece` has noted the sign.
static void sign_came(void *context, int status, int source, size_t count) {
    (void)context, (void)status, (void)source, (void)count;
    await_signs();
}

void await_signs(void) { post(new_receive(MPI_ANY_SOURCE, tag_sign, NULL, 0, sign_came, NULL)); }

bool is_watched(int rank) { return rank != state.rank && (state.rank == 0 || rank == 0); }

void give_signs(double time) {
    if (state.has_said_goodbye || state.is_silent || time < state.last_signs + state.patience / 5) return;
    state.last_signs = time;
    for (int rank = 0; rank < state.size; rank++) {
        struct peer *peer = &state.peers[rank];
        if (!is_watched(rank) || peer->has_left || peer->is_reached) continue;
        peer->is_reached = true;
        post(new_send(rank, tag_sign, NULL, 0, sign_sent, peer));
    }
}

void forgive_own_pause(double time) {
    if (time - state.last_turn > state.patience / 4) {
        for (int rank = 0; rank < state.size; rank++) state.peers[rank].last_sign = time;
    }
    state.last_turn = time;
}

static void lose(int rank) {
    char text[200];
    const int count =
        snprintf(text, sizeof text, "rank %d (host %s) has not answered for %g s", rank, state.peers[rank].host, state.patience);
    fail(rank, false, text, (size_t)count);
    // The others see by themselves that rank 0 is lost.
    if (state.rank != 0) return;
    pthread_mutex_lock(&state.lock);
    prepare_alarm(rank, false, text, (size_t)count);
    pthread_mutex_unlock(&state.lock);
}

void watch(double time) {
    for (int rank = 0; rank < state.size && !state.failure.is_there; rank++) {
        const struct peer *peer = &state.peers[rank];
        if (is_watched(rank) && !peer->has_left && time > peer->last_sign + state.patience) lose(rank);
    }
}
