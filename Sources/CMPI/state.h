#ifndef STATE_H
#define STATE_H

// The plug-in that carries vidclass's messages over MPI 3. Scripts/mpi_plugin.sh builds it.
//
// One thread, the service, makes all calls of MPI but the question for its version. Other threads put messages into a queue and wake it.
// The service posts them, polls MPI, calls `done`, gives signs of life and watches those of other ranks.
//
// Data flow: state <- messages <- alarm <- signs <- membership <- service <- cluster_mpi (the interface).

#define _GNU_SOURCE
#include "../CClusterPlugin/include/vc_cluster_plugin.h"

#include <mpi.h>
#include <pthread.h>
#include <stdbool.h>

/// The seconds that MPI gets after a failure, or at the end, to finish what it is doing.
static const double grace = 3;

struct message;

struct list {
    struct message *first, **end;
};

/// A rank's message to the others about a failure. Longer texts are cut.
struct alarm {
    int rank, is_alarm;
    char text[1 << 15];
};

struct failure {
    bool is_there;
    size_t count;
    struct alarm alarm;
};

struct peer {
    char host[64];
    double last_sign;
    /// Whether a sign of life is on its way to it, and whether it has said goodbye.
    bool is_reached, has_left;
};

enum membership { is_out, is_starting, is_in, is_leaving };

struct state {
    // Of all threads, below `lock`.
    pthread_mutex_t lock;
    /// `work`: the service must wake; `change`: others may find what they wait for.
    pthread_cond_t work, change;
    struct list queue;
    enum membership membership;
    char start_fault[200];
    /// Only the service writes it.
    struct failure failure;
    /// This rank's own alarm. `untold`: to how many ranks it is on its way.
    struct failure alarm;
    bool has_told;
    int untold;
    bool wants_abort;
    int abort_code;

    // Constant from the start on.
    int rank, size;
    double patience;
    struct peer *peers;

    // Of the service: the pieces that MPI is working on.
    MPI_Request *requests;
    struct message **owners;
    int *indices;
    MPI_Status *statuses;
    int posted, capacity;
    /// The messages of the program that are not complete, the oldest first.
    struct list messages;
    /// The pieces that are being thrown away.
    int unwanted;
    /// MPI is not called any more, but to abort.
    bool is_silent;
    double last_event, last_turn, last_signs, failed_at;
    /// From how many ranks this one has heard goodbye, and how many do not have its own yet.
    int goodbyes, open_goodbyes;
    bool has_said_goodbye;
};

extern struct state state;

/// Seconds of a clock that only goes forward, of `CLOCK_MONOTONIC`.
double now(void);
struct timespec moment(double seconds);

/// Ends the process where memory is short: messages are small.
void *grown(void *memory, size_t bytes);

/// Wakes those who wait for `change`.
void notify(void);

#endif
