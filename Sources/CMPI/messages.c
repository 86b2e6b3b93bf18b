#include "messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VC_PIECE
/// The bytes of a piece of a message, below INT_MAX. Pieces that arrive are signs of life, so one must not take long.
#define VC_PIECE (1 << 24)
#endif

/// How many pieces are thrown away at a time, for the memory that they take.
enum { most_unwanted = 8 };

void append(struct list *list, struct message *message) {
    message->next = NULL;
    if (!list->first) list->end = &list->first;
    *list->end = message;
    list->end = &message->next;
}

static void delete(struct list *list, const struct message *message) {
    for (struct message **link = &list->first; *link; link = &(*link)->next) {
        if (*link != message) continue;
        *link = message->next;
        if (!*link) list->end = link;
        return;
    }
}

// MARK: Messages
//
// A message is sent as pieces of VC_PIECE bytes and a last one that is shorter, perhaps empty: so its receiver, which does not know its
// length, knows the last piece. All pieces but the first have a tag of their own, because the next message may begin before they come.

static bool is_ours(const struct message *message) { return message->tag >= tag_sign; }

static struct message *new_message(struct message values) {
    struct message *message = grown(NULL, sizeof *message);
    *message = values;
    return message;
}

struct message *new_send(int rank, int tag, const void *bytes, size_t count, vc_cluster_done done, void *context) {
    return new_message((struct message){
        .is_send = true, .rank = rank, .tag = tag, .bytes = (char *)bytes, .count = count, .done = done, .context = context});
}

struct message *new_receive(int rank, int tag, void *bytes, size_t count, vc_cluster_done done, void *context) {
    return new_message((struct message){.rank = rank, .tag = tag, .bytes = bytes, .count = count, .done = done, .context = context});
}

static void finish(struct message *message, int status) {
    if (!is_ours(message)) delete(&state.messages, message);
    message->done(message->context, status, message->rank, message->moved);
    free(message);
}

// MARK: Failures

void fail(int rank, bool is_alarm, const char *text, size_t count) {
    if (state.failure.is_there) return;
    if (count > sizeof state.failure.alarm.text) count = sizeof state.failure.alarm.text;
    pthread_mutex_lock(&state.lock);
    state.failure = (struct failure){.is_there = true, .count = count, .alarm = {.rank = rank, .is_alarm = is_alarm}};
    memcpy(state.failure.alarm.text, text, count);
    pthread_cond_broadcast(&state.change);
    pthread_mutex_unlock(&state.lock);
    state.failed_at = now();
    for (int i = 0; i < state.posted; i++) {
        // The owner of a piece that is complete may be gone.
        if (state.requests[i] == MPI_REQUEST_NULL || state.owners[i]->is_send || is_ours(state.owners[i])) continue;
        MPI_Cancel(&state.requests[i]);
    }
    struct message *next;
    for (struct message *message = state.messages.first; message; message = next) {
        next = message->next;
        if (message->posted == 0) finish(message, -1);
    }
}

/// MPI must not write into their buffers later, so it is not called again.
void end_messages(void) {
    if (!state.failure.is_there || !state.messages.first || now() < state.failed_at + grace) return;
    state.is_silent = true;
    while (state.messages.first) finish(state.messages.first, -1);
}

/// Fails where a call of MPI about messages with `rank` has not succeeded.
static void check(int error, int rank) {
    if (error == MPI_SUCCESS) return;
    char reason[MPI_MAX_ERROR_STRING], text[MPI_MAX_ERROR_STRING + 200];
    int length = 0;
    MPI_Error_string(error, reason, &length);
    if (rank == MPI_ANY_SOURCE) rank = state.rank;
    const int bytes = snprintf(
        text, sizeof text, "messages with rank %d (host %s) fail: %.*s", rank, state.peers[rank].host, length, reason);
    fail(rank, false, text, (size_t)bytes);
}

// MARK: Pieces

static MPI_Request *new_request(struct message *owner) {
    if (state.posted == state.capacity) {
        const size_t capacity = 2 * (size_t)state.capacity + 64;
        state.requests = grown(state.requests, capacity * sizeof *state.requests);
        state.owners = grown(state.owners, capacity * sizeof(struct message *));
        state.indices = grown(state.indices, capacity * sizeof *state.indices);
        state.statuses = grown(state.statuses, capacity * sizeof *state.statuses);
        state.capacity = (int)capacity;
    }
    state.owners[state.posted] = owner;
    state.requests[state.posted] = MPI_REQUEST_NULL;
    owner->posted += 1;
    return &state.requests[state.posted++];
}

