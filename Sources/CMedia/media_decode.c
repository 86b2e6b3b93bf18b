// Decoding the wanted frames of a video: from the key frame before each, or all from the start.
#include "media.h"

#include <stdlib.h>
#include <string.h>

int vc_media_feed(vc_media *media, bool drains, int64_t stamp, bool is_wanted, vc_media_viewer show, void *context) {
    AVCodecContext *decoder = media->decoder;
    AVPacket *packet = media->packet;
    if (!drains) {
        // The decoder hands a packet's time on to its frame: here it is the frame's number.
        packet->pts = stamp >= 0 ? stamp : AV_NOPTS_VALUE;
        packet->dts = AV_NOPTS_VALUE;
        decoder->skip_frame = is_wanted ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    }
    for (bool is_sent = false; !is_sent;) {
        int code = ff.avcodec_send_packet(decoder, drains ? NULL : packet);
        is_sent = code != AVERROR(EAGAIN);
        if (code == AVERROR(ENOMEM)) return vc_media_fail_by(media, code, "it cannot be decoded");
        if (code < 0 && is_sent && code != AVERROR_EOF) {
            media->decoder_errors++;
            media->skipped_bytes += drains ? 0 : packet->size;
        }
        for (;;) {
            code = ff.avcodec_receive_frame(decoder, media->frame);
            if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) break;
            if (code == AVERROR(ENOMEM)) return vc_media_fail_by(media, code, "it cannot be decoded");
            if (code < 0) {
                media->decoder_errors++;
                if (!drains) break;
                continue;
            }
            if (media->frame->decode_error_flags || media->frame->flags & AV_FRAME_FLAG_CORRUPT) media->decoder_errors++;
            const int status = show(media, media->frame, context);
            ff.av_frame_unref(media->frame);
            if (status != 0) return status;
        }
    }
    return 0;
}

/// The wanted frames and how far they have come.
struct delivery {
    const struct vc_media_want *wants;
    int64_t count, next;
    const struct vc_media_picture *pictures;
    int32_t picture_count;
    struct receiver to;
    /// The frames that came out; the number of the next one where frames are known by their order.
    int64_t order;
    /// For listing all frames: the packet of each.
    int64_t *packets, capacity;
};

static bool is_done(const struct delivery *delivery) { return delivery->next == delivery->count; }

/// Delivers the frame as all the pictures that it is wanted as.
static int deliver(vc_media *media, const AVFrame *frame, int64_t number, struct delivery *delivery) {
    while (!is_done(delivery) && delivery->wants[delivery->next].number == number) {
        const int32_t place = delivery->wants[delivery->next].picture;
        const int status = vc_media_deliver(media, frame, number, place, &delivery->pictures[place], delivery->to);
        if (status != 0) return status;
        delivery->next++;
    }
    return 0;
}

/// A frame whose `pts` is its number. Frames come in the order of their numbers.
static int show_timed(vc_media *media, AVFrame *frame, void *context) {
    struct delivery *delivery = context;
    const int64_t number = frame->pts;
    if (number == AV_NOPTS_VALUE) return 0;
    delivery->order++;
    if (is_done(delivery)) return 0;
    if (number > delivery->wants[delivery->next].number)
        return vc_media_fail(media, VC_MEDIA_MISMATCH, "frame %lld did not come", (long long)delivery->wants[delivery->next].number);
    return deliver(media, frame, number, delivery);
}

/// A frame that is known by its order.
static int show_ordered(vc_media *media, AVFrame *frame, void *context) {
    struct delivery *delivery = context;
    return deliver(media, frame, delivery->order++, delivery);
}

/// Notes the packet of each frame that comes.
static int show_listed(vc_media *media, AVFrame *frame, void *context) {
    struct delivery *delivery = context;
    if (delivery->order == delivery->capacity) {
        if (delivery->capacity >= 2ll * VC_MEDIA_MAXIMUM_PACKETS) return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "it has too many frames");
        const int64_t capacity = delivery->capacity ? 2 * delivery->capacity : 1024;
        int64_t *packets = realloc(delivery->packets, (size_t)capacity * sizeof *packets);
        if (!packets) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for %lld frames", (long long)capacity);
        delivery->packets = packets;
        delivery->capacity = capacity;
    }
    delivery->packets[delivery->order++] = frame->pts;
    return 0;
}

