// Opening a file: its container, its stream, its decoder.
#define _GNU_SOURCE
#include "media.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- The file ----

/// The most samples of all streams whose places libavformat remembers, some 32 bytes each, before a stream of fragments is opened anew.
enum { most_remembered = 1 << 12 };

static bool remembers_much(const vc_media *media) {
    int64_t count = 0;
    for (unsigned i = 0; i < media->format->nb_streams; i++) count += ff.avformat_index_get_entries_count(media->format->streams[i]);
    return count >= most_remembered;
}

/// Bytes of a stream. There is no way back.
static int read_source(void *context, uint8_t *buffer, int count) {
    vc_media *media = context;
    if (media->has_ended) return AVERROR_EOF;
    const bool may_end = media->is_followed && remembers_much(media);
    const int got = vc_fragments_read(&media->fragments, media->source, media->source_context, buffer, count, may_end);
    if (got < 0) return AVERROR_EXIT;
    media->has_ended = got == 0 && !media->fragments.has_ended;
    return got > 0 ? got : AVERROR_EOF;
}

static int read_bytes(void *context, uint8_t *buffer, int count) {
    vc_media *media = context;
    if (media->position >= media->size) return AVERROR_EOF;
    if (media->reads_nothing) {
        int64_t left = media->size - media->position;
        if (count > left) count = (int)left;
        memset(buffer, 0, (size_t)count);
        media->position += count;
        return count;
    }
    ssize_t got;
    do got = pread(media->descriptor, buffer, (size_t)count, media->position); while (got < 0 && errno == EINTR);
    if (got < 0) return AVERROR(errno);
    if (got == 0) return AVERROR_EOF;
    media->position += got;
    return (int)got;
}

static int64_t seek_bytes(void *context, int64_t offset, int origin) {
    vc_media *media = context;
    if (origin & AVSEEK_SIZE) return media->size;
    switch (origin & ~AVSEEK_FORCE) {
    case SEEK_SET: break;
    case SEEK_CUR: offset += media->position; break;
    case SEEK_END: offset += media->size; break;
    default: return AVERROR(EINVAL);
    }
    if (offset < 0) return AVERROR(EINVAL);
    return media->position = offset;
}

/// A container that refers to other files or hosts can open nothing.
static int open_nothing(struct AVFormatContext *format, AVIOContext **input, const char *url, int flags, AVDictionary **options) {
    (void)format; (void)input; (void)url; (void)flags; (void)options;
    return AVERROR(EACCES);
}

void vc_media_forget_buffer(vc_media *media) { media->input->buf_ptr = media->input->buf_end = media->input->buffer; }

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++) if (strcmp(name, *names) == 0) return true;
    return false;
}

/// Whether a demuxer of this name opens other files, hosts or devices, or hands the file to another library.
static bool refers_elsewhere(const char *name) {
    static const char *const names[] = {
        "concat", "dash", "ffmetadata", "hls", "image2", "image2pipe", "imf", "libgme", "libopenmpt", "rtp", "rtsp", "sap", "sdp", "sdr2",
        "vapoursynth", "webm_dash_manifest", NULL};
    // guard: containers-of-videos
    return is_one_of(name, names);
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), count = strlen(end);
    return length >= count && strcmp(text + length - count, end) == 0;
}

/// Whether another JPEG picture follows the first one, so that the file is a stream of pictures.
static bool is_jpeg_stream(vc_media *media) {
    uint8_t bytes[1 << 16];
    int64_t at = 0;
    int last = 0;
    while (at < media->size && at < 64 << 20) {
        ssize_t count = pread(media->descriptor, bytes, sizeof bytes, at);
        if (count <= 0) return false;
        for (ssize_t i = 0; i < count; i++) {
            last = (last << 8 | bytes[i]) & 0xFFFFFF;
            if (last == 0xFFD8FF && at + i > 2) {
                // An end of a picture stands before it, so it is no thumbnail within the picture.
                uint8_t before[64];
                int64_t start = at + i - 2 - (int64_t)sizeof before;
                if (start < 0) continue;
                if (pread(media->descriptor, before, sizeof before, start) != (ssize_t)sizeof before) return false;
                for (size_t k = 0; k + 1 < sizeof before; k++) if (before[k] == 0xFF && before[k + 1] == 0xD9) return true;
            }
        }
        at += count;
    }
    return false;
}

