// Decoding a stream while its bytes come: every frame, once, with its time.
#include "media.h"

#include <stdlib.h>

/// A packet whose frame may still come.
struct sent {
    int64_t pts;
    int32_t duration, stretch;
};

/// More packets than any decoder holds back.
enum { most_sent = 1 << 10 };

/// How far a stream has come.
struct progress {
    const struct vc_media_picture *picture;
    struct receiver to;
    struct sent sent[most_sent];
    struct timing timing;
};

/// Passes a frame on, whose `pts` is the place of its packet.
static int pass_on(vc_media *media, AVFrame *frame, void *context) {
    struct progress *progress = context;
    if (frame->pts == AV_NOPTS_VALUE) return 0;
    const struct sent *sent = &progress->sent[frame->pts % most_sent];
    struct timing *timing = &progress->timing;
    // A frame without a time follows the one before it.
    const int64_t after = timing->has_begun ? timing->pts + (timing->duration ? timing->duration : timing->usual) : 0;
    const int64_t time = vc_media_next_time(timing, sent->pts != AV_NOPTS_VALUE ? sent->pts : after, sent->stretch, sent->duration);
    return vc_media_deliver(media, frame, time, 0, progress->picture, progress->to);
}

/// Decodes packet after packet.
static int follow(vc_media *media, struct progress *progress) {
    struct stretches stretches = vc_media_first_stretch;
    int last_structure = AV_PICTURE_STRUCTURE_UNKNOWN, status = vc_media_open_decoder(media, 1);
    for (bool ends = false; status == 0 && !ends; media->packet_count++) {
        const int read = vc_media_read(media);
        if (read < 0) return read;
        ends = read == 0;
        int64_t stamp = -1;
        if (!ends) {
            const AVPacket *packet = media->packet;
            const int32_t duration = (int32_t)(packet->duration > 0 && packet->duration < INT32_MAX ? packet->duration : 0);
            const int32_t stretch = vc_media_next_stretch(media, &stretches, packet->pts, packet->dts);
            if (vc_media_shows(media, &last_structure)) {
                stamp = media->packet_count;
                progress->sent[stamp % most_sent] = (struct sent){packet->pts, duration, stretch};
            }
            if (packet->flags & AV_PKT_FLAG_CORRUPT) media->skipped_bytes += packet->size;
        }
        status = vc_media_feed(media, ends, stamp, true, pass_on, progress);
    }
    return status;
}

int vc_media_follow(
    vc_media *media, const struct vc_media_picture *picture, vc_media_receiver receive, void *context, struct vc_media_stream_end *end) {
    vc_media_begin(media);
    struct progress *progress = calloc(1, sizeof *progress);
    int status = progress ? 0 : vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory");
    if (status == 0) {
        progress->picture = picture;
        progress->to = (struct receiver){receive, context};
        media->decoder_errors = media->skipped_bytes = 0;
        media->is_followed = true;
        status = follow(media, progress);
        if (status == 0) status = vc_media_deliver_rest(media, progress->to);
        const struct timing *timing = &progress->timing;
        if (status == 0 && !timing->has_begun) status = vc_media_fail(media, VC_MEDIA_UNREADABLE, "no frame could be decoded");
        *end = (struct vc_media_stream_end){timing->duration > 0 ? timing->duration : timing->usual, !media->has_ended && media->end_code != AVERROR_EOF};
    }
    vc_media_stop_pictures(media);
    free(progress);
    vc_media_end();
    return status;
}

void vc_media_time_base(const vc_media *media, int64_t *over, int64_t *under) {
    *over = media->stream->time_base.num;
    *under = media->stream->time_base.den;
}