static bool is_wanted_number(const struct delivery *delivery, int64_t number) {
    int64_t low = delivery->next, high = delivery->count;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (delivery->wants[middle].number < number) low = middle + 1; else high = middle;
    }
    return low < delivery->count && delivery->wants[low].number == number;
}

/// The place of the last packet with which decoding can begin so that the frame `number` comes out.
static int64_t key_before(const vc_media *media, int64_t number) {
    int64_t place = media->shown_packets[number];
    while (place > 0) {
        const struct packet *packet = &media->packets[place];
        // A frame that is shown before the key frame but stored after it may need frames before the key frame.
        if (packet->is_key && packet->rank >= 0 && packet->rank <= number) break;
        place--;
    }
    return place;
}

/// Packets that are decoded rather than sought over.
enum { nearby = 12 };

/// Decodes the wanted frames by their times, beginning with the key frame before each.
static int decode_timed(vc_media *media, struct delivery *delivery) {
    int status = vc_media_open_decoder(media, media->threads);
    int64_t at = -1;  // the place of the packet that is read next; -1 = nowhere yet
    while (status == 0 && !is_done(delivery)) {
        // The first wanted frame that the decoder has not got, and where decoding can begin for it.
        int64_t unsent = delivery->next;
        while (unsent < delivery->count && media->shown_packets[delivery->wants[unsent].number] < at) unsent++;
        const int64_t key = unsent < delivery->count ? key_before(media, delivery->wants[unsent].number) : media->packet_count;
        if (at >= 0 && at < media->packet_count && key <= at + nearby) {
            const int read = vc_media_read(media);
            if (read < 0) return read;
            if (read == 0) {
                at = media->packet_count;  // the file ends early
                continue;
            }
            const int64_t stamp = media->packets[at++].rank;
            status = vc_media_feed(media, false, stamp, stamp < 0 || is_wanted_number(delivery, stamp), show_timed, delivery);
            continue;
        }
        // Nothing else is wanted nearby: what the decoder has got must come out now.
        if (at >= 0) {
            status = vc_media_feed(media, true, -1, true, show_timed, delivery);
            if (status != 0 || is_done(delivery)) break;
            if (delivery->next < unsent)
                return vc_media_fail(media, VC_MEDIA_MISMATCH, "frame %lld did not come", (long long)delivery->wants[delivery->next].number);
            ff.avcodec_flush_buffers(media->decoder);
        }
        if (key != at) status = vc_media_seek(media, key);
        at = key;
    }
    return status;
}

/// Decodes every packet from the start.
static int decode_all(vc_media *media, int threads, vc_media_viewer show, struct delivery *delivery, bool stops_when_done) {
    int status = vc_media_seek(media, 0);
    if (status == 0) status = vc_media_open_decoder(media, threads);
    for (int64_t place = 0; status == 0; place++) {
        if (stops_when_done && is_done(delivery)) return 0;
        const int read = vc_media_read(media);
        if (read < 0) return read;
        const bool ends = read == 0 || place >= media->packet_count;
        const int64_t stamp = ends ? -1 : show == show_timed ? media->packets[place].rank : place;
        // Before a joint a transport stream's last packet counts as corrupt, because the counter begins anew behind it; the parser may give
        // the mark to the packet before.
        const int64_t later = place + 2 < media->packet_count ? place + 2 : media->packet_count - 1;
        if (!ends && media->packets[place].is_corrupt && media->packets[later].stretch == media->packets[place].stretch)
            media->skipped_bytes += media->packet->size;
        status = vc_media_feed(media, ends, stamp, true, show, delivery);
        if (ends) break;
    }
    return status;
}

