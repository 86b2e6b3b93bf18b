// Counting what FFmpeg's libraries complain about, and telling why a call failed.
#include "media.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/// The libraries' threads do not say for whom they work, so one media is served at a time.
static vc_media *served;
static pthread_mutex_t complaints = PTHREAD_MUTEX_INITIALIZER;
static char last_complaint[256];

/// Counts a place where the counter of an MPEG transport stream's packets jumps: FFmpeg tells it in its log only.
static void note_gap(const char *format, va_list arguments) {
    static const char start[] = "Continuity check failed for pid %d";
    if (format[0] != 'C' || strncmp(format, start, sizeof start - 1) != 0 || !served->format) return;
    va_list copy;
    va_copy(copy, arguments);
    const int pid = va_arg(copy, int);
    va_end(copy);
    const int64_t place = ff.avio_seek(served->input, 0, SEEK_CUR);
    for (unsigned i = 0; i < served->format->nb_streams && place > served->last_gap; i++) {
        const AVStream *stream = served->format->streams[i];
        const bool is_meant = served->stream ? stream == served->stream : stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        if (!is_meant || stream->id != pid) continue;
        served->gaps++;
        served->last_gap = place;
    }
}

static void listen_to_libraries(void *object, int level, const char *format, va_list arguments) {
    if (!served) return;
    if (level > AV_LOG_ERROR) return note_gap(format, arguments);
    const AVClass *class = object ? *(const AVClass *const *)object : NULL;
    AVClassCategory category = AV_CLASS_CATEGORY_NA;
    if (class) category = class->get_category ? class->get_category(object) : class->category;
    pthread_mutex_lock(&complaints);
    if (category == AV_CLASS_CATEGORY_DECODER) served->decoder_errors++;
    if (category == AV_CLASS_CATEGORY_DEMUXER) served->demuxer_errors++;
    char text[sizeof last_complaint];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] != '\0') memcpy(last_complaint, text, sizeof text);
    pthread_mutex_unlock(&complaints);
}

void vc_media_begin(vc_media *media) {
    ff.av_log_set_callback(listen_to_libraries);
    served = media;
    last_complaint[0] = '\0';
    media->error[0] = '\0';
}

void vc_media_end(void) { served = NULL; }

int vc_media_fail(vc_media *media, int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(media->error, sizeof media->error, format, arguments);
    va_end(arguments);
    return status;
}

int vc_media_fail_by(vc_media *media, int code, const char *what) {
    if (code == AVERROR(ENOMEM)) return vc_media_fail(media, VC_MEDIA_MEMORY, "%s: out of memory", what);
    char text[128];
    if (ff.av_strerror(code, text, sizeof text) != 0) snprintf(text, sizeof text, "error %d", code);
    pthread_mutex_lock(&complaints);
    if (last_complaint[0] != '\0') vc_media_fail(media, 0, "%s: %s (%s)", what, text, last_complaint);
    else vc_media_fail(media, 0, "%s: %s", what, text);
    pthread_mutex_unlock(&complaints);
    return VC_MEDIA_UNREADABLE;
}

const char *vc_media_error(const vc_media *media) { return media->error; }
