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
    const int64_t by_rows = ff.av_rescale(high, columns, rows), by_columns = ff.av_rescale(wide, rows, columns);
    *to_columns = (int)(by_rows > wide ? by_rows : wide);
    *to_rows = (int)(by_columns > high ? by_columns : high);
}

/// Half of `count`, rounded to even as FFmpeg's crop filter does.
static int half(int count) { return count % 2 == 0 ? count / 2 : count / 2 + (count / 2 & 1); }

/// Makes the scaler for these frames, unless it is there. Returns an error code of the libraries.
static int prepare_scaler(struct scaling *scaling, const struct vc_media_job *job) {
    const AVFrame *frame = job->frame;
    const int key[10] = {frame->width, job->height, frame->format, job->stored_columns, job->stored_rows, job->format,
                         frame->colorspace, frame->color_range, job->field, 1};
    const int place = job->place % 2;
    struct SwsContext **slot = &scaling->scalers[place];
    if (*slot && memcmp(key, scaling->keys[place], sizeof key) == 0) return 0;
    ff.sws_freeContext(*slot);
    struct SwsContext *scaler = *slot = ff.sws_alloc_context();
    if (!scaler) return AVERROR(ENOMEM);
    ff.av_opt_set_int(scaler, "srcw", frame->width, 0);
    ff.av_opt_set_int(scaler, "srch", job->height, 0);
    ff.av_opt_set_int(scaler, "src_format", frame->format, 0);
    ff.av_opt_set_int(scaler, "dstw", job->stored_columns, 0);
    ff.av_opt_set_int(scaler, "dsth", job->stored_rows, 0);
    ff.av_opt_set_int(scaler, "dst_format", job->format, 0);
    ff.av_opt_set_int(scaler, "sws_flags", scaler_flags, 0);
    if (frame->format == AV_PIX_FMT_YUV420P)
        ff.av_opt_set_int(scaler, "src_v_chr_pos", job->field == 0 ? 128 : job->field == 1 ? 64 : 192, 0);
    const int code = ff.sws_init_context(scaler, NULL, NULL);
    if (code < 0) {
        ff.sws_freeContext(scaler);
        *slot = NULL;
        return code;
    }
    const enum AVColorSpace space = frame->colorspace;
    const int *table = ff.sws_getCoefficients(space < 1 || space > 10 || space == 8 ? AVCOL_SPC_BT470BG : space);
    int *old_table, *old_to_table, range, to_range, brightness, contrast, saturation;
    if (ff.sws_getColorspaceDetails(scaler, &old_table, &range, &old_to_table, &to_range, &brightness, &contrast, &saturation) >= 0) {
        if (frame->color_range != AVCOL_RANGE_UNSPECIFIED) range = frame->color_range == AVCOL_RANGE_JPEG;
        ff.sws_setColorspaceDetails(scaler, table, range, old_to_table, to_range, brightness, contrast, saturation);
    }
    memcpy(scaling->keys[place], key, sizeof key);
    return 0;
}

/// Copies every `step`th byte of rows of `stride` bytes to a plane of (rows, columns), turned upright.
static void turn(const uint8_t *from, int step, int64_t stride, uint8_t *to, int rows, int columns, struct orientation o) {
    const int64_t across = o.is_transposed ? stride : step, down = o.is_transposed ? step : stride;
    for (int y = 0; y < rows; y++, to += columns) {
        const uint8_t *row = from + (o.flips_rows ? rows - 1 - y : y) * down;
        if (across == 1 && !o.flips_columns) memcpy(to, row, (size_t)columns);
        else for (int x = 0; x < columns; x++) to[x] = row[(o.flips_columns ? columns - 1 - x : x) * across];
    }
}

