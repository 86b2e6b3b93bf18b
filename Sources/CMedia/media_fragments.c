// Streams of MP4 fragments, in pieces: libavformat keeps the place of each sample that a fragment lists for as long as the container is open.
// Now and then a piece ends before a fragment, and the container is opened anew by the stream's header, which stands there again.
#include "media.h"

#include <stdlib.h>
#include <string.h>

/// The most bytes of a header, or of a fragment's index, that are kept in memory. With larger ones the stream stays one piece.
enum { most_held = 1 << 22 };

static const uint8_t *type_of(const uint8_t *box) { return box + 4; }

static bool is_type(const uint8_t *box, const char *type) { return memcmp(type_of(box), type, 4) == 0; }

/// The next box of `*bytes`, whose rest `*bytes` becomes; NULL if there is none.
static const uint8_t *next_box(const uint8_t **bytes, const uint8_t *end, const uint8_t **box_end) {
    const uint8_t *box = *bytes;
    if (end - box < 8) return NULL;
    const uint32_t size = AV_RB32(box);
    if (size < 8 || size > end - box) return NULL;
    *bytes = *box_end = box + size;
    return box;
}

/// What a fragment's index tells about it.
struct facts {
    /// Whether each of its tracks tells its time.
    bool has_times;
    /// The most by which a sample is shown before the time at which it is decoded, its track, and whether there are several such tracks.
    int64_t lead;
    uint32_t track;
    bool is_mixed;
};

/// Adds the samples of a run (trun) of `track`.
static void add_run(const uint8_t *run, const uint8_t *end, uint32_t track, struct facts *facts) {
    if (end - run < 16) return;
    const uint32_t flags = AV_RB32(run + 8) & 0xFFFFFF;
    if (!(flags & 0x800)) return;
    const int before = 4 * (!!(flags & 0x100) + !!(flags & 0x200) + !!(flags & 0x400));
    const uint8_t *sample = run + 16 + 4 * (!!(flags & 0x1) + !!(flags & 0x4));
    for (uint32_t left = AV_RB32(run + 12); left > 0 && end - sample >= before + 4; left--, sample += before + 4) {
        const int64_t lead = -(int64_t)(int32_t)AV_RB32(sample + before);
        if (lead <= 0) continue;
        facts->is_mixed = facts->is_mixed || (facts->lead > 0 && facts->track != track);
        facts->track = track;
        if (lead > facts->lead) facts->lead = lead;
    }
}

static struct facts examine(const uint8_t *moof, size_t size) {
    struct facts facts = {.has_times = true};
    const uint8_t *at = moof + 8, *end = moof + size, *track, *track_end;
    while ((track = next_box(&at, end, &track_end))) {
        if (!is_type(track, "traf")) continue;
        bool has_time = false;
        uint32_t number = 0;
        const uint8_t *inner = track + 8, *box, *box_end;
        while ((box = next_box(&inner, track_end, &box_end))) {
            if (is_type(box, "tfdt")) has_time = true;
            if (is_type(box, "tfhd") && box_end - box >= 16) number = AV_RB32(box + 12);
            if (is_type(box, "trun")) add_run(box, box_end, number, &facts);
        }
        facts.has_times = facts.has_times && has_time;
    }
    return facts;
}

/// Whether the next piece can begin with a fragment: its times do not depend on those before it. libavformat shows all samples of a track
/// later by the most that one of them was ahead so far (`lead`).
static bool stands_alone(struct fragments *fragments, const struct facts *facts) {
    if (facts->is_mixed || (facts->lead > 0 && fragments->lead > 0 && facts->track != fragments->track)) fragments->is_whole = true;
    const bool has_lead = facts->lead >= fragments->lead;
    if (has_lead) {
        fragments->lead = facts->lead;
        fragments->track = facts->track;
    }
    return has_lead && facts->has_times && !fragments->is_whole;
}