/// Finds out the container by the file's first bytes.
static int choose_container(vc_media *media) {
    const AVInputFormat *format = NULL;
    int code = ff.av_probe_input_buffer2(media->input, &format, NULL, NULL, 0, 0);
    if (code < 0) return vc_media_fail_by(media, code, "no known container");
    if (refers_elsewhere(format->name))
        return vc_media_fail(media, VC_MEDIA_REFERS, "%s", format->long_name ? format->long_name : format->name);
    if (ends_with(format->name, "_pipe") || strcmp(format->name, "ico") == 0) {
        if (strcmp(format->name, "jpeg_pipe") != 0 || media->source || !is_jpeg_stream(media))
            return vc_media_fail(media, VC_MEDIA_PICTURE, "%.*s", (int)strcspn(format->name, "_"), format->name);
        format = ff.av_find_input_format("mjpeg");
    }
    media->container = format;
    return 0;
}

/// Reads the container's header from the file's start.
static int open_container(vc_media *media) {
    ff.avformat_close_input(&media->format);
    media->stream = NULL;
    media->reads_nothing = false;
    // Of a stream, the bytes that told its container are still in the buffer.
    if (!media->source) {
        vc_media_forget_buffer(media);
        const int64_t at = ff.avio_seek(media->input, 0, SEEK_SET);
        if (at < 0) return vc_media_fail_by(media, (int)at, "its start cannot be read");
    }
    AVFormatContext *format = media->format = ff.avformat_alloc_context();
    if (!format) return VC_MEDIA_MEMORY;
    format->pb = media->input;
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    format->io_open = open_nothing;
    format->max_streams = 256;
    format->protocol_whitelist = ff.av_strdup("");
    int code = ff.avformat_open_input(&media->format, "", media->container, NULL);
    return code < 0 ? vc_media_fail_by(media, code, "its container cannot be opened") : 0;
}

// ---- The stream ----

static bool is_cover(const AVStream *stream) { return stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS); }

bool vc_media_is_mov(const vc_media *media) { return strncmp(media->container->name, "mov,", 4) == 0; }

/// Whether the header already tells what decoding needs, so that no frame need be decoded to find it out.
static bool is_described(const vc_media *media) {
    const AVFormatContext *format = media->format;
    if (!vc_media_is_mov(media)) return false;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *codec = format->streams[i]->codecpar;
        if (codec->codec_type != AVMEDIA_TYPE_VIDEO) continue;
        if (codec->codec_id != AV_CODEC_ID_H264 && codec->codec_id != AV_CODEC_ID_HEVC) return false;
        if (codec->width <= 0 || codec->height <= 0 || codec->extradata_size < 7 || format->streams[i]->nb_frames <= 0) return false;
    }
    return true;
}

/// Reads the packets of this stream alone.
static void use_stream(vc_media *media, int place) {
    const AVFormatContext *format = media->format;
    for (unsigned i = 0; i < format->nb_streams; i++) format->streams[i]->discard = (int)i == place ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    media->stream = format->streams[place];
}

static int choose_stream(vc_media *media) {
    AVFormatContext *format = media->format;
    const bool is_video = media->medium == VC_MEDIA_VIDEO;
    media->streams = media->chosen = 0;
    if (!is_video || !is_described(media)) {
        int code = ff.avformat_find_stream_info(format, NULL);
        if (code < 0) return vc_media_fail_by(media, code, "its streams cannot be read");
        media->is_parsed = true;
    }
    const enum AVMediaType type = is_video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
    int chosen = ff.av_find_best_stream(format, type, -1, -1, NULL, 0);
    if (chosen >= 0 && is_video && is_cover(format->streams[chosen])) chosen = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        const bool fits = stream->codecpar->codec_type == type && !(is_video && is_cover(stream));
        if (fits && chosen < 0) chosen = (int)i;
        if (fits && (int)i == chosen) media->chosen = media->streams;
        if (fits) media->streams++;
    }
    if (chosen < 0) {
        const char *kinds = "";
        for (unsigned i = 0; i < format->nb_streams; i++) {
            const AVStream *stream = format->streams[i];
            if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) kinds = "only sound";
            else if (is_cover(stream) && kinds[0] == '\0') kinds = "only a cover picture";
        }
        return vc_media_fail(media, VC_MEDIA_ABSENT, "%s", kinds[0] ? kinds : is_video ? "only sound or data" : "only pictures or data");
    }
    use_stream(media, chosen);
    const AVCodecParameters *codec = media->stream->codecpar;
    if (is_video) {
        if (codec->width <= 0 || codec->height <= 0)
            return vc_media_fail(
                media, VC_MEDIA_UNREADABLE, "its video stream (%s) does not give the size of its pictures", ff.avcodec_get_name(codec->codec_id));
        if ((int64_t)codec->width * codec->height > VC_MEDIA_MAXIMUM_PIXELS || codec->width > 64ll * codec->height ||
            codec->height > 64ll * codec->width)
            return vc_media_fail(
                media, VC_MEDIA_TOO_LARGE, "expected pictures of at most %d pixels with sides of at most 1 to 64, found %dx%d",
                VC_MEDIA_MAXIMUM_PIXELS, codec->width, codec->height);
    }
    return 0;
}