/// Lists the frames that decoding gives, and counts those that it does not give.
static int list_exactly(vc_media *media) {
    struct delivery delivery = {0};
    const int64_t promised = media->shown_count;
    media->decoder_errors = media->skipped_bytes = 0;
    int status = decode_all(media, media->threads, show_listed, &delivery, false);
    // How errors are concealed depends on the threads.
    if (status == 0 && media->decoder_errors > 0 && media->threads > 1) {
        media->threads = 1;
        media->decoder_errors = media->skipped_bytes = 0;
        delivery.order = 0;
        status = decode_all(media, 1, show_listed, &delivery, false);
    }
    if (status == 0 && delivery.order == 0) status = vc_media_fail(media, VC_MEDIA_UNREADABLE, "no frame could be decoded");
    if (status == 0) status = vc_media_adopt_list(media, delivery.packets, delivery.order);
    if (status == 0) media->missing_frames = promised > media->shown_count ? promised - media->shown_count : 0;
    free(delivery.packets);
    return status;
}

int vc_media_list(vc_media *media, int exactly, struct vc_media_frames *frames) {
    vc_media_begin(media);
    int status = media->medium != VC_MEDIA_VIDEO ? vc_media_fail(media, VC_MEDIA_ABSENT, "a sound has no frames") : 0;
    if (status == 0 && !media->is_listed) status = vc_media_list_packets(media);
    if (status == 0 && exactly && !media->is_exact) status = list_exactly(media);
    if (status == 0)
        *frames = (struct vc_media_frames){
            .count = media->shown_count, .times = media->shown_times, .keys = media->shown_keys, .time_over = media->time_over,
            .time_under = media->time_under, .last_duration = media->last_duration, .is_exact = media->is_exact, .is_cut = media->is_cut};
    vc_media_end();
    return status;
}

int vc_media_decode(
    vc_media *media, const struct vc_media_want *wants, int64_t count, const struct vc_media_picture *pictures, int32_t picture_count,
    int completely, vc_media_receiver receive, void *context) {
    vc_media_begin(media);
    struct delivery delivery = {
        .wants = wants, .count = count, .pictures = pictures, .picture_count = picture_count, .to = {receive, context}};
    int status = media->is_listed ? 0 : vc_media_fail(media, VC_MEDIA_MISMATCH, "its frames have not been listed");
    for (int64_t i = 0; status == 0 && i < count; i++)
        if (wants[i].number < (i ? wants[i - 1].number : 0) || wants[i].number >= media->shown_count || wants[i].picture < 0 ||
            wants[i].picture >= picture_count)
            status = vc_media_fail(media, VC_MEDIA_MISMATCH, "there is no frame %lld", (long long)wants[i].number);
    if (status == 0 && completely) media->decoder_errors = media->skipped_bytes = 0;
    if (status == 0) {
        if (media->is_timed && !completely) status = decode_timed(media, &delivery);
        else status = decode_all(media, media->threads, media->is_timed ? show_timed : show_ordered, &delivery, !completely);
    }
    if (status == 0 && completely && delivery.order != media->shown_count)
        status = vc_media_fail(media, VC_MEDIA_MISMATCH, "%lld of %lld frames came", (long long)delivery.order, (long long)media->shown_count);
    if (status == 0 && !is_done(&delivery)) status = vc_media_fail(media, VC_MEDIA_MISMATCH, "its last frames did not come");
    if (status == 0) status = vc_media_deliver_rest(media, delivery.to);
    if (status == 0 && completely && media->decoder_errors > 0 && media->threads > 1) {
        media->threads = 1;
        status = VC_MEDIA_AGAIN;
    }
    vc_media_stop_pictures(media);
    vc_media_end();
    return status;
}

void vc_media_read_damage(const vc_media *media, struct vc_media_damage *damage) {
    // Where recordings were joined, the counter begins anew.
    const int64_t joints = media->is_listed ? media->stretches - 1 : 0, gaps = media->gaps > joints ? media->gaps - joints : 0;
    *damage = (struct vc_media_damage){media->decoder_errors + gaps, media->missing_frames, media->skipped_bytes};
}
