// From decoded frames to pictures: one field or both, scaled to cover the picture, upright, cropped to the centre.
#include "media.h"

#include <stdlib.h>
#include <string.h>

/// FFmpeg's own scaling for `scale=...:flags=bilinear+accurate_rnd+full_chroma_int+bitexact`: the same bytes on every processor.
enum { scaler_flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT };

static bool is_interlaced(const AVFrame *frame) {
#ifdef AV_FRAME_FLAG_INTERLACED
    return frame->flags & AV_FRAME_FLAG_INTERLACED;
#else
    return frame->interlaced_frame;
#endif
}

static bool shows_top_first(const AVFrame *frame) {
#ifdef AV_FRAME_FLAG_TOP_FIELD_FIRST
    return frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
    return frame->top_field_first;
#endif
}

/// Memory of at least `bytes`; returns false if there is none.
static bool reserve(uint8_t **memory, int64_t *held, int64_t bytes) {
    if (*held >= bytes) return true;
    free(*memory);
    *memory = malloc((size_t)bytes);
    *held = *memory ? bytes : 0;
    return *memory != NULL;
}

/// The rows and columns to which a picture of `columns` x `rows` is scaled to cover `wide` x `high`, as FFmpeg's scale filter rounds.
static void covering(int columns, int rows, int wide, int high, int *to_columns, int *to_rows) {
    const int64_t by_rows = av_rescale(high, columns, rows), by_columns = av_rescale(wide, rows, columns);
    *to_columns = (int)(by_rows > wide ? by_rows : wide);
    *to_rows = (int)(by_columns > high ? by_columns : high);
}

/// Half of `count`, rounded to even as FFmpeg's crop filter does.
static int half(int count) { return count % 2 == 0 ? count / 2 : count / 2 + (count / 2 & 1); }

/// Makes the scaler of pictures of the place `place` for these frames, unless it is there.
static int prepare_scaler(
    vc_media *media, int32_t place, const AVFrame *frame, int field, int rows, enum AVPixelFormat format, int to_columns, int to_rows,
    enum AVPixelFormat to_format) {
    const int key[10] = {frame->width, rows, format, to_columns, to_rows, to_format, frame->colorspace, frame->color_range, field, 1};
    struct SwsContext **slot = &media->scalers[place % 2];
    if (*slot && memcmp(key, media->scaler_keys[place % 2], sizeof key) == 0) return 0;
    sws_freeContext(*slot);
    struct SwsContext *scaler = *slot = sws_alloc_context();
    if (!scaler) return VC_MEDIA_MEMORY;
    av_opt_set_int(scaler, "srcw", frame->width, 0);
    av_opt_set_int(scaler, "srch", rows, 0);
    av_opt_set_int(scaler, "src_format", format, 0);
    av_opt_set_int(scaler, "dstw", to_columns, 0);
    av_opt_set_int(scaler, "dsth", to_rows, 0);
    av_opt_set_int(scaler, "dst_format", to_format, 0);
    av_opt_set_int(scaler, "sws_flags", scaler_flags, 0);
    if (format == AV_PIX_FMT_YUV420P) av_opt_set_int(scaler, "src_v_chr_pos", field == 0 ? 128 : field == 1 ? 64 : 192, 0);
    const int code = sws_init_context(scaler, NULL, NULL);
    if (code < 0) {
        sws_freeContext(scaler);
        *slot = NULL;
        return vc_media_fail_by(media, code, "its pictures cannot be scaled");
    }
    const enum AVColorSpace space = frame->colorspace;
    const int *table = sws_getCoefficients(space < 1 || space > 10 || space == 8 ? AVCOL_SPC_BT470BG : space);
    int *old_table, *old_to_table, range, to_range, brightness, contrast, saturation;
    if (sws_getColorspaceDetails(scaler, &old_table, &range, &old_to_table, &to_range, &brightness, &contrast, &saturation) >= 0) {
        if (frame->color_range != AVCOL_RANGE_UNSPECIFIED) range = frame->color_range == AVCOL_RANGE_JPEG;
        sws_setColorspaceDetails(scaler, table, range, old_to_table, to_range, brightness, contrast, saturation);
    }
    memcpy(media->scaler_keys[place % 2], key, sizeof key);
    return 0;
}

