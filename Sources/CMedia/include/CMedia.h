// The only access to FFmpeg's libraries: demuxing, decoding and scaling of one open file at a time, into memory that the caller owns.
//
// The libraries parse bytes from strangers, so only a reader (a sandboxed child process) calls these functions. They read an open file
// descriptor through callbacks: no file is opened by name, and no nested file either. Playlists, scripts of files and streams from
// hosts are refused. Nothing is printed: complaints are counted, and the last ones are kept for the error message.
//
// Errors are negative return values; `vc_media_error` tells the reason. One thread at a time may use a `vc_media`.
#pragma once

#include <stdint.h>

typedef struct vc_media vc_media;

enum vc_media_status {
    /// The libraries cannot read it: it is damaged, empty, or of an unknown kind.
    VC_MEDIA_UNREADABLE = -1,
    /// It has no stream of the wanted medium.
    VC_MEDIA_ABSENT = -2,
    /// It refers to other files or hosts: a playlist, a script.
    VC_MEDIA_REFERS = -3,
    /// It is a single picture.
    VC_MEDIA_PICTURE = -4,
    /// It exceeds a limit: pixels, packets, channels.
    VC_MEDIA_TOO_LARGE = -5,
    /// Decoding did not give the frames that the packets promise: list the frames again, exactly.
    VC_MEDIA_MISMATCH = -6,
    /// The caller's function stopped it.
    VC_MEDIA_STOPPED = -7,
    /// Out of memory.
    VC_MEDIA_MEMORY = -8,
    /// Several threads met errors, whose number and concealment depend on which comes first: decode again, now on one thread.
    VC_MEDIA_AGAIN = -9,
};

enum vc_media_medium { VC_MEDIA_VIDEO = 0, VC_MEDIA_SOUND = 1, VC_MEDIA_STILL = 2 };

/// The most pixels of a frame: 16384 x 8192.
#define VC_MEDIA_MAXIMUM_PIXELS (1 << 27)
/// The most bytes of a file with a single picture.
#define VC_MEDIA_MAXIMUM_PICTURE_BYTES (1 << 28)
/// The most packets of a stream: twelve days at 30 frames a second.
#define VC_MEDIA_MAXIMUM_PACKETS (1 << 25)
/// The most channels of a sound.
#define VC_MEDIA_MAXIMUM_CHANNELS 64

/// Loads the libraries. Returns NULL; or in one line why they cannot be loaded, and then no function but the next
/// three may be called.
const char *vc_media_load(void);

/// The libraries' versions, as "libavcodec 59.37.100"; NULL where they cannot be loaded.
const char *vc_media_version(void);

/// Debian's packages of the libraries' version with which this module was compiled.
const char *vc_media_packages(void);

/// Loads the libraries and what they load lazily, before the process gives up opening files.
void vc_media_prepare(void);

/// Opens the file behind `descriptor` (which it closes in the end) and chooses its stream of `medium`. `threads` decode.
/// On failure `*media` still exists for `vc_media_error`, unless memory ran out.
int vc_media_open(int descriptor, int medium, int threads, vc_media **media);

void vc_media_close(vc_media *media);

/// The reason of the last failure, one line; "" if there is none.
const char *vc_media_error(const vc_media *media);

/// The chosen stream as its container describes it.
struct vc_media_stream {
    char container[32];
    char codec[32];
    /// Shown, upright, with square pixels.
    int32_t rows, columns;
    /// The number of streams of this medium, without cover pictures.
    int32_t streams;
    /// The place of the chosen stream among them, from 0.
    int32_t chosen;
    /// Stated frames a second; 0 / 1 = unknown.
    int32_t rate_over, rate_under;
    /// Frames that the container lists; 0 = unknown.
    int64_t listed_frames;
    /// For a sound: its samples a second, its channels and its duration, which is 0 if it is unknown.
    int32_t sample_rate, channels;
    double seconds;
    /// Whether the container lists `seconds`; otherwise they are an estimate.
    int32_t seconds_are_listed;
};

void vc_media_describe(const vc_media *media, struct vc_media_stream *stream);

