// Listing the shown frames of a video: by the times of its packets, without decoding.
#include "media.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int vc_media_read(vc_media *media) {
    if (media->has_packet) {
        media->has_packet = false;
        return 1;
    }
    for (;;) {
        ff.av_packet_unref(media->packet);
        int code = ff.av_read_frame(media->format, media->packet);
        if (code == AVERROR(EAGAIN)) continue;
        // Demuxers also say that memory ran out where a damaged size is absurd.
        if (code == AVERROR(ENOMEM) && media->packet_count == 0) return vc_media_fail_by(media, code, "it cannot be read");
        if (code == AVERROR(ENOMEM)) media->demuxer_errors++;
        if (code == AVERROR_EOF && media->fragments.has_ended) {
            const int status = vc_media_resume(media);
            if (status != 0) return status;
            continue;
        }
        // A damaged container ends here; what came before counts.
        if (code < 0) {
            media->end_code = code;
            return 0;
        }
        if (media->packet->stream_index == media->stream->index) return 1;
    }
}

/// Whether a file of the MOV family has no fragments, so that its index lists all samples.
static bool is_indexed(const vc_media *media) {
    if (!vc_media_is_mov(media) || media->is_parsed || media->stream->nb_frames <= 0) return false;
    int64_t at = 0;
    for (int box = 0; box < 4096 && at + 8 <= media->size; box++) {
        uint8_t head[16] = {0};
        if (pread(media->descriptor, head, sizeof head, at) < 8) return false;
        uint64_t size = (uint64_t)AV_RB32(head);
        if (size == 1) size = AV_RB64(head + 8);
        if (memcmp(head + 4, "moof", 4) == 0) return false;
        if (size == 0) return true;
        if (size < 8 || size > (uint64_t)(media->size - at)) return true;
        at += (int64_t)size;
    }
    return at + 8 > media->size;
}

/// Whether the packet holds the second field of the frame whose first field came before.
static bool is_second_field(const vc_media *media, int *last_structure) {
    const AVCodecParserContext *parser = ff.av_stream_get_parser(media->stream);
    const int structure = parser ? parser->picture_structure : AV_PICTURE_STRUCTURE_UNKNOWN;
    const bool is_field = structure == AV_PICTURE_STRUCTURE_TOP_FIELD || structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
    const bool is_second = is_field && *last_structure != AV_PICTURE_STRUCTURE_UNKNOWN && *last_structure != structure;
    *last_structure = is_field && !is_second ? structure : AV_PICTURE_STRUCTURE_UNKNOWN;
    return is_second;
}

bool vc_media_shows(const vc_media *media, int *last_structure) {
    const AVPacket *packet = media->packet;
    if (packet->size == 0 || packet->flags & AV_PKT_FLAG_DISCARD) return false;
    // RFC 6386, section 9.1: the bit show_frame. Alternate reference frames are not shown.
    if (media->stream->codecpar->codec_id == AV_CODEC_ID_VP8 && !(packet->data[0] >> 4 & 1)) return false;
    return !is_second_field(media, last_structure);
}

static int grow(vc_media *media) {
    if (media->packet_count < media->packet_capacity) return 0;
    if (media->packet_count >= VC_MEDIA_MAXIMUM_PACKETS)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "it has more than %d packets", VC_MEDIA_MAXIMUM_PACKETS);
    const int64_t capacity = media->packet_capacity ? 2 * media->packet_capacity : 1024;
    struct packet *packets = realloc(media->packets, (size_t)capacity * sizeof *packets);
    if (!packets) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for %lld packets", (long long)capacity);
    media->packets = packets;
    media->packet_capacity = capacity;
    return 0;
}

/// Whether an AVI file is shorter than the size in its head.
static bool misses_riff(const vc_media *media) {
    uint8_t head[8];
    if (pread(media->descriptor, head, sizeof head, 0) != sizeof head) return true;
    return (int64_t)AV_RL32(head + 4) + 8 > media->size + 1;
}

