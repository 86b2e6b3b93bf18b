// libcurl, which downloads weights and is loaded when it is first needed.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Loads the library. Returns NULL; or in one line why it cannot be loaded.
const char *vc_curl_load(void);

/// The library's version, as "7.88.1"; NULL where it cannot be loaded.
const char *vc_curl_version(void);

/// A GET request, and what is told about its answer on the caller's thread. A result other than 0 of these functions ends the transfer.
struct vc_curl_request {
    /// An http or https URL. The answer may redirect to others of the same scheme, at most ten times.
    const char *url;
    /// The value of the header Range, or NULL: "100-".
    const char *range;
    /// The seconds without a byte after which the connection counts as dead.
    long idle_seconds;
    void *context;
    /// Called once before the first byte, or at the end of an answer without any: the final answer's status, the reason phrase and the header
    /// Content-Range ("" if it has none), and the header Content-Length (-1).
    int (*begin)(void *context, long status, const char *reason, const char *range, int64_t length);
    int (*receive)(void *context, const void *bytes, size_t count);
    /// Called before an answer that redirects to a URL of another scheme is refused.
    int (*refuse)(void *context, const char *location);
    /// Asked several times a second.
    int (*is_stopped)(void *context);
};

enum vc_curl_status {
    VC_CURL_DONE = 0,
    /// One of the caller's functions ended it.
    VC_CURL_STOPPED = 1,
    /// The answer ends before its length.
    VC_CURL_CUT = 2,
    VC_CURL_FAILED = 3,
};

/// Makes the request and waits for its end. `message` gets the reason of a failure, in one line. The library must be loaded.
int vc_curl_get(const struct vc_curl_request *request, char *message, size_t size);