/// Posts the next piece; returns its bytes.
static size_t post_piece(struct message *message) {
    const size_t left = message->count - message->moved, bytes = left < VC_PIECE ? left : VC_PIECE;
    const int tag = message->moved == 0 ? message->tag : message->tag + tag_further;
    char *start = message->bytes + message->moved;
    MPI_Request *request = new_request(message);
    if (!message->is_send)
        check(MPI_Irecv(start, (int)bytes, MPI_BYTE, message->rank, tag, MPI_COMM_WORLD, request), message->rank);
    else if (message->tag == tag_alarm)  // Complete when it has been received.
        check(MPI_Issend(start, (int)bytes, MPI_BYTE, message->rank, tag, MPI_COMM_WORLD, request), message->rank);
    else
        check(MPI_Isend(start, (int)bytes, MPI_BYTE, message->rank, tag, MPI_COMM_WORLD, request), message->rank);
    return bytes;
}

void post(struct message *message) {
    if (!is_ours(message)) {
        append(&state.messages, message);
        if (state.failure.is_there) return finish(message, -1);
    }
    if (!message->is_send) {
        post_piece(message);
        return;
    }
    size_t bytes;
    do {
        bytes = post_piece(message);
        message->moved += bytes;
    } while (bytes == VC_PIECE);
}

/// Whether `message` must wait for the pieces of one that was sent before it, with its tag.
static bool must_wait(const struct message *message) {
    for (const struct message *older = state.messages.first; older != message; older = older->next) {
        if (!older->is_send && older->tag == message->tag && (older->rank == message->rank || older->rank == MPI_ANY_SOURCE)) return true;
    }
    return false;
}

static void continue_receives(void) {
    for (struct message *message = state.messages.first; message; message = message->next) {
        if (!message->continues || must_wait(message)) continue;
        message->continues = false;
        post_piece(message);
    }
}

static void receive_piece(struct message *message, const MPI_Status *status) {
    int bytes = 0;
    MPI_Get_count(status, MPI_BYTE, &bytes);
    message->rank = status->MPI_SOURCE;
    message->moved += (size_t)bytes;
    state.peers[message->rank].last_sign = state.last_turn;
    message->continues = bytes == VC_PIECE && !is_ours(message);
}

/// A piece has been sent or received, or can no longer be.
static void complete(struct message *message, const MPI_Status *status) {
    const bool has_failed = state.failure.is_there && !is_ours(message);
    if (!is_ours(message)) state.last_event = now();
    message->posted -= 1;
    if (!message->is_send && !has_failed) receive_piece(message, status);
    if (message->posted > 0 || message->continues) return;
    finish(message, has_failed ? -1 : 0);
}

static void close_gaps(void) {
    int kept = 0;
    for (int i = 0; i < state.posted; i++) {
        if (state.requests[i] == MPI_REQUEST_NULL) continue;
        state.requests[kept] = state.requests[i];
        state.owners[kept++] = state.owners[i];
    }
    state.posted = kept;
}

static void threw_away(void *bytes, int status, int source, size_t count) {
    (void)status, (void)source, (void)count;
    free(bytes);
    state.unwanted -= 1;
    state.last_event = now();
}

/// Receives a piece that no one waits for, if there is one. (Signs, alarms and goodbyes are waited for all the time.)
static void throw_away(void) {
    int is_there = 0, count = 0;
    MPI_Status status;
    if (state.unwanted == most_unwanted) return;
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &is_there, &status) != MPI_SUCCESS) return;
    if (!is_there || status.MPI_TAG >= tag_sign) return;
    MPI_Get_count(&status, MPI_BYTE, &count);
    void *bytes = grown(NULL, (size_t)count + 1);
    struct message *message = new_receive(status.MPI_SOURCE, tag_unwanted, bytes, (size_t)count, threw_away, bytes);
    MPI_Irecv(bytes, count, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, new_request(message));
    state.unwanted += 1;
    state.last_event = now();
}

void poll_messages(void) {
    if (state.is_silent) return;
    if (state.failure.is_there) throw_away();
    int count = 0;
    const int error = MPI_Testsome(state.posted, state.requests, &count, state.indices, state.statuses);
    if (error != MPI_SUCCESS && error != MPI_ERR_IN_STATUS) check(error, MPI_ANY_SOURCE);
    if (count == MPI_UNDEFINED || count == 0) return;
    for (int i = 0; i < count; i++) {
        struct message *message = state.owners[state.indices[i]];
        if (error == MPI_ERR_IN_STATUS) check(state.statuses[i].MPI_ERROR, message->rank);
        complete(message, &state.statuses[i]);
    }
    continue_receives();
    close_gaps();
}