/// Reads all packets' descriptions.
static int read_packets(vc_media *media) {
    media->packet_count = 0;
    media->reads_nothing = is_indexed(media);
    if (media->reads_nothing) {
        media->format->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
        vc_media_forget_buffer(media);
    }
    const int64_t errors = media->demuxer_errors;
    int last_structure = AV_PICTURE_STRUCTURE_UNKNOWN, status;
    while ((status = vc_media_read(media)) == 1) {
        if ((status = grow(media)) != 0) break;
        const AVPacket *packet = media->packet;
        media->packets[media->packet_count++] = (struct packet){
            .pts = packet->pts, .dts = packet->dts, .position = packet->pos,
            .duration = (int32_t)(packet->duration > 0 && packet->duration < INT32_MAX ? packet->duration : 0), .rank = -1,
            .is_key = packet->flags & AV_PKT_FLAG_KEY, .is_hidden = !vc_media_shows(media, &last_structure),
            .is_corrupt = packet->flags & AV_PKT_FLAG_CORRUPT};
    }
    ff.av_packet_unref(media->packet);
    if (media->reads_nothing) {
        media->reads_nothing = false;
        media->format->flags &= ~(AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN);
        vc_media_forget_buffer(media);
    }
    if (status < 0) return status;
    const bool ends_early = vc_media_is_mov(media) && media->packet_count < ff.avformat_index_get_entries_count(media->stream);
    const bool ends_before_riff = strcmp(media->container->name, "avi") == 0 && misses_riff(media);
    const bool ends_corrupt = media->packet_count > 0 && media->packets[media->packet_count - 1].is_corrupt;
    media->is_cut = ends_early || ends_before_riff || ends_corrupt || media->demuxer_errors > errors;
    return media->packet_count > 0
        ? 0 : vc_media_fail(media, VC_MEDIA_UNREADABLE, "its video stream (%s) has no frames", ff.avcodec_get_name(media->stream->codecpar->codec_id));
}

const struct stretches vc_media_first_stretch = {AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0};

int32_t vc_media_next_stretch(const vc_media *media, struct stretches *stretches, int64_t pts, int64_t dts) {
    const AVRational base = media->stream->time_base;
    const int64_t back = ff.av_rescale_q(500000, AV_TIME_BASE_Q, base), jump = ff.av_rescale_q(10000000, AV_TIME_BASE_Q, base);
    const bool may_jump = media->container->flags & AVFMT_TS_DISCONT;
    // Presentation times are compared with their like only: they may be far ahead of decoding times.
    const bool has_dts = dts != AV_NOPTS_VALUE;
    const int64_t time = has_dts ? dts : pts, last = has_dts ? stretches->last_dts : stretches->last_pts;
    if (time != AV_NOPTS_VALUE && last != AV_NOPTS_VALUE) {
        const int64_t slack = may_jump && has_dts ? 0 : has_dts ? back : jump;
        if (time < last - slack || (may_jump && time > last + jump)) {
            stretches->number++;
            stretches->last_dts = stretches->last_pts = AV_NOPTS_VALUE;
        }
    }
    if (has_dts) stretches->last_dts = dts;
    if (pts != AV_NOPTS_VALUE) stretches->last_pts = pts;
    return stretches->number;
}

static void find_stretches(vc_media *media) {
    struct stretches stretches = vc_media_first_stretch;
    for (int64_t i = 0; i < media->packet_count; i++)
        media->packets[i].stretch = vc_media_next_stretch(media, &stretches, media->packets[i].pts, media->packets[i].dts);
    media->stretches = stretches.number + 1;
}

static const struct packet *sorted_packets;

static int by_time(const void *a, const void *b) {
    const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    const struct packet *x = &sorted_packets[i], *y = &sorted_packets[j];
    if (x->stretch != y->stretch) return x->stretch < y->stretch ? -1 : 1;
    if (x->pts != y->pts) return x->pts < y->pts ? -1 : 1;
    return i < j ? -1 : 1;
}