int vc_media_plan(vc_media *media, const AVFrame *frame, struct vc_media_job *job) {
    if (frame->width <= 0 || frame->height <= 0 || (int64_t)frame->width * frame->height > VC_MEDIA_MAXIMUM_PIXELS ||
        frame->width > 64ll * frame->height || frame->height > 64ll * frame->width)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "a frame of %dx%d pixels", frame->width, frame->height);
    const struct vc_media_picture *picture = &job->picture;
    job->bytes = (int64_t)picture->channels * picture->rows * picture->columns;
    if (job->bytes == 0) return 0;
    const struct orientation o = job->orientation = vc_media_orientation(media);
    const AVRational pixel = ff.av_guess_sample_aspect_ratio(media->format, media->stream, (AVFrame *)frame);
    int columns, rows, to_columns, to_rows;
    vc_media_shown_size(media, frame->width, frame->height, pixel, &columns, &rows);
    covering(columns, rows, picture->columns, picture->rows, &to_columns, &to_rows);
    const int left = half(to_columns - picture->columns), top = half(to_rows - picture->rows);

    // The first field of an interlaced frame: every other line, whole chroma lines for each field.
    job->height = frame->height;
    job->field = 0;
    if (picture->deinterlaces && is_interlaced(frame) && frame->height >= 4) {
        const int shift = ff.av_pix_fmt_desc_get(frame->format)->log2_chroma_h;
        job->field = shows_top_first(frame) ? 1 : 2;
        job->height = frame->height / 2 >> shift << shift;
    }

    // Scaled as stored; turned upright when the planes are cropped.
    job->stored_columns = o.is_transposed ? to_rows : to_columns;
    job->stored_rows = o.is_transposed ? to_columns : to_rows;
    // FFmpeg has vector code for planes. Its results are those for RGB24 where more than two lines make one: for fewer it rounds otherwise.
    const bool has_planes = job->stored_rows >= 16 && 8ll * job->height >= 9ll * job->stored_rows;
    job->format = picture->channels == 1 ? AV_PIX_FMT_GRAY8 : has_planes ? AV_PIX_FMT_GBRP : AV_PIX_FMT_RGB24;
    job->step = job->format == AV_PIX_FMT_RGB24 ? 3 : 1;
    job->planes = picture->channels / job->step;
    job->stride = ((int64_t)job->stored_columns * job->step + 63) / 64 * 64;
    // A row more than needed: vector code may write behind the last one.
    job->plane = job->stride * (job->stored_rows + 1);
    if (job->stored_columns > 1 << 20 || job->stored_rows > 1 << 20 || job->planes * job->plane > 1ll << 31)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "a frame of %dx%d pixels cannot be scaled to %dx%d", columns, rows, to_columns, to_rows);

    // The corner of the crop, in stored coordinates.
    const int right = to_columns - picture->columns - left, bottom = to_rows - picture->rows - top;
    const int first_column = o.is_transposed ? (o.flips_rows ? bottom : top) : (o.flips_columns ? right : left);
    const int first_row = o.is_transposed ? (o.flips_columns ? right : left) : (o.flips_rows ? bottom : top);
    job->corner = first_row * job->stride + first_column * job->step;
    return 0;
}

int vc_media_make(struct scaling *scaling, struct vc_media_job *job) {
    if (job->bytes == 0) return 0;  // only decoded
    const AVFrame *frame = job->frame;
    const uint8_t *planes[4];
    int strides[4];
    memcpy(planes, frame->data, sizeof planes);
    memcpy(strides, frame->linesize, sizeof strides);
    const bool is_paletted = ff.av_pix_fmt_desc_get(frame->format)->flags & AV_PIX_FMT_FLAG_PAL;
    for (int i = 0; job->field != 0 && i < 4 && planes[i] && !(is_paletted && i > 0); i++) {
        if (job->field == 2) planes[i] += strides[i];
        strides[i] *= 2;
    }
    const int channels = job->picture.channels, rows = job->picture.rows, columns = job->picture.columns;
    if (!reserve(&scaling->scaled, &scaling->scaled_bytes, job->planes * job->plane + 64) ||
        !reserve(&job->planar, &job->planar_bytes, job->bytes))
        return AVERROR(ENOMEM);
    int code = prepare_scaler(scaling, job);
    if (code < 0) return code;
    uint8_t *to[4] = {0};
    int to_strides[4] = {0};
    for (int i = 0; i < job->planes; i++) {
        to[i] = scaling->scaled + i * job->plane;
        to_strides[i] = (int)job->stride;
    }
    code = ff.sws_scale(scaling->scalers[job->place % 2], planes, strides, 0, job->height, to, to_strides);
    if (code <= 0) return code < 0 ? code : AVERROR_INVALIDDATA;
    // FFmpeg's planes are green, blue and red.
    static const int sources[] = {2, 0, 1};
    for (int i = 0; i < channels; i++) {
        const uint8_t *from = job->planes == 3 ? to[sources[i]] : to[0] + i;
        turn(from + job->corner, job->step, job->stride, job->planar + (int64_t)i * rows * columns, rows, columns, job->orientation);
    }
    return 0;
}
