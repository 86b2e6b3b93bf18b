// Decoding a single picture: a file of a folder of numbered pictures. No demuxer is needed: the file is what the decoder takes.
#include "media.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// The codec of a picture that starts with these bytes.
static enum AVCodecID codec_of(const uint8_t *head) {
    if (memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0) return AV_CODEC_ID_PNG;
    if (memcmp(head, "\xff\xd8\xff", 3) == 0) return AV_CODEC_ID_MJPEG;
    if (memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0) return AV_CODEC_ID_WEBP;
    if (memcmp(head, "BM", 2) == 0) return AV_CODEC_ID_BMP;
    if (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0) return AV_CODEC_ID_TIFF;
    return AV_CODEC_ID_NONE;
}

/// Reads the whole file into `media->packet`.
static int read_file(vc_media *media, int descriptor) {
    ff.av_packet_unref(media->packet);
    const int64_t size = lseek(descriptor, 0, SEEK_END);
    if (size < 0) return vc_media_fail(media, VC_MEDIA_UNREADABLE, "it cannot be read");
    if (size < 32) return vc_media_fail(media, VC_MEDIA_UNREADABLE, "it has only %d bytes", (int)size);
    if (size > VC_MEDIA_MAXIMUM_PICTURE_BYTES)
        return vc_media_fail(
            media, VC_MEDIA_TOO_LARGE, "expected a picture of at most %d MiB, found %lld", VC_MEDIA_MAXIMUM_PICTURE_BYTES >> 20,
            (long long)size >> 20);
    const int code = ff.av_new_packet(media->packet, (int)size);
    if (code < 0) return vc_media_fail_by(media, code, "it cannot be read");
    for (int64_t at = 0; at < size;) {
        const ssize_t got = pread(descriptor, media->packet->data + at, (size_t)(size - at), at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return vc_media_fail(media, VC_MEDIA_UNREADABLE, "it was cut short while it was read");
        at += got;
    }
    return 0;
}

/// Whether the file ends before the picture does: decoders fill what is missing with grey, or with the picture before.
static bool is_cut(const AVPacket *file, enum AVCodecID codec) {
    const uint8_t *data = file->data;
    const int size = file->size;
    switch (codec) {
    case AV_CODEC_ID_PNG:
        // Chunks: a length, the kind, the data, a checksum.
        for (int64_t at = 8; at + 12 <= size; at += 12ll + AV_RB32(data + at))
            if (memcmp(data + at + 4, "IEND", 4) == 0) return false;
        return true;
    case AV_CODEC_ID_MJPEG:
        // The mark of its end; other bytes may follow.
        for (int at = size - 2; at > 2; at--) if (data[at] == 0xFF && data[at + 1] == 0xD9) return false;
        return true;
    case AV_CODEC_ID_WEBP: return (int64_t)AV_RL32(data + 4) + 8 > size;
    default: return false;
    }
}

/// Opens a new decoder: one that goes on could use the tables of the picture before.
static int open_decoder(vc_media *media, enum AVCodecID id) {
    ff.avcodec_free_context(&media->decoder);
    const AVCodec *codec = ff.avcodec_find_decoder(id);
    if (!codec) return vc_media_fail(media, VC_MEDIA_UNREADABLE, "this FFmpeg has no decoder for %s", ff.avcodec_get_name(id));
    AVCodecContext *decoder = media->decoder = ff.avcodec_alloc_context3(codec);
    if (!decoder) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory");
    decoder->max_pixels = VC_MEDIA_MAXIMUM_PIXELS;
    decoder->thread_count = 1;
    decoder->err_recognition = AV_EF_CRCCHECK;
    const int code = ff.avcodec_open2(decoder, codec, NULL);
    return code < 0 ? vc_media_fail_by(media, code, "its decoder cannot be opened") : 0;
}

/// How the decoded picture is turned upright: EXIF's orientation, as a matrix or as a number.
static struct orientation orientation_of(const AVFrame *frame) {
    const AVFrameSideData *data = ff.av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (data && data->size >= 9 * sizeof(int32_t)) return vc_media_orientation_by((const int32_t *)(const void *)data->data);
    const AVDictionaryEntry *entry = ff.av_dict_get(frame->metadata, "Orientation", NULL, 0);
    // EXIF 2.3, tag 274: where the first row and the first column of the stored picture are shown.
    static const struct orientation orientations[] = {
        {0}, {0}, {false, true, false}, {false, true, true}, {false, false, true}, {true, false, false}, {true, true, false},
        {true, true, true}, {true, false, true}};
    const long number = entry ? strtol(entry->value, NULL, 10) : 1;
    return orientations[number < 1 || number > 8 ? 1 : number];
}

static int decode(vc_media *media) {
    AVCodecContext *decoder = media->decoder;
    media->decoder_errors = 0;
    media->packet->flags |= AV_PKT_FLAG_KEY;
    int code = ff.avcodec_send_packet(decoder, media->packet);
    if (code >= 0) code = ff.avcodec_receive_frame(decoder, media->frame);
    if (code == AVERROR(EAGAIN)) {
        ff.avcodec_send_packet(decoder, NULL);
        code = ff.avcodec_receive_frame(decoder, media->frame);
    }
    if (code < 0) return vc_media_fail_by(media, code, "the picture cannot be decoded");
    if (media->decoder_errors > 0 || media->frame->decode_error_flags || media->frame->flags & AV_FRAME_FLAG_CORRUPT)
        return vc_media_fail_by(media, AVERROR_INVALIDDATA, "the picture is damaged");
    return 0;
}

int vc_media_open_picture(int descriptor, vc_media **result) {
    vc_media *media = *result;
    if (!media) {
        media = *result = calloc(1, sizeof *media);
        if (!media) {
            close(descriptor);
            return VC_MEDIA_MEMORY;
        }
        media->medium = VC_MEDIA_STILL;
        media->threads = 1;
        media->descriptor = -1;
        media->packet = ff.av_packet_alloc();
        media->frame = ff.av_frame_alloc();
    }
    vc_media_begin(media);
    int status = media->packet && media->frame ? 0 : vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory");
    if (status == 0) {
        ff.av_frame_unref(media->frame);
        status = read_file(media, descriptor);
    }
    close(descriptor);
    const enum AVCodecID codec = status == 0 ? codec_of(media->packet->data) : AV_CODEC_ID_NONE;
    if (status == 0 && codec == AV_CODEC_ID_NONE) status = vc_media_fail(media, VC_MEDIA_UNREADABLE, "it is of no known kind");
    if (status == 0 && is_cut(media->packet, codec)) status = vc_media_fail(media, VC_MEDIA_UNREADABLE, "the file ends within the picture");
    if (status == 0) status = open_decoder(media, codec);
    if (status == 0) status = decode(media);
    if (status == 0) media->turned = orientation_of(media->frame);
    if (media->packet) ff.av_packet_unref(media->packet);
    vc_media_end();
    return status;
}

void vc_media_describe_picture(const vc_media *media, struct vc_media_stream *stream) {
    memset(stream, 0, sizeof *stream);
    const enum AVCodecID codec = media->decoder->codec_id;
    snprintf(stream->codec, sizeof stream->codec, "%s", codec == AV_CODEC_ID_MJPEG ? "jpeg" : ff.avcodec_get_name(codec));
    stream->streams = 1;
    stream->listed_frames = 1;
    stream->rate_under = 1;
    vc_media_shown_size(
        media, media->frame->width, media->frame->height, media->frame->sample_aspect_ratio, &stream->columns, &stream->rows);
}

int vc_media_show_picture(
    vc_media *media, const struct vc_media_picture *pictures, int32_t count, vc_media_receiver receive, void *context) {
    vc_media_begin(media);
    const struct receiver to = {receive, context};
    int status = media->medium == VC_MEDIA_STILL && media->frame->width > 0 ? 0 : vc_media_fail(media, VC_MEDIA_ABSENT, "no picture is open");
    for (int32_t place = 0; status == 0 && place < count; place++)
        status = vc_media_deliver(media, media->frame, 0, place, &pictures[place], to);
    if (status == 0) status = vc_media_deliver_rest(media, to);
    vc_media_stop_pictures(media);
    ff.av_frame_unref(media->frame);
    vc_media_end();
    return status;
}