static int by_value(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int allocate_shown(vc_media *media, int64_t count) {
    free(media->shown_packets);
    free(media->shown_times);
    free(media->shown_keys);
    media->shown_packets = malloc((size_t)(count + 1) * sizeof(int64_t));
    media->shown_times = malloc((size_t)(count + 1) * sizeof(int64_t));
    media->shown_keys = calloc((size_t)count + 1, 1);
    return media->shown_packets && media->shown_times && media->shown_keys
        ? 0 : vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for %lld frames", (long long)count);
}

/// Gives the shown frames their ranks: the packets that are not hidden, by their times.
static void rank(vc_media *media) {
    int64_t count = 0;
    for (int64_t i = 0; i < media->packet_count; i++) {
        media->packets[i].rank = -1;
        if (!media->packets[i].is_hidden) media->shown_packets[count++] = i;
    }
    sorted_packets = media->packets;
    qsort(media->shown_packets, (size_t)count, sizeof(int64_t), by_time);
    for (int64_t r = 0; r < count; r++) {
        media->packets[media->shown_packets[r]].rank = r;
        media->shown_keys[r] = media->packets[media->shown_packets[r]].is_key;
    }
    media->shown_count = count;
}

int64_t vc_media_next_time(struct timing *timing, int64_t pts, int32_t stretch, int32_t duration) {
    if (!timing->has_begun) timing->offset = -pts;
    else if (stretch != timing->stretch) timing->offset = timing->time + (timing->duration ? timing->duration : timing->usual) - pts;
    else if (pts > timing->pts) timing->usual = pts - timing->pts;
    *timing = (struct timing){true, timing->offset, timing->usual, pts + timing->offset, pts, duration, stretch};
    return timing->time;
}

static void set_times(vc_media *media) {
    const AVRational base = media->stream->time_base;
    media->time_over = base.num;
    media->time_under = base.den;
    struct timing timing = {0};
    for (int64_t r = 0; r < media->shown_count; r++) {
        const struct packet *packet = &media->packets[media->shown_packets[r]];
        media->shown_times[r] = vc_media_next_time(&timing, packet->pts, packet->stretch, packet->duration);
    }
    if (media->shown_count == 0) return;
    media->last_duration = media->packets[media->shown_packets[media->shown_count - 1]].duration;
    if (media->last_duration > 0) return;
    // The track's duration tells it where that is plausible; otherwise the last frame lasts as long as the one before it.
    const int64_t left = media->stream->duration == AV_NOPTS_VALUE ? 0 : media->stream->duration - media->shown_times[media->shown_count - 1];
    media->last_duration = left > 0 && left <= 2 * timing.usual ? left : timing.usual;
}

/// Times for frames that are known by their order only: their packets' decoding times, or else the stated rate.
void vc_media_set_order_times(vc_media *media) {
    int64_t count = 0;
    for (int64_t i = 0; i < media->packet_count && count <= media->shown_count; i++) {
        const struct packet *packet = &media->packets[i];
        if (packet->is_hidden) continue;
        if (packet->dts == AV_NOPTS_VALUE || packet->stretch > 0) { count = -1; break; }
        if (count < media->shown_count) media->shown_times[count] = packet->dts;
        count++;
    }
    if (count == media->shown_count && count > 0) {
        qsort(media->shown_times, (size_t)count, sizeof(int64_t), by_value);
        const int64_t first = media->shown_times[0];
        for (int64_t i = 0; i < count; i++) media->shown_times[i] -= first;
        media->time_over = media->stream->time_base.num;
        media->time_under = media->stream->time_base.den;
        media->last_duration = media->packets[media->packet_count - 1].duration;
        return;
    }
    AVRational rate = media->stream->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) rate = media->stream->r_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) rate = (AVRational){25, 1};
    for (int64_t i = 0; i < media->shown_count; i++) media->shown_times[i] = i;
    media->time_over = rate.den;
    media->time_under = rate.num;
    media->last_duration = 1;
}

struct head {
    int64_t key_rank;
    uint8_t *came;
};

static int note_head(vc_media *media, AVFrame *frame, void *context) {
    struct head *head = context;
    (void)media;
    if (frame->pts >= 0 && frame->pts < head->key_rank) head->came[frame->pts] = 1;
    return frame->pts >= head->key_rank;
}

/// Hides the frames at the start that cannot be decoded: those before the first key frame, in the file or on the screen, unless
/// decoding from the start gives them.
static int hide_head(vc_media *media) {
    int64_t key = 0;
    while (key < media->packet_count && !(media->packets[key].is_key && media->packets[key].rank >= 0)) key++;
    if (key == media->packet_count || media->packets[key].rank == 0) return 0;
    struct head head = {media->packets[key].rank, calloc((size_t)media->packets[key].rank, 1)};
    if (!head.came) return VC_MEDIA_MEMORY;
    int status = vc_media_seek(media, 0);
    if (status == 0) status = vc_media_open_decoder(media, 1);
    const int64_t errors = media->decoder_errors;
    for (int64_t place = 0, done = 0; status == 0 && !done; place++) {
        const int read = vc_media_read(media);
        if (read < 0) { status = read; break; }
        done = read == 0 || place >= media->packet_count;
        const int64_t stamp = done ? -1 : media->packets[place].rank;
        status = vc_media_feed(media, done, stamp, true, note_head, &head);
        if (status == 1) { status = 0; break; }
    }
    media->decoder_errors = errors;
    for (int64_t r = 0; r < head.key_rank; r++) if (!head.came[r]) media->packets[media->shown_packets[r]].is_hidden = true;
    free(head.came);
    if (status == 0) rank(media);
    return status;
}