int vc_media_reopen(vc_media *media) {
    int status = open_container(media);
    return status == 0 ? choose_stream(media) : status;
}

int vc_media_resume(vc_media *media) {
    const int place = media->stream->index;
    const AVRational average = media->stream->avg_frame_rate, real = media->stream->r_frame_rate;
    // The header stands directly before the fragment, whose samples may be told by their places in the whole stream.
    vc_media_forget_buffer(media);
    media->input->pos -= (int64_t)media->fragments.header_count;
    media->input->eof_reached = 0;
    vc_fragments_resume(&media->fragments);
    media->is_followed = false;
    const int status = open_container(media);
    if (status != 0) return status;
    media->is_followed = true;
    AVFormatContext *format = media->format;
    if (place >= (int)format->nb_streams || format->streams[place]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
        return vc_media_fail(media, VC_MEDIA_UNREADABLE, "its video stream has gone");
    use_stream(media, place);
    media->stream->avg_frame_rate = average;
    media->stream->r_frame_rate = real;
    return 0;
}

int vc_media_open_decoder(vc_media *media, int threads) {
    ff.avcodec_free_context(&media->decoder);
    const AVCodecParameters *parameters = media->stream->codecpar;
    const AVCodec *codec = ff.avcodec_find_decoder(parameters->codec_id);
    if (!codec)
        return vc_media_fail(media, VC_MEDIA_UNREADABLE, "this FFmpeg has no decoder for %s", ff.avcodec_get_name(parameters->codec_id));
    AVCodecContext *decoder = media->decoder = ff.avcodec_alloc_context3(codec);
    if (!decoder) return VC_MEDIA_MEMORY;
    int code = ff.avcodec_parameters_to_context(decoder, parameters);
    if (code < 0) return vc_media_fail_by(media, code, "its decoder cannot be set up");
    decoder->pkt_timebase = media->stream->time_base;
    decoder->max_pixels = VC_MEDIA_MAXIMUM_PIXELS;
    decoder->thread_count = threads;
    decoder->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
    code = ff.avcodec_open2(decoder, codec, NULL);
    return code < 0 ? vc_media_fail_by(media, code, "its decoder cannot be opened") : 0;
}

/// Makes what reading needs, finds out the container, and opens it.
static int open_input(vc_media *media) {
    enum { buffer_bytes = 1 << 16 };
    const bool is_stream = media->source;
    uint8_t *buffer = ff.av_malloc(buffer_bytes);
    media->input = !buffer ? NULL : ff.avio_alloc_context(
        buffer, buffer_bytes, 0, media, is_stream ? read_source : read_bytes, NULL, is_stream ? NULL : seek_bytes);
    media->packet = ff.av_packet_alloc();
    media->frame = ff.av_frame_alloc();
    if (!media->input || !media->packet || !media->frame) return VC_MEDIA_MEMORY;
    const int status = choose_container(media);
    return status == 0 ? vc_media_reopen(media) : status;
}

int vc_media_open_stream(vc_media_source source, void *context, vc_media **result) {
    vc_media *media = *result = calloc(1, sizeof *media);
    if (!media) return VC_MEDIA_MEMORY;
    media->descriptor = -1;
    media->source = source;
    media->source_context = context;
    media->medium = VC_MEDIA_VIDEO;
    // Threads would hold frames back.
    media->threads = 1;
    media->size = INT64_MAX;
    vc_media_begin(media);
    const int status = open_input(media);
    vc_media_end();
    return status;
}

int vc_media_open(int descriptor, int medium, int threads, vc_media **result) {
    vc_media *media = *result = calloc(1, sizeof *media);
    if (!media) {
        close(descriptor);
        return VC_MEDIA_MEMORY;
    }
    media->descriptor = descriptor;
    media->medium = medium;
    media->threads = threads < 1 ? 1 : threads > 16 ? 16 : threads;
    vc_media_begin(media);
    media->size = lseek(descriptor, 0, SEEK_END);
    if (media->size < 0) return vc_media_fail(media, VC_MEDIA_UNREADABLE, "it cannot be read");
    const int status = open_input(media);
    vc_media_end();
    return status;
}

void vc_media_close(vc_media *media) {
    if (!media) return;
    vc_media_end();
    ff.avcodec_free_context(&media->decoder);
    ff.avformat_close_input(&media->format);
    if (media->input) ff.av_freep(&media->input->buffer);
    ff.avio_context_free(&media->input);
    ff.av_packet_free(&media->packet);
    ff.av_frame_free(&media->frame);
    vc_media_free_pictures(media);
    vc_fragments_free(&media->fragments);
    free(media->packets);
    free(media->shown_packets);
    free(media->shown_times);
    free(media->shown_keys);
    if (media->descriptor >= 0) close(media->descriptor);
    free(media);
}

// ---- Description ----

/// The matrix that shows the stream's pictures upright; NULL if there is none.
static const int32_t *display_matrix(const AVStream *stream) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *data = ff.av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return data && data->size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)data->data : NULL;
#else
    size_t size = 0;
    const uint8_t *data = ff.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data && size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)data : NULL;
