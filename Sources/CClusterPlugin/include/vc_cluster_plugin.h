#ifndef VC_CLUSTER_PLUGIN_H
#define VC_CLUSTER_PLUGIN_H

// The C interface between vidclass and a plug-in that carries messages between its processes. The program loads a plug-in only where it
// was started as one of several ranks, so it needs no MPI itself. The plug-in for MPI is Sources/CMPI/cluster_mpi.c.

#include <stddef.h>
#include <stdint.h>

/// Changes whenever `struct vc_cluster_plugin` does.
#define VC_CLUSTER_PLUGIN_VERSION 1

/// The function that a plug-in exports: returns its table, which lives as long as the process.
#define VC_CLUSTER_PLUGIN_SYMBOL "vc_cluster_plugin_table"

/// Called once when a message has been sent or received, or can no longer be, on the plug-in's thread. It must return soon.
///
/// - status: 0, or -1 after a failure (`failure` says which).
/// - source: the rank that a received message came from.
/// - count: the bytes received.
typedef void (*vc_cluster_done)(void *context, int status, int source, size_t count);

struct vc_cluster_plugin {
    uint32_t version;

    /// The MPI library in one line, such as "Open MPI 4.1.4". May be called before `start`.
    const char *(*library)(void);

    /// Joins the other ranks. From here on a thread of the plug-in's own makes all calls of MPI.
    ///
    /// - patience: seconds without a sign of life from a rank after which it counts as lost. Ranks give signs while they compute.
    /// - Returns 0; or -1 and writes one line into `message`.
    int (*start)(double patience, char *message, size_t size);

    int (*rank)(void);
    int (*size)(void);

    /// Sends `count` bytes; they must stay unchanged until `done` is called. `tag` is from 0 to 999. Messages with one tag between two
    /// ranks arrive in their order. May be called from any thread.
    void (*send)(int rank, int tag, const void *bytes, size_t count, vc_cluster_done done, void *context);

    /// Receives one message of at most `count` bytes, which must stay until `done` is called. `rank` -1: from any rank.
    void (*receive)(int rank, int tag, void *bytes, size_t count, vc_cluster_done done, void *context);

    /// Tells all other ranks that this one has failed. Their pending and later messages end with status -1, and their `failure`
    /// gives this text. Returns when the others have it, or after 3 s.
    void (*alarm)(const void *text, size_t count);

    /// Writes a description of the failure to `text` (not terminated) and returns its bytes; 0 where nothing has failed. `rank` is the rank
    /// that failed.
    /// `is_alarm` is 1 where the text is that of another rank's `alarm`, and 0 where this plug-in noticed by itself (a lost rank).
    size_t (*failure)(char *text, size_t size, int *rank, int *is_alarm);

    /// Leaves the other ranks when all of them leave. Returns 0; or -1 where that has not happened after `patience` seconds.
    int (*stop)(double patience);

    /// Ends all ranks at once with this exit code.
    void (*abort)(int code);
};

typedef const struct vc_cluster_plugin *(*vc_cluster_plugin_function)(void);

/// Loads the plug-in at `path`. Returns NULL and writes one line into `message` where that fails, or where its version is another.
const struct vc_cluster_plugin *vc_cluster_plugin_load(const char *path, char *message, size_t size);

#endif
