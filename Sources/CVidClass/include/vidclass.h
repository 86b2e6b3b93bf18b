/* Classifies videos with a model that vidclass has trained.
 *
 *     vidclass_model *model;
 *     if (vidclass_load("runs/train", 0, &model) != VIDCLASS_OK) { puts(vidclass_error_text()); return 1; }
 *     float scores[16];
 *     int code = vidclass_predict_file(model, "holiday.mp4", scores, vidclass_class_count(model));
 *
 * Every function may be called from any thread, also on the same model: predictions of one model are computed one after the other, those of
 * several models at the same time. Loading the library changes nothing in the process: no environment variable, no signal handler, no
 * limit, no thread. It cannot be unloaded, and a process that was forked after vidclass_load cannot use it; start processes by exec
 * instead (in Python: multiprocessing's "spawn").
 *
 * Predictions compute on the calling thread and the model's others. The calling thread needs 512 KiB of stack.
 *
 * Null pointers, wrong sizes and models that were freed give an error, never a crash. Texts are UTF-8.
 */
#ifndef VIDCLASS_H
#define VIDCLASS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. Functions are added to it, and none is changed or removed: another version has another name of the library
 * (libvidclass.so.1). */
#define VIDCLASS_ABI_VERSION 1

/* What functions return. */
enum {
    VIDCLASS_OK = 0,
    VIDCLASS_OTHER = 1,          /* none of the others; memory that runs out is among these */
    VIDCLASS_USAGE = 64,         /* an argument is wrong */
    VIDCLASS_BAD_DATA = 65,      /* a clip or model is bad, does not fit the model, or does not fit into memory */
    VIDCLASS_MISSING_INPUT = 66, /* a file is missing, or the program vidclass where one is needed */
    VIDCLASS_INPUT_OUTPUT = 74   /* reading failed */
};

/* A loaded model with its memory and threads. */
typedef struct vidclass_model vidclass_model;

/* The order of the axes of an array of frames; the last one varies fastest. */
enum {
    VIDCLASS_CHANNELS_FIRST = 0, /* (frames, channels, rows, columns), as PyTorch has it */
    VIDCLASS_CHANNELS_LAST = 1   /* (frames, rows, columns, channels), as OpenCV and most decoders have it; colours in the order RGB */
};

/* The extents of an array of frames. Vectors over time have 1 channel, 1 row, and a column for each number. */
typedef struct {
    size_t frames;
    size_t channels;
    size_t rows;
    size_t columns;
    int32_t layout;          /* VIDCLASS_CHANNELS_FIRST or VIDCLASS_CHANNELS_LAST */
    float frames_per_second; /* for models that sample by time; 0 if unknown */
} vidclass_frames;

/* VIDCLASS_ABI_VERSION of the library that is loaded. */
int vidclass_abi_version(void);

/* The version of vidclass, such as "1.0.0". */
const char *vidclass_version(void);

/* The error of this thread's last call that did not return VIDCLASS_OK, in one line, at most 4095 bytes; "" if there was none. Valid until
 * this thread's next call. */
const char *vidclass_error_text(void);

/* Names the program vidclass, of this version, that decodes videos, pictures and sounds in a process without rights; NULL to search for it
 * beside the library, beside the host's program and on PATH. Frames in memory and .bin and .npy clips need none. */
int vidclass_set_program(const char *path);

/* Loads a model.
 *
 * path: a checkpoint such as runs/train/weights/best.safetensors, or a run's folder for its best one.
 * threads: computing threads, from 1 to 1024, the calling one included; 0 for the number of processors. Scores do not depend on it.
 * model: receives the model, which vidclass_free frees; NULL after an error. */
int vidclass_load(const char *path, int threads, vidclass_model **model);

/* Frees a model and its labels. Predictions that run on other threads end as usual. NULL and a freed model are passed over. */
void vidclass_free(vidclass_model *model);

/* The number of classes, and so of scores; 0 if there is no such model. */
size_t vidclass_class_count(const vidclass_model *model);

/* The label of a class, valid until the model is freed; NULL if there is no such class or model. */
const char *vidclass_label(const vidclass_model *model, size_t index);

/* A clip as the model sees it. Arrays of frames need these channels, rows and columns. The model chooses its frames from any number of
 * them. */
int vidclass_input(const vidclass_model *model, vidclass_frames *input);

/* Classifies frames of bytes.
 *
 * values: the pixels, 0 to 255. They are copied.
 * value_count: frames x channels x rows x columns.
 * scores: receives the score of each class, 0 to 1, in the order of the labels; they add up to 1. Unchanged after an error.
 * score_count: vidclass_class_count. */
int vidclass_predict_bytes(vidclass_model *model, const uint8_t *values, size_t value_count, const vidclass_frames *frames, float *scores,
                           size_t score_count);

/* Classifies frames of float32 values, pixels from 0 to 255 or vectors; see vidclass_predict_bytes. */
int vidclass_predict_floats(vidclass_model *model, const float *values, size_t value_count, const vidclass_frames *frames, float *scores,
                            size_t score_count);

/* Classifies a video, a folder of numbered pictures, a sound, or a .bin or .npy clip, as `vidclass predict` does; or a part of it, named as
 * "video.mp4#t=2,6" in seconds. */
int vidclass_predict_file(vidclass_model *model, const char *path, float *scores, size_t score_count);

#ifdef __cplusplus
}
#endif

#endif