#endif
}

struct orientation vc_media_orientation(const vc_media *media) {
    if (media->medium == VC_MEDIA_STILL) return media->turned;
    const int32_t *matrix = display_matrix(media->stream);
    return matrix ? vc_media_orientation_by(matrix) : (struct orientation){0};
}

/// A pixel at (x, y) is shown at (m0 x + m3 y, m1 x + m4 y); other angles than quarter turns count as the nearest one.
struct orientation vc_media_orientation_by(const int32_t *m) {
    const int64_t along = llabs((int64_t)m[0]) + llabs((int64_t)m[4]), across = llabs((int64_t)m[1]) + llabs((int64_t)m[3]);
    if (across > along) return (struct orientation){true, m[3] < 0, m[1] < 0};
    return (struct orientation){false, m[0] < 0, m[4] < 0};
}

void vc_media_shown_size(const vc_media *media, int stored_columns, int stored_rows, AVRational pixel, int *columns, int *rows) {
    int64_t width = stored_columns, height = stored_rows;
    // A ratio that no camera has is a damaged header.
    if (pixel.num > 0 && pixel.den > 0 && pixel.num <= 16ll * pixel.den && pixel.den <= 16ll * pixel.num && pixel.num != pixel.den) {
        width = ff.av_rescale(width, pixel.num, pixel.den);
        if (width < 1) width = 1;
    }
    const bool is_transposed = vc_media_orientation(media).is_transposed;
    *columns = (int)(is_transposed ? height : width);
    *rows = (int)(is_transposed ? width : height);
}

void vc_media_describe(const vc_media *media, struct vc_media_stream *stream) {
    memset(stream, 0, sizeof *stream);
    const AVStream *chosen = media->stream;
    const AVCodecParameters *codec = chosen->codecpar;
    snprintf(stream->container, sizeof stream->container, "%.*s", (int)strcspn(media->container->name, ","), media->container->name);
    snprintf(stream->codec, sizeof stream->codec, "%s", ff.avcodec_get_name(codec->codec_id));
    stream->streams = media->streams;
    stream->chosen = media->chosen;
    if (media->medium == VC_MEDIA_VIDEO) {
        const AVRational pixel = ff.av_guess_sample_aspect_ratio(media->format, media->stream, NULL);
        vc_media_shown_size(media, codec->width, codec->height, pixel, &stream->columns, &stream->rows);
        AVRational rate = chosen->avg_frame_rate;
        if (rate.num <= 0 || rate.den <= 0) rate = chosen->r_frame_rate;
        if (rate.num <= 0 || rate.den <= 0) rate = (AVRational){0, 1};
        stream->rate_over = rate.num;
        stream->rate_under = rate.den;
        stream->listed_frames = chosen->nb_frames > 0 ? chosen->nb_frames : 0;
    } else {
        stream->sample_rate = codec->sample_rate;
        stream->channels = codec->ch_layout.nb_channels;
        if (chosen->duration > 0) stream->seconds = (double)chosen->duration * av_q2d(chosen->time_base);
        else if (media->format->duration > 0) stream->seconds = (double)media->format->duration / AV_TIME_BASE;
        stream->seconds_are_listed = stream->seconds > 0 && media->format->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE;
    }
}