/// Reads into `held` until it has `count` bytes. Returns 1, 0 if the stream ends before, or a negative status.
static int hold(struct fragments *fragments, vc_media_source source, void *context, size_t count) {
    if (count > fragments->held_capacity) {
        uint8_t *held = realloc(fragments->held, count);
        if (!held) return VC_MEDIA_MEMORY;
        fragments->held = held;
        fragments->held_capacity = count;
    }
    while (fragments->held_count < count) {
        const int got = source(context, fragments->held + fragments->held_count, (int)(count - fragments->held_count));
        if (got <= 0) return got;
        fragments->held_count += (size_t)got;
    }
    return 1;
}

/// Adds the box that is held to the header.
static int keep(struct fragments *fragments) {
    const size_t count = fragments->header_count + fragments->held_count;
    uint8_t *header = realloc(fragments->header, count);
    if (!header) return VC_MEDIA_MEMORY;
    memcpy(header + fragments->header_count, fragments->held, fragments->held_count);
    fragments->header = header;
    fragments->header_count = fragments->header_at = count;
    return 1;
}

/// Goes on to the next box of the stream: holds its head, or the whole box if it belongs to the header or is a fragment's index. The rest
/// passes through. Returns as `hold`.
static int begin_box(struct fragments *fragments, vc_media_source source, void *context, bool may_end) {
    fragments->held_count = fragments->held_at = 0;
    int status = hold(fragments, source, context, 8);
    if (status <= 0) return status;
    uint64_t size = AV_RB32(fragments->held);
    const bool is_long = size == 1;
    if (is_long && (status = hold(fragments, source, context, 16)) <= 0) return status;
    if (is_long) size = AV_RB64(fragments->held + 8);
    const uint8_t *box = fragments->held;
    const bool is_header = (is_type(box, "ftyp") || is_type(box, "moov")) && !fragments->has_fragment, is_index = is_type(box, "moof");
    if (size < fragments->held_count || (fragments->header_count == 0 && !is_type(box, "ftyp"))) {
        // No MP4, or a box that lasts to the end.
        fragments->is_whole = true;
        fragments->left = INT64_MAX;
        return 1;
    }
    if ((!is_header && !is_index) || is_long || size > most_held) {
        // Samples before the first fragment are listed by the header itself.
        if (is_header || is_index || (is_type(box, "mdat") && !fragments->has_fragment)) fragments->is_whole = true;
        fragments->left = (int64_t)(size > INT64_MAX ? INT64_MAX : size) - (int64_t)fragments->held_count;
        return 1;
    }
    status = hold(fragments, source, context, (size_t)size);
    if (status <= 0) return status;
    if (is_header) return keep(fragments);
    fragments->has_fragment = true;
    const struct facts facts = examine(fragments->held, fragments->held_count);
    fragments->has_ended = stands_alone(fragments, &facts) && may_end;
    return 1;
}

/// Hands out bytes from `*at` on.
static int give(const uint8_t *bytes, size_t count, size_t *at, uint8_t *buffer, int most) {
    const size_t left = count - *at, given = left < (size_t)most ? left : (size_t)most;
    memcpy(buffer, bytes + *at, given);
    *at += given;
    return (int)given;
}

int vc_fragments_read(struct fragments *fragments, vc_media_source source, void *context, uint8_t *buffer, int count, bool may_end) {
    if (fragments->has_ended) return 0;
    if (fragments->header_at < fragments->header_count)
        return give(fragments->header, fragments->header_count, &fragments->header_at, buffer, count);
    if (fragments->held_at == fragments->held_count && fragments->left == 0) {
        const int status = begin_box(fragments, source, context, may_end);
        if (status < 0) return status;
        if (fragments->has_ended || fragments->held_count == 0) return 0;
    }
    if (fragments->held_at < fragments->held_count)
        return give(fragments->held, fragments->held_count, &fragments->held_at, buffer, count);
    const int got = source(context, buffer, fragments->left < count ? (int)fragments->left : count);
    if (got > 0 && fragments->left != INT64_MAX) fragments->left -= got;
    return got;
}

void vc_fragments_resume(struct fragments *fragments) {
    fragments->has_ended = false;
    fragments->header_at = 0;
}

void vc_fragments_free(struct fragments *fragments) {
    free(fragments->held);
    free(fragments->header);
}