/// The shown frames of a video, in the order in which they are shown.
struct vc_media_frames {
    int64_t count;
    /// For each frame: its time from the first shown frame, in units of `time_over` / `time_under` seconds, ascending.
    const int64_t *times;
    /// For each frame: whether decoding can begin with it.
    const uint8_t *keys;
    int64_t time_over, time_under;
    /// How long the last frame is shown; 0 = unknown.
    int64_t last_duration;
    /// Whether the frames come from decoding all of them.
    int32_t is_exact;
    /// Whether the file ends before its container's end: in the middle of a packet, or without its last part.
    int32_t is_cut;
};

/// The damage that was met so far.
struct vc_media_damage {
    /// Complaints of the decoder, frames with errors included, and places where packets of a transport stream are lost.
    int64_t decoding_errors;
    /// Frames that the container lists but decoding does not give.
    int64_t missing_frames;
    /// Bytes of packets that could not be used.
    int64_t skipped_bytes;
};

/// Lists the frames: by their packets, or by decoding all of them if `exactly`. The pointers hold until the next call or `vc_media_close`.
int vc_media_list(vc_media *media, int exactly, struct vc_media_frames *frames);

/// How frames are delivered.
struct vc_media_picture {
    /// 1 (grey) or 3 (red, green, blue).
    int32_t channels;
    int32_t rows, columns;
    /// Whether only the first field of interlaced frames is used.
    int32_t deinterlaces;
};

/// Receives a frame of (channels, rows, columns) bytes, its number and the picture it was made for; a result other than 0 stops.
typedef int (*vc_media_receiver)(void *context, int64_t number, int32_t picture, const uint8_t *pixels, int64_t bytes);

/// A frame that is wanted as `picture`.
struct vc_media_want {
    int64_t number;
    int32_t picture;
};

/// Decodes the frames that are wanted (by ascending numbers) of those listed before, each scaled to cover its picture and cropped to
/// its centre. Frames in between are not decoded where that is possible, unless `completely`: then all are, and damage is counted.
int vc_media_decode(
    vc_media *media, const struct vc_media_want *wants, int64_t count, const struct vc_media_picture *pictures, int32_t picture_count,
    int completely, vc_media_receiver receive, void *context);

/// Fills `bytes` with the next bytes of a stream, at most `count`, and waits for them; 0 at its end, negative to stop.
typedef int (*vc_media_source)(void *context, uint8_t *bytes, int count);

/// Opens a stream that can be read once, in order, from `source`, and chooses its video. The first bytes are read here. On failure `*media`
/// still exists for `vc_media_error`, unless memory ran out.
int vc_media_open_stream(vc_media_source source, void *context, vc_media **media);

/// How a stream ended.
struct vc_media_stream_end {
    /// How long the last frame is shown, in units of the time base; 0 = unknown.
    int64_t last_duration;
    /// 1 if the bytes could not be read to their end, otherwise 0.
    int32_t is_cut;
};

/// The seconds of a stream's unit of time, as a fraction.
void vc_media_time_base(const vc_media *media, int64_t *over, int64_t *under);

/// Decodes all frames of an open stream while its bytes come. `receive` gets as a frame's number its time from the first frame on, in units
/// of the time base.
int vc_media_follow(
    vc_media *media, const struct vc_media_picture *picture, vc_media_receiver receive, void *context, struct vc_media_stream_end *end);

/// Decodes the single picture behind `descriptor`, which it closes: PNG, JPEG, WebP, BMP or TIFF. `*media` is NULL, or that of the picture
/// before, whose scalers are used again. On failure it still exists for `vc_media_error`, unless memory ran out.
int vc_media_open_picture(int descriptor, vc_media **media);

/// The picture that was opened last, as a stream of one frame.
void vc_media_describe_picture(const vc_media *media, struct vc_media_stream *stream);

/// Delivers the picture that was opened last, once, as each of `pictures`, as frame 0.
int vc_media_show_picture(
    vc_media *media, const struct vc_media_picture *pictures, int32_t count, vc_media_receiver receive, void *context);

void vc_media_read_damage(const vc_media *media, struct vc_media_damage *damage);

/// Receives samples; a result other than 0 stops.
typedef int (*vc_media_listener)(void *context, const float *samples, int64_t count);

/// Decodes the sound: the mean of its channels, resampled to `sample_rate`, at most `most` samples (then VC_MEDIA_TOO_LARGE).
int vc_media_listen(vc_media *media, int32_t sample_rate, int64_t most, vc_media_listener listen, void *context);
