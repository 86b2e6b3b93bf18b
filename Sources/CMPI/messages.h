#ifndef MESSAGES_H
#define MESSAGES_H

#include "state.h"

/// The tags of MPI. The program's messages have tags from 0 to 999, and their further pieces those from `tag_further` on.
enum { tag_further = 1000, tag_sign = 2000, tag_alarm, tag_goodbye, tag_unwanted };

struct message {
    struct message *next;
    bool is_send;
    /// A received message's rank is MPI_ANY_SOURCE until its first piece is there, where any may send it.
    int rank, tag;
    char *bytes;
    size_t count;
    /// The bytes that have been received, or posted for sending.
    size_t moved;
    /// The pieces that MPI is working on.
    int posted;
    /// Its next piece must be posted.
    bool continues;
    vc_cluster_done done;
    void *context;
};

struct message *new_send(int rank, int tag, const void *bytes, size_t count, vc_cluster_done done, void *context);
struct message *new_receive(int rank, int tag, void *bytes, size_t count, vc_cluster_done done, void *context);
void append(struct list *list, struct message *message);

// Of the service:

/// Gives a message to MPI, which owns it until its `done` has been called.
void post(struct message *message);

/// Lets MPI work for a moment.
void poll_messages(void);

/// Notes the first failure, for good. From here on messages end with -1: receives are cancelled, and what the other ranks send is received and
/// thrown away, so that their sends end, too.
void fail(int rank, bool is_alarm, const char *text, size_t count);

/// Ends the pending messages that MPI has not let go of some time after a failure.
void end_messages(void);

#endif