/// Splits (rows, columns, channels) from `from` into planes, turned upright.
static void split(
    const uint8_t *from, int64_t stride, uint8_t *to, int channels, int rows, int columns, struct orientation o) {
    const int64_t across = o.is_transposed ? stride : channels, down = o.is_transposed ? channels : stride;
    for (int y = 0; y < rows; y++) {
        const int64_t row = o.flips_rows ? rows - 1 - y : y;
        for (int x = 0; x < columns; x++) {
            const int64_t column = o.flips_columns ? columns - 1 - x : x;
            const uint8_t *pixel = from + row * down + column * across;
            for (int c = 0; c < channels; c++) to[((int64_t)c * rows + y) * columns + x] = pixel[c];
        }
    }
}

int vc_media_deliver(
    vc_media *media, const AVFrame *frame, int64_t number, int32_t place, const struct vc_media_picture *picture,
    vc_media_receiver receive, void *context) {
    if (frame->width <= 0 || frame->height <= 0 || (int64_t)frame->width * frame->height > VC_MEDIA_MAXIMUM_PIXELS ||
        frame->width > 64ll * frame->height || frame->height > 64ll * frame->width)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "a frame of %dx%d pixels", frame->width, frame->height);
    const struct orientation o = vc_media_orientation(media);
    const AVRational pixel = av_guess_sample_aspect_ratio(media->format, media->stream, (AVFrame *)frame);
    int columns, rows, to_columns, to_rows;
    vc_media_shown_size(media, frame->width, frame->height, pixel, &columns, &rows);
    covering(columns, rows, picture->columns, picture->rows, &to_columns, &to_rows);
    const int left = half(to_columns - picture->columns), top = half(to_rows - picture->rows);

    // The first field of an interlaced frame: every other line.
    const uint8_t *planes[4];
    int strides[4], height = frame->height, field = 0;
    memcpy(planes, frame->data, sizeof planes);
    memcpy(strides, frame->linesize, sizeof strides);
    if (picture->deinterlaces && is_interlaced(frame) && height >= 4) {
        const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(frame->format);
        const bool is_paletted = descriptor->flags & AV_PIX_FMT_FLAG_PAL;
        field = shows_top_first(frame) ? 1 : 2;
        // Whole chroma lines for each field.
        height = height / 2 >> descriptor->log2_chroma_h << descriptor->log2_chroma_h;
        for (int i = 0; i < 4 && planes[i] && !(is_paletted && i > 0); i++) {
            if (field == 2) planes[i] += strides[i];
            strides[i] *= 2;
        }
    }

    // Scaled as stored; turned upright when the planes are split.
    const int stored_columns = o.is_transposed ? to_rows : to_columns, stored_rows = o.is_transposed ? to_columns : to_rows;
    const int channels = picture->channels;
    const int64_t stride = ((int64_t)stored_columns * channels + 63) / 64 * 64;
    const int64_t bytes = (int64_t)channels * picture->rows * picture->columns;
    if (stored_columns > 1 << 20 || stored_rows > 1 << 20 || stride * (stored_rows + 1) > 1ll << 31)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "a frame of %dx%d pixels cannot be scaled to %dx%d", columns, rows, to_columns, to_rows);
    if (!reserve(&media->scaled, &media->scaled_bytes, stride * (stored_rows + 1) + 64) || !reserve(&media->planar, &media->planar_bytes, bytes))
        return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for a picture of %dx%d pixels", picture->columns, picture->rows);
    int status = prepare_scaler(
        media, place, frame, field, height, frame->format, stored_columns, stored_rows, channels == 1 ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_RGB24);
    if (status != 0) return status;
    uint8_t *const to[4] = {media->scaled};
    const int to_strides[4] = {(int)stride};
    if (sws_scale(media->scalers[place % 2], planes, strides, 0, height, to, to_strides) <= 0)
        return vc_media_fail(media, VC_MEDIA_UNREADABLE, "its pictures cannot be scaled");

    // The corner of the crop, in stored coordinates.
    const int first_column = o.is_transposed ? (o.flips_rows ? to_rows - picture->rows - top : top)
                                             : (o.flips_columns ? to_columns - picture->columns - left : left);
    const int first_row = o.is_transposed ? (o.flips_columns ? to_columns - picture->columns - left : left)
                                          : (o.flips_rows ? to_rows - picture->rows - top : top);
    const uint8_t *corner = media->scaled + first_row * stride + (int64_t)first_column * channels;
    split(corner, stride, media->planar, channels, picture->rows, picture->columns, o);
    status = receive(context, number, place, media->planar, bytes);
    return status == 0 ? 0 : vc_media_fail(media, VC_MEDIA_STOPPED, "stopped");
}