int vc_media_list_packets(vc_media *media) {
    int status = read_packets(media);
    if (status == 0) status = allocate_shown(media, media->packet_count);
    if (status != 0) return status;
    find_stretches(media);
    media->is_timed = true;
    for (int64_t i = 0; i < media->packet_count; i++)
        if (!media->packets[i].is_hidden && media->packets[i].pts == AV_NOPTS_VALUE) media->is_timed = false;
    rank(media);
    media->is_listed = true;
    media->is_exact = false;
    if (media->is_timed) {
        status = hide_head(media);
        if (status != 0) return status;
        set_times(media);
    } else {
        memset(media->shown_keys, 0, (size_t)media->shown_count);
        if (media->shown_count > 0) media->shown_keys[0] = 1;
        vc_media_set_order_times(media);
    }
    return media->shown_count > 0 ? 0 : vc_media_fail(media, VC_MEDIA_UNREADABLE, "none of its frames is shown");
}

int vc_media_adopt_list(vc_media *media, const int64_t *packets, int64_t count) {
    int status = allocate_shown(media, count);
    if (status != 0) return status;
    const bool was_timed = media->is_timed;
    bool *came = calloc((size_t)media->packet_count, sizeof *came);
    if (!came) return VC_MEDIA_MEMORY;
    bool has_times = was_timed;
    for (int64_t i = 0; i < count; i++) {
        const bool is_known = packets[i] >= 0 && packets[i] < media->packet_count;
        media->shown_packets[i] = is_known ? packets[i] : 0;
        if (!is_known || came[packets[i]]) has_times = false;
        else came[packets[i]] = true;
    }
    media->shown_count = count;
    media->is_timed = false;
    media->is_exact = true;
    media->shown_keys[0] = 1;
    if (has_times) set_times(media);
    for (int64_t i = 1; i < count && has_times; i++) has_times = media->shown_times[i] >= media->shown_times[i - 1];
    if (!has_times) {
        for (int64_t i = 0; i < media->packet_count; i++) if (!came[i]) media->packets[i].is_hidden = true;
        vc_media_set_order_times(media);
    }
    free(came);
    return 0;
}

// ---- Seeking ----

/// Whether the packet read last is the one of this place.
static bool is_at(const vc_media *media, int64_t place) {
    const struct packet *packet = &media->packets[place];
    const AVPacket *read = media->packet;
    if (read->pts != packet->pts) return false;
    return read->pos < 0 || packet->position < 0 || read->pos == packet->position;
}

/// Reads on until the packet before `place` has been read, from a place that is at most `place`.
static bool reaches(vc_media *media, int64_t place) {
    if (vc_media_read(media) != 1) return false;
    int64_t at = place;
    while (at >= 0 && !is_at(media, at)) at--;
    if (at < 0) return false;
    for (; at < place; at++) if (vc_media_read(media) != 1) return false;
    return is_at(media, place);
}

int vc_media_seek(vc_media *media, int64_t place) {
    const struct packet *packet = &media->packets[place];
    const bool by_position = media->container->flags & AVFMT_TS_DISCONT && !(media->container->flags & AVFMT_NO_BYTE_SEEK);
    int code = -1;
    media->has_packet = false;
    if (by_position && packet->position >= 0)
        code = ff.av_seek_frame(media->format, media->stream->index, packet->position, AVSEEK_FLAG_BYTE);
    else if (!by_position && packet->pts != AV_NOPTS_VALUE)
        code = ff.avformat_seek_file(media->format, media->stream->index, INT64_MIN, packet->pts, packet->pts, 0);
    media->has_packet = code >= 0 && reaches(media, place);
    if (media->has_packet) return 0;
    // The container cannot seek: read from the start.
    int status = vc_media_reopen(media);
    for (int64_t at = 0; status == 0 && at < place; at++)
        if (vc_media_read(media) != 1) status = vc_media_fail(media, VC_MEDIA_UNREADABLE, "it changed while it was read");
    return status;
}
