#include "CCurl.h"

#include "CLazyLibrary.h"

// Its checks of types are macros that would call the functions by name.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VC_CURL(FUNCTION)            \
    FUNCTION(curl_easy_cleanup)      \
    FUNCTION(curl_easy_getinfo)      \
    FUNCTION(curl_easy_init)         \
    FUNCTION(curl_easy_perform)      \
    FUNCTION(curl_easy_setopt)       \
    FUNCTION(curl_easy_strerror)     \
    FUNCTION(curl_global_init)       \
    FUNCTION(curl_version_info)

static struct {
    VC_CURL(VC_LAZY_MEMBER)
} library;

static const char *const files[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
static pthread_once_t once = PTHREAD_ONCE_INIT;
/// Empty after it is loaded.
static char fault[256] = "not tried";

static void load(void) {
#define SYMBOL(name) VC_LAZY_SYMBOL(library, name)
    const struct vc_lazy_symbol symbols[] = {VC_CURL(SYMBOL)};
    void *libraries[2] = {vc_lazy_open(files, fault, sizeof fault)};
    if (!libraries[0] || vc_lazy_find(libraries, symbols, sizeof symbols / sizeof *symbols, fault, sizeof fault) != 0) return;
    const CURLcode code = library.curl_global_init(CURL_GLOBAL_DEFAULT);
    snprintf(fault, sizeof fault, "%s", code == CURLE_OK ? "" : library.curl_easy_strerror(code));
}

const char *vc_curl_load(void) {
    pthread_once(&once, load);
    return fault[0] == '\0' ? NULL : fault;
}

const char *vc_curl_version(void) { return vc_curl_load() ? NULL : library.curl_version_info(CURLVERSION_NOW)->version; }

/// A transfer in progress.
struct transfer {
    const struct vc_curl_request *request;
    CURL *handle;
    /// The status, the reason phrase and the header Content-Range of the answer whose headers come.
    long status;
    char reason[64], range[128];
    bool has_begun, is_stopped;
};

/// The value of the header `name` in a line of `count` bytes, copied into `value`; false if it is another header.
static bool read_header(const char *line, size_t count, const char *name, char *value, size_t size) {
    const size_t length = strlen(name);
    if (count <= length || strncasecmp(line, name, length) != 0 || line[length] != ':') return false;
    line += length + 1, count -= length + 1;
    while (count > 0 && (*line == ' ' || *line == '\t')) line++, count--;
    while (count > 0 && (line[count - 1] == '\r' || line[count - 1] == '\n' || line[count - 1] == ' ')) count--;
    if (count >= size) count = size - 1;
    memcpy(value, line, count);
    value[count] = '\0';
    return true;
}

/// The bytes of a URL's scheme, with its colon; 0 if it has none.
static size_t scheme_length(const char *url) {
    const size_t length = strcspn(url, ":/?#");
    return url[length] == ':' ? length + 1 : 0;
}

static size_t take_header(char *line, size_t one, size_t count, void *context) {
    (void)one;
    struct transfer *transfer = context;
    if (count > 5 && memcmp(line, "HTTP/", 5) == 0) {
        transfer->status = 0;
        transfer->reason[0] = transfer->range[0] = '\0';
        char text[128];
        snprintf(text, sizeof text, "%.*s", (int)(count < sizeof text ? count : sizeof text - 1), line);
        text[strcspn(text, "\r\n")] = '\0';
        sscanf(text, "HTTP/%*s %ld %63[^\r\n]", &transfer->status, transfer->reason);
        return count;
    }
    char location[2048];
    if (transfer->status / 100 == 3 && read_header(line, count, "Location", location, sizeof location)) {
        const size_t length = scheme_length(location);
        const char *url = transfer->request->url;
        // guard: redirect-scheme
        if (length > 0 && (length != scheme_length(url) || strncasecmp(location, url, length) != 0)) {
            transfer->is_stopped = true;
            transfer->request->refuse(transfer->request->context, location);
            return 0;
        }
    }
    read_header(line, count, "Content-Range", transfer->range, sizeof transfer->range);
    return count;
}

/// Tells the caller about the answer, once.
static bool begin(struct transfer *transfer) {
    if (transfer->has_begun) return true;
    transfer->has_begun = true;
    long status = 0;
    curl_off_t length = -1;
    library.curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    library.curl_easy_getinfo(transfer->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    const struct vc_curl_request *request = transfer->request;
    transfer->is_stopped = request->begin(request->context, status, transfer->reason, transfer->range, length) != 0;
    return !transfer->is_stopped;
}

static size_t take_bytes(char *bytes, size_t one, size_t count, void *context) {
    (void)one;
    struct transfer *transfer = context;
    if (!begin(transfer)) return 0;
    transfer->is_stopped = transfer->request->receive(transfer->request->context, bytes, count) != 0;
    return transfer->is_stopped ? 0 : count;
}

static int watch(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up) {
    (void)total, (void)now, (void)up_total, (void)up;
    struct transfer *transfer = context;
    if (transfer->request->is_stopped(transfer->request->context)) transfer->is_stopped = true;
    return transfer->is_stopped;
}

int vc_curl_get(const struct vc_curl_request *request, char *message, size_t size) {
    CURL *handle = library.curl_easy_init();
    if (!handle) {
        snprintf(message, size, "out of memory");
        return VC_CURL_FAILED;
    }
    struct transfer transfer = {.request = request, .handle = handle};
    char error[CURL_ERROR_SIZE] = "";
    const long protocols = strncasecmp(request->url, "https:", 6) == 0 ? CURLPROTO_HTTPS : CURLPROTO_HTTP;
#define SET(option, value) library.curl_easy_setopt(handle, option, value)
    SET(CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    const char *name = protocols == CURLPROTO_HTTPS ? "https" : "http";
    SET(CURLOPT_PROTOCOLS_STR, name);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, name);
#else
    SET(CURLOPT_PROTOCOLS, protocols);
    SET(CURLOPT_REDIR_PROTOCOLS, protocols);
#endif
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 10L);
    SET(CURLOPT_RANGE, request->range);
    SET(CURLOPT_USERAGENT, "vidclass");
    // The uncompressed file: a range would count compressed bytes otherwise.
    SET(CURLOPT_ACCEPT_ENCODING, "identity");
    SET(CURLOPT_CONNECTTIMEOUT, request->idle_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, request->idle_seconds);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, &transfer);
    SET(CURLOPT_WRITEFUNCTION, take_bytes);
    SET(CURLOPT_WRITEDATA, &transfer);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, &transfer);
    SET(CURLOPT_NOPROGRESS, 0L);
    const CURLcode code = library.curl_easy_perform(handle);
    int status = VC_CURL_FAILED;
    if (transfer.is_stopped || (code == CURLE_OK && !begin(&transfer))) {
        status = VC_CURL_STOPPED;
    } else if (code == CURLE_OK) {
        status = VC_CURL_DONE;
    } else if (code == CURLE_PARTIAL_FILE) {
        status = VC_CURL_CUT;
    }
    snprintf(message, size, "%s", error[0] != '\0' ? error : library.curl_easy_strerror(code));
    message[strcspn(message, "\r\n")] = '\0';
    library.curl_easy_cleanup(handle);
    return status;
}
