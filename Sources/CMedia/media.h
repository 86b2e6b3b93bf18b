// The declarations that the files of this module share.
#pragma once

#include "CMedia.h"
#include "ffmpeg.h"

#include <libavutil/display.h>
#include <libavutil/intreadwrite.h>
#include <stdbool.h>

/// A packet of the chosen stream, in the order in which it is read.
struct packet {
    int64_t pts, dts, position;
    int32_t duration;
    /// Part of a stretch of rising times: joined recordings begin anew.
    int32_t stretch;
    /// The place of its frame among the shown ones; -1 if it shows none.
    int64_t rank;
    bool is_key, is_hidden, is_corrupt;
};

/// The rotation of pictures, as the signs of a 2 x 2 matrix.
struct orientation {
    bool is_transposed, flips_columns, flips_rows;
};

/// Numbers the stretches of rising times as packets come. Recordings that were joined begin anew, and broadcasts jump.
struct stretches {
    int64_t last_dts, last_pts;
    int32_t number;
};

/// The times of shown frames, from the first one on, as they come; a stretch follows the one before it at once.
struct timing {
    bool has_begun;
    int64_t offset, usual;
    /// The time of the last frame, and what its packet says.
    int64_t time, pts;
    int32_t duration, stretch;
};

/// The bytes of a stream on their way to libavformat. They end where a piece of MP4 fragments ends, and go on with the header.
struct fragments {
    /// The boxes before the samples.
    uint8_t *header;
    size_t header_count, header_at;
    /// The box that comes next, or its head, and how much of it was handed out.
    uint8_t *held;
    size_t held_count, held_at, held_capacity;
    /// Bytes until the next box; INT64_MAX = all the rest.
    int64_t left;
    /// Whether there was a fragment; whether the stream can only be read as one piece; whether a piece has ended.
    bool has_fragment, is_whole, has_ended;
    /// The most by which a sample was shown before the time at which it is decoded, and its track.
    int64_t lead;
    uint32_t track;
};

struct vc_media {
    /// The file; -1 for a stream, whose bytes come from `source`.
    int descriptor;
    vc_media_source source;
    void *source_context;
    /// Whether the source has come to its end.
    bool has_ended;
    struct fragments fragments;
    /// Whether its frames are being decoded, so that a piece of it may end.
    bool is_followed;
    /// Why no more packets could be read.
    int end_code;
    int64_t size, position;
    AVIOContext *input;
    const AVInputFormat *container;
    AVFormatContext *format;
    /// Whether frames have been decoded to find out about the streams.
    bool is_parsed;
    AVStream *stream;
    int medium, threads, streams, chosen;
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    char error[512];

    // Packets and shown frames.
    struct packet *packets;
    int64_t packet_count, packet_capacity;
    /// For each shown frame: its packet (timed), its time, whether decoding can begin there.
    int64_t *shown_packets, *shown_times;
    uint8_t *shown_keys;
    int64_t shown_count;
    /// Stretches of rising times.
    int32_t stretches;
    int64_t time_over, time_under, last_duration;
    /// Whether frames are known by their packets' times; otherwise by their order when all are decoded from the start.
    bool is_timed, is_exact, is_listed, is_cut;
    /// The file's payload is not read: packets get zeros (listing the samples of a file with a complete index).
    bool reads_nothing;
    /// Whether `packet` holds the next packet to be read: seeking has read it.
    bool has_packet;

    // The complaints of the libraries. A decoder's threads count their own.
    _Atomic int64_t decoder_errors;
    int64_t demuxer_errors, missing_frames, skipped_bytes;
    /// Places where packets of the stream are lost, and the last of them in the file: a place is read more than once.
    int64_t gaps, last_gap;

    struct pictures *pictures;
    /// The orientation of a single picture.
    struct orientation turned;
};

