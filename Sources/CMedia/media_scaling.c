// The threads that make pictures of decoded frames while the decoder goes on.
#include "media.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { most_threads = 8, most_jobs = 2 * most_threads };

struct pictures;

struct scaling_thread {
    pthread_t thread;
    struct pictures *pictures;
    struct scaling scaling;
};

/// Job n stands at place n modulo `job_count`: of those that were put in, the first `handed` are handed over, and those up to `taken` are made
/// or being made.
struct pictures {
    pthread_mutex_t lock;
    pthread_cond_t is_put, is_made;
    struct vc_media_job jobs[most_jobs];
    int64_t put, taken, handed;
    int job_count, thread_count;
    bool ends;
    struct scaling_thread threads[most_threads];
};

static struct vc_media_job *job(struct pictures *pictures, int64_t number) { return &pictures->jobs[number % pictures->job_count]; }

static void *make_pictures(void *context) {
    struct scaling_thread *own = context;
    struct pictures *pictures = own->pictures;
    pthread_mutex_lock(&pictures->lock);
    for (;;) {
        while (pictures->taken == pictures->put && !pictures->ends) pthread_cond_wait(&pictures->is_put, &pictures->lock);
        if (pictures->ends) break;
        struct vc_media_job *next = job(pictures, pictures->taken++);
        pthread_mutex_unlock(&pictures->lock);
        const int code = vc_media_make(&own->scaling, next);
        pthread_mutex_lock(&pictures->lock);
        next->code = code;
        next->is_made = true;
        pthread_cond_signal(&pictures->is_made);
    }
    pthread_mutex_unlock(&pictures->lock);
    return NULL;
}

/// Makes room for pictures, and starts the threads: as many as decode. A file with one thread gets none.
static int start(vc_media *media) {
    struct pictures *pictures = media->pictures;
    if (!pictures) {
        pictures = media->pictures = calloc(1, sizeof *pictures);
        if (!pictures) return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for its pictures");
        pthread_mutex_init(&pictures->lock, NULL);
        pthread_cond_init(&pictures->is_put, NULL);
        pthread_cond_init(&pictures->is_made, NULL);
    }
    if (pictures->job_count > 0) return 0;
    const int wanted = media->threads < 2 ? 0 : media->threads < most_threads ? media->threads : most_threads;
    while (pictures->thread_count < wanted) {
        struct scaling_thread *next = &pictures->threads[pictures->thread_count];
        next->pictures = pictures;
        if (pthread_create(&next->thread, NULL, make_pictures, next) != 0) break;
        pictures->thread_count++;
    }
    pictures->job_count = pictures->thread_count > 0 ? 2 * pictures->thread_count : 1;
    return 0;
}

/// Hands over the oldest picture, when it is made.
static int hand_over(vc_media *media, struct receiver to) {
    struct pictures *pictures = media->pictures;
    struct vc_media_job *oldest = job(pictures, pictures->handed);
    if (pictures->thread_count == 0) {
        oldest->code = vc_media_make(&pictures->threads[0].scaling, oldest);
    } else {
        pthread_mutex_lock(&pictures->lock);
        while (!oldest->is_made) pthread_cond_wait(&pictures->is_made, &pictures->lock);
        pthread_mutex_unlock(&pictures->lock);
    }
    pictures->handed++;
    ff.av_frame_unref(oldest->frame);
    if (oldest->code < 0) return vc_media_fail_by(media, oldest->code, "its pictures cannot be scaled");
    const int status = to.receive(to.context, oldest->number, oldest->place, oldest->planar, oldest->bytes);
    return status == 0 ? 0 : vc_media_fail(media, VC_MEDIA_STOPPED, "stopped");
}

int vc_media_deliver(
    vc_media *media, const AVFrame *frame, int64_t number, int32_t place, const struct vc_media_picture *picture, struct receiver to) {
    int status = start(media);
    struct pictures *pictures = media->pictures;
    if (status == 0 && pictures->put - pictures->handed == pictures->job_count) status = hand_over(media, to);
    if (status != 0) return status;
    struct vc_media_job *next = job(pictures, pictures->put);
    next->number = number;
    next->place = place;
    next->picture = *picture;
    next->is_made = false;
    status = vc_media_plan(media, frame, next);
    if (status != 0) return status;
    if ((!next->frame && !(next->frame = ff.av_frame_alloc())) || ff.av_frame_ref(next->frame, frame) < 0)
        return vc_media_fail(media, VC_MEDIA_MEMORY, "out of memory for a frame of %dx%d pixels", frame->width, frame->height);
    pthread_mutex_lock(&pictures->lock);
    pictures->put++;
    pthread_cond_signal(&pictures->is_put);
    pthread_mutex_unlock(&pictures->lock);
    return pictures->thread_count == 0 ? hand_over(media, to) : 0;
}

int vc_media_deliver_rest(vc_media *media, struct receiver to) {
    int status = 0;
    while (status == 0 && media->pictures && media->pictures->handed < media->pictures->put) status = hand_over(media, to);
    return status;
}

void vc_media_stop_pictures(vc_media *media) {
    struct pictures *pictures = media->pictures;
    if (!pictures) return;
    pthread_mutex_lock(&pictures->lock);
    pictures->ends = true;
    pthread_cond_broadcast(&pictures->is_put);
    pthread_mutex_unlock(&pictures->lock);
    for (int i = 0; i < pictures->thread_count; i++) pthread_join(pictures->threads[i].thread, NULL);
    for (int i = 0; i < most_jobs; i++)
        if (pictures->jobs[i].frame) ff.av_frame_unref(pictures->jobs[i].frame);
    pictures->ends = false;
    pictures->put = pictures->taken = pictures->handed = 0;
    pictures->job_count = pictures->thread_count = 0;
}

void vc_media_free_pictures(vc_media *media) {
    struct pictures *pictures = media->pictures;
    if (!pictures) return;
    vc_media_stop_pictures(media);
    for (int i = 0; i < most_threads; i++) {
        for (int k = 0; k < 2; k++) ff.sws_freeContext(pictures->threads[i].scaling.scalers[k]);
        free(pictures->threads[i].scaling.scaled);
    }
    for (int i = 0; i < most_jobs; i++) {
        ff.av_frame_free(&pictures->jobs[i].frame);
        free(pictures->jobs[i].planar);
    }
    pthread_cond_destroy(&pictures->is_made);
    pthread_cond_destroy(&pictures->is_put);
    pthread_mutex_destroy(&pictures->lock);
    free(pictures);
    media->pictures = NULL;
}
