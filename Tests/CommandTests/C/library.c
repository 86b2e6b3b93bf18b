// Wrong calls, calls from many threads, calls in a forked process, and the program that reads pictures; LibraryTests builds and runs this:
// library misuse|threads|fork MODEL, and library program MODEL PICTURES OTHER.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vidclass.h>

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("line %d: %s (last error: %s)\n", __LINE__, #condition, vidclass_error_text());                     \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static vidclass_frames extents;
static uint8_t *pixels;
static size_t pixel_count;

static vidclass_model *loaded(const char *path) {
    vidclass_model *model = NULL;
    EXPECT(vidclass_load(path, 1, &model) == VIDCLASS_OK && model != NULL);
    EXPECT(vidclass_input(model, &extents) == VIDCLASS_OK);
    pixel_count = extents.frames * extents.channels * extents.rows * extents.columns;
    pixels = realloc(pixels, pixel_count);
    for (size_t i = 0; i < pixel_count; i++) pixels[i] = (uint8_t)(i * 7 % 251);
    return model;
}

static int misuse(const char *path) {
    EXPECT(vidclass_abi_version() == VIDCLASS_ABI_VERSION);
    EXPECT(strlen(vidclass_version()) > 0 && strlen(vidclass_error_text()) == 0);
    vidclass_model *model = (vidclass_model *)1;
    EXPECT(vidclass_load(NULL, 0, &model) == VIDCLASS_USAGE && model == NULL);
    EXPECT(strstr(vidclass_error_text(), "path") != NULL);
    EXPECT(vidclass_load(path, 0, NULL) == VIDCLASS_USAGE);
    EXPECT(vidclass_load(path, -1, &model) == VIDCLASS_USAGE && model == NULL);
    EXPECT(vidclass_load(path, 1 << 30, &model) == VIDCLASS_USAGE);
    EXPECT(vidclass_load("/nowhere/model", 0, &model) == VIDCLASS_MISSING_INPUT);
    EXPECT(vidclass_load("/etc/passwd", 0, &model) == VIDCLASS_BAD_DATA);

    model = loaded(path);
    const size_t classes = vidclass_class_count(model);
    EXPECT(classes == 2 && vidclass_label(model, 1) != NULL && vidclass_label(model, classes) == NULL && vidclass_label(model, SIZE_MAX) == NULL);
    float scores[2] = {-1, -1};
    EXPECT(vidclass_predict_bytes(NULL, pixels, pixel_count, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes((vidclass_model *)0x1234567, pixels, pixel_count, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, NULL, pixel_count, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, NULL, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, NULL, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, classes + 1) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, SIZE_MAX) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count - 1, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, SIZE_MAX, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, 0, &(vidclass_frames){0}, scores, classes) == VIDCLASS_USAGE);
    const size_t huge = (size_t)1 << 62;
    EXPECT(vidclass_predict_bytes(model, pixels, 0, &(vidclass_frames){huge, 64, 16384, 16384, 0, 0}, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_bytes(model, pixels, 0, &(vidclass_frames){SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, 0, 0}, scores, classes) == VIDCLASS_USAGE);
    vidclass_frames wrong = extents;
    wrong.layout = 7;
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &wrong, scores, classes) == VIDCLASS_USAGE);
    wrong = extents;
    wrong.frames_per_second = -1;
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &wrong, scores, classes) == VIDCLASS_USAGE);
    wrong = extents;
    wrong.rows /= 2;
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count / 2, &wrong, scores, classes) == VIDCLASS_BAD_DATA);
    EXPECT(vidclass_predict_file(model, NULL, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_predict_file(model, "/nowhere.mp4", scores, classes) == VIDCLASS_MISSING_INPUT);
    EXPECT(scores[0] == -1 && scores[1] == -1);
    float *values = calloc(pixel_count, sizeof *values);
    values[pixel_count / 2] = 0.0f / 0.0f;
    EXPECT(vidclass_predict_floats(model, values, pixel_count, &extents, scores, classes) == VIDCLASS_BAD_DATA);
    EXPECT(vidclass_predict_floats(model, NULL, pixel_count, &extents, scores, classes) == VIDCLASS_USAGE);

    // Bytes and floats, and both orders of axes, are the same pixels.
    float floats[2], last[2];
    for (size_t i = 0; i < pixel_count; i++) values[i] = pixels[i];
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, classes) == VIDCLASS_OK);
    EXPECT(vidclass_predict_floats(model, values, pixel_count, &extents, floats, classes) == VIDCLASS_OK);
    const size_t area = extents.rows * extents.columns;
    uint8_t *other = malloc(pixel_count);
    for (size_t i = 0; i < pixel_count; i++) {
        const size_t frame = i / (area * extents.channels), channel = i / area % extents.channels, pixel = i % area;
        other[(frame * area + pixel) * extents.channels + channel] = pixels[i];
    }
    wrong = extents;
    wrong.layout = VIDCLASS_CHANNELS_LAST;
    EXPECT(vidclass_predict_bytes(model, other, pixel_count, &wrong, last, classes) == VIDCLASS_OK);
    EXPECT(memcmp(scores, floats, sizeof scores) == 0 && memcmp(scores, last, sizeof scores) == 0);
    EXPECT(scores[0] + scores[1] > 0.999f && scores[0] + scores[1] < 1.001f);

    vidclass_free(model);
    vidclass_free(model);
    vidclass_free(NULL);
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, classes) == VIDCLASS_USAGE);
    EXPECT(vidclass_class_count(model) == 0 && vidclass_label(model, 0) == NULL && vidclass_input(model, &extents) == VIDCLASS_USAGE);
    EXPECT(vidclass_class_count(NULL) == 0);
    EXPECT(vidclass_set_program("/bin/true") == VIDCLASS_OK && vidclass_set_program(NULL) == VIDCLASS_OK);
    free(values);
    free(other);
    return 0;
}

