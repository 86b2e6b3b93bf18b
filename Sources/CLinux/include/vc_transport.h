// Local stream sockets that can carry an open file.
#pragma once

#include <stdint.h>

/// Bytes to send.
struct vc_piece {
    const void *bytes;
    uint64_t count;
};

/// Opens a connected pair of local stream sockets that a new program does not inherit. Returns 0, or -1 and errno.
int vc_socket_pair(int pair[2]);

/// Sends the bytes of `pieces` without SIGPIPE. `descriptor` (-1 for none) goes with the first byte.
/// Returns the number of bytes sent, or -1 and errno: EAGAIN if `waits` is 0 and the other end's buffer is full.
int64_t vc_send(int socket, const struct vc_piece *pieces, int count, int descriptor, int waits);

/// Receives at most `count` bytes. `*descriptor`, if not NULL, becomes the open file that came with them, or -1; without it, or if several
/// came, the system or this function closes them. Returns the number of bytes, 0 at the end of the stream, or -1 and errno: EAGAIN
/// if `waits` is 0 and nothing is there.
int64_t vc_receive(int socket, void *bytes, uint64_t count, int *descriptor, int waits);

/// Waits until `socket` can be read (`writes` 0) or written, at most `milliseconds`. Returns 1, 0 if the time is up, or -1 and errno.
int vc_wait(int socket, int writes, int milliseconds);