/// Notes the reason of a failure and returns `status`.
int vc_media_fail(vc_media *media, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/// Notes the library's reason for its error `code`, and what it complained about last; returns VC_MEDIA_UNREADABLE, or
/// VC_MEDIA_MEMORY if memory ran out.
int vc_media_fail_by(vc_media *media, int code, const char *what);

/// The media whose calls the current thread serves: complaints are counted there.
void vc_media_begin(vc_media *media);
void vc_media_end(void);

/// Opens the decoder of the chosen stream anew, with `threads`.
int vc_media_open_decoder(vc_media *media, int threads);

/// Opens the file from its start.
int vc_media_reopen(vc_media *media);

/// Reads the bytes of a stream that come next, as `source` does; 0 also where a piece ends: before a fragment that needs none of those before
/// it, if `may_end`.
int vc_fragments_read(struct fragments *fragments, vc_media_source source, void *context, uint8_t *buffer, int count, bool may_end);

/// Begins the next piece: the header, and the fragment before which the last one ended.
void vc_fragments_resume(struct fragments *fragments);

void vc_fragments_free(struct fragments *fragments);

/// Opens the container of a stream anew after the end of a piece. The decoder stays.
int vc_media_resume(vc_media *media);

/// Drops what was read ahead.
void vc_media_forget_buffer(vc_media *media);

bool vc_media_is_mov(const vc_media *media);

/// Reads the next packet of the chosen stream into `media->packet`. Returns 1, 0 at the end, or a negative status.
int vc_media_read(vc_media *media);

/// The first state of `stretches`.
extern const struct stretches vc_media_first_stretch;

/// The number of the stretch to which the next packet belongs.
int32_t vc_media_next_stretch(const vc_media *media, struct stretches *stretches, int64_t pts, int64_t dts);

/// The time of the next frame.
int64_t vc_media_next_time(struct timing *timing, int64_t pts, int32_t stretch, int32_t duration);

/// Whether the packet read last shows a frame of its own. `last_structure` begins as AV_PICTURE_STRUCTURE_UNKNOWN.
bool vc_media_shows(const vc_media *media, int *last_structure);

/// Lists the shown frames by their packets.
int vc_media_list_packets(vc_media *media);

/// Times for frames that are known by their order only: their packets' decoding times, or else the stated rate.
void vc_media_set_order_times(vc_media *media);

/// Takes over the frames that decoding gave, by the packets' places: from now on they are known by their order.
int vc_media_adopt_list(vc_media *media, const int64_t *packets, int64_t count);

/// Goes on reading with the packet of this place.
int vc_media_seek(vc_media *media, int64_t place);

/// Sends the packet read last (NULL to drain) and calls `show` for each frame that comes out; a result other than 0 ends it.
/// The packet's `stamp` is the frame's `pts`.
typedef int (*vc_media_viewer)(vc_media *media, AVFrame *frame, void *context);
int vc_media_feed(vc_media *media, bool drains, int64_t stamp, bool is_wanted, vc_media_viewer show, void *context);

/// How the stream's pictures, or the open picture, are turned upright.
struct orientation vc_media_orientation(const vc_media *media);

/// The same by a display matrix.
struct orientation vc_media_orientation_by(const int32_t *matrix);

/// The rows and columns of an upright picture with square pixels.
void vc_media_shown_size(const vc_media *media, int stored_columns, int stored_rows, AVRational pixel, int *columns, int *rows);

/// A decoded frame that becomes a picture.
struct vc_media_job {
    AVFrame *frame;
    int64_t number;
    int32_t place;
    struct vc_media_picture picture;
    /// The field that is used (1 = top, 2 = bottom, 0 = the whole frame) and its lines.
    int field, height;
    /// The size to which it is scaled, as it is stored, in which format; its planes; the bytes from one pixel to the next, of a row and of a
    /// plane; where the cropped part of a plane begins.
    int stored_columns, stored_rows;
    enum AVPixelFormat format;
    int planes, step;
    int64_t stride, plane, corner;
    struct orientation orientation;
    /// The picture: (channels, rows, columns).
    uint8_t *planar;
    int64_t planar_bytes, bytes;
    /// The error code of the libraries with which it was made.
    int code;
    bool is_made;
};

/// The scalers of one thread, and what they were made for. One is for pictures of even places and one for those of odd places,
/// so that a video in two sizes does not need a new one for each picture.
struct scaling {
    struct SwsContext *scalers[2];
    int keys[2][10];
    uint8_t *scaled;
    int64_t scaled_bytes;
};

/// Finds out how `frame` is scaled to cover `job->picture`, and where its centre is cropped.
int vc_media_plan(vc_media *media, const AVFrame *frame, struct vc_media_job *job);

/// Scales, crops and turns upright `job->frame`. Returns an error code of the libraries.
int vc_media_make(struct scaling *scaling, struct vc_media_job *job);

/// Where pictures go.
struct receiver {
    vc_media_receiver receive;
    void *context;
};

/// Makes the picture of `frame` and hands it over, later if there are threads for it, but in the order of the calls.
int vc_media_deliver(
    vc_media *media, const AVFrame *frame, int64_t number, int32_t place, const struct vc_media_picture *picture, struct receiver to);

/// Hands over the pictures that are still being made.
int vc_media_deliver_rest(vc_media *media, struct receiver to);

/// Drops the pictures that are still being made, and ends the threads.
void vc_media_stop_pictures(vc_media *media);

void vc_media_free_pictures(vc_media *media);
