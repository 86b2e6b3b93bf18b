// Decoding a sound: the mean of its channels at one rate.
#include "media.h"

#include <stdlib.h>

/// A sound on its way: converted to planes of floats, averaged, resampled.
struct listening {
    int32_t sample_rate;
    int64_t most, count;
    vc_media_listener listen;
    void *context;
    struct SwrContext *converter, *resampler;
    int format, rate, channels;
    float *planes[VC_MEDIA_MAXIMUM_CHANNELS], *mean, *resampled;
    int64_t capacity, resampled_capacity;
};

static bool reserve(float **memory, int64_t count) {
    float *grown = realloc(*memory, (size_t)count * sizeof **memory);
    if (grown) *memory = grown;
    return grown != NULL;
}

/// Resamples `count` mean values (0 = what is left in the resampler) and passes them on.
static int resample(vc_media *media, struct listening *sound, int count) {
    const int room = ff.swr_get_out_samples(sound->resampler, count);
    if (room < 0) return vc_media_fail_by(media, room, "its sound cannot be resampled");
    if (room == 0) return 0;
    if (room > sound->resampled_capacity) {
        if (!reserve(&sound->resampled, room)) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for its sound");
        sound->resampled_capacity = room;
    }
    const uint8_t *from[1] = {(const uint8_t *)sound->mean};
    uint8_t *to[1] = {(uint8_t *)sound->resampled};
    const int got = ff.swr_convert(sound->resampler, to, room, count > 0 ? from : NULL, count);
    if (got < 0) return vc_media_fail_by(media, got, "its sound cannot be resampled");
    sound->count += got;
    if (sound->count > sound->most) return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "more than %lld samples", (long long)sound->most);
    if (got > 0 && sound->listen(sound->context, sound->resampled, got) != 0) return vc_media_fail(media, VC_MEDIA_STOPPED, "stopped");
    return 0;
}

/// Makes the converter and the resampler for frames like this one.
static int prepare(vc_media *media, struct listening *sound, const AVFrame *frame) {
    const int channels = frame->ch_layout.nb_channels;
    if (sound->converter && frame->format == sound->format && frame->sample_rate == sound->rate && channels == sound->channels) return 0;
    if (channels < 1 || channels > VC_MEDIA_MAXIMUM_CHANNELS)
        return vc_media_fail(media, VC_MEDIA_TOO_LARGE, "expected at most %d channels, found %d", VC_MEDIA_MAXIMUM_CHANNELS, channels);
    if (sound->resampler && sound->rate != frame->sample_rate) {
        const int status = resample(media, sound, 0);
        if (status != 0) return status;
        ff.swr_free(&sound->resampler);
    }
    ff.swr_free(&sound->converter);
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO, layout = frame->ch_layout;
    int code = ff.swr_alloc_set_opts2(
        &sound->converter, &layout, AV_SAMPLE_FMT_FLTP, frame->sample_rate, &layout, frame->format, frame->sample_rate, 0,
        NULL);
    if (code >= 0) code = ff.swr_init(sound->converter);
    if (code >= 0 && !sound->resampler) {
        code = ff.swr_alloc_set_opts2(
            &sound->resampler, &mono, AV_SAMPLE_FMT_FLTP, sound->sample_rate, &mono, AV_SAMPLE_FMT_FLTP, frame->sample_rate, 0, NULL);
        if (code >= 0) code = ff.swr_init(sound->resampler);
    }
    if (code < 0) return vc_media_fail_by(media, code, "its sound cannot be converted");
    sound->format = frame->format;
    sound->rate = frame->sample_rate;
    sound->channels = channels;
    return 0;
}

static int hear(vc_media *media, AVFrame *frame, void *context) {
    struct listening *sound = context;
    int status = prepare(media, sound, frame);
    const int count = frame->nb_samples;
    if (status != 0 || count <= 0) return status;
    if (count > sound->capacity) {
        sound->capacity = count;
        for (int channel = 0; channel < VC_MEDIA_MAXIMUM_CHANNELS; channel++) {
            free(sound->planes[channel]);
            sound->planes[channel] = NULL;
        }
        if (!reserve(&sound->mean, count)) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for its sound");
    }
    for (int channel = 0; channel < sound->channels; channel++)
        if (!sound->planes[channel] && !reserve(&sound->planes[channel], sound->capacity))
            return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for its sound");
    const int got = ff.swr_convert(sound->converter, (uint8_t **)sound->planes, count, (const uint8_t **)frame->extended_data, count);
    if (got < 0) return vc_media_fail_by(media, got, "its sound cannot be converted");
    for (int i = 0; i < got; i++) {
        float sum = 0;
        for (int channel = 0; channel < sound->channels; channel++) sum += sound->planes[channel][i];
        sound->mean[i] = sum / (float)sound->channels;
    }
    return got > 0 ? resample(media, sound, got) : 0;
}

int vc_media_listen(vc_media *media, int32_t sample_rate, int64_t most, vc_media_listener listen, void *context) {
    vc_media_begin(media);
    struct listening sound = {.sample_rate = sample_rate, .most = most, .listen = listen, .context = context};
    int status = media->medium != VC_MEDIA_SOUND ? vc_media_fail(media, VC_MEDIA_ABSENT, "a video was opened") : 0;
    if (status == 0) status = vc_media_open_decoder(media, 1);
    while (status == 0) {
        const int read = vc_media_read(media);
        if (read < 0) { status = read; break; }
        const int64_t stamp = read == 1 ? media->packet->pts : -1;
        status = vc_media_feed(media, read == 0, stamp, true, hear, &sound);
        if (read == 0) break;
    }
    if (status == 0 && sound.resampler) status = resample(media, &sound, 0);
    ff.swr_free(&sound.converter);
    ff.swr_free(&sound.resampler);
    for (int channel = 0; channel < VC_MEDIA_MAXIMUM_CHANNELS; channel++) free(sound.planes[channel]);
    free(sound.mean);
    free(sound.resampled);
    vc_media_end();
    return status;
}