static vidclass_model *models[2];
static float expected[2];

static void *predict_often(void *number) {
    for (int round = 0; round < 100; round++) {
        float scores[2];
        EXPECT(vidclass_predict_bytes(models[(round + (int)(intptr_t)number) % 2], pixels, pixel_count, &extents, scores, 2) == VIDCLASS_OK);
        EXPECT(memcmp(scores, expected, sizeof scores) == 0);
    }
    return NULL;
}

static void *predict_to_the_end(void *model) {
    float scores[2];
    int code;
    while ((code = vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, 2)) == VIDCLASS_OK)
        EXPECT(memcmp(scores, expected, sizeof scores) == 0);
    EXPECT(code == VIDCLASS_USAGE && strlen(vidclass_error_text()) > 0);
    return NULL;
}

static int threads(const char *path) {
    for (int i = 0; i < 2; i++) models[i] = loaded(path);
    EXPECT(vidclass_predict_bytes(models[0], pixels, pixel_count, &extents, expected, 2) == VIDCLASS_OK);
    pthread_t running[8];
    for (intptr_t i = 0; i < 8; i++) pthread_create(&running[i], NULL, predict_often, (void *)i);
    for (int i = 0; i < 8; i++) pthread_join(running[i], NULL);
    // Freed while others use it.
    for (int i = 0; i < 8; i++) pthread_create(&running[i], NULL, predict_to_the_end, models[i % 2]);
    usleep(20000);
    for (int i = 0; i < 2; i++) vidclass_free(models[i]);
    for (int i = 0; i < 8; i++) pthread_join(running[i], NULL);
    return 0;
}

static int fork_later(const char *path) {
    vidclass_model *model = loaded(path);
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);
        float scores[2];
        EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, 2) == VIDCLASS_USAGE);
        EXPECT(strstr(vidclass_error_text(), "forked") != NULL);
        vidclass_free(model);
        _exit(0);
    }
    int status = 1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    float scores[2];
    EXPECT(vidclass_predict_bytes(model, pixels, pixel_count, &extents, scores, 2) == VIDCLASS_OK);
    return 0;
}

// Without the program, with another version of it, and with the one that is found.
static int program(const char *path, const char *pictures, const char *other) {
    vidclass_model *model = loaded(path);
    float scores[2];
    EXPECT(vidclass_set_program("/nowhere/vidclass") == VIDCLASS_OK);
    EXPECT(vidclass_predict_file(model, pictures, scores, 2) == VIDCLASS_MISSING_INPUT);
    EXPECT(strstr(vidclass_error_text(), "/nowhere/vidclass") != NULL && strstr(vidclass_error_text(), "vidclass_set_program") != NULL);
    EXPECT(vidclass_set_program(other) == VIDCLASS_OK);
    EXPECT(vidclass_predict_file(model, pictures, scores, 2) == VIDCLASS_OTHER);
    EXPECT(strstr(vidclass_error_text(), "is version 0.0.1") != NULL);
    EXPECT(vidclass_set_program(NULL) == VIDCLASS_OK);
    EXPECT(vidclass_predict_file(model, pictures, scores, 2) == VIDCLASS_OK);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "program") == 0) return program(argv[2], argv[3], argv[4]);
    if (argc != 3) return 64;
    if (strcmp(argv[1], "misuse") == 0) return misuse(argv[2]);
    if (strcmp(argv[1], "threads") == 0) return threads(argv[2]);
    return strcmp(argv[1], "fork") == 0 ? fork_later(argv[2]) : 64;
}
