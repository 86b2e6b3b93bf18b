/* Classifies frames in memory, or a file, with a trained model:
 *
 *     classify MODEL [CLIP]
 *
 *     cc classify.c -I/usr/local/include -L/usr/local/lib -lvidclass -o classify
 */
#include <stdio.h>
#include <stdlib.h>
#include <vidclass.h>

static int fail(const char *action) {
    fprintf(stderr, "classify: %s: %s\n", action, vidclass_error_text());
    return 1;
}

/* Grey noise in the size of the model, in place of a camera's frames. */
static int predict_noise(vidclass_model *model, float *scores, size_t classes) {
    vidclass_frames extents;
    int code = vidclass_input(model, &extents);
    if (code != VIDCLASS_OK) return code;
    size_t count = extents.frames * extents.channels * extents.rows * extents.columns;
    uint8_t *frames = malloc(count);
    if (frames == NULL) return VIDCLASS_OTHER;
    unsigned state = 1;
    for (size_t i = 0; i < count; i++) frames[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
    code = vidclass_predict_bytes(model, frames, count, &extents, scores, classes);
    free(frames);
    return code;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: classify MODEL [CLIP]\n");
        return 64;
    }
    vidclass_model *model;
    if (vidclass_load(argv[1], 0, &model) != VIDCLASS_OK) return fail(argv[1]);
    size_t classes = vidclass_class_count(model);
    float *scores = calloc(classes, sizeof *scores);
    int status = 1;
    if (scores != NULL) {
        int code = argc > 2 ? vidclass_predict_file(model, argv[2], scores, classes) : predict_noise(model, scores, classes);
        status = code == VIDCLASS_OK ? 0 : fail(argc > 2 ? argv[2] : "noise");
        for (size_t i = 0; status == 0 && i < classes; i++) printf("%.9g %s\n", scores[i], vidclass_label(model, i));
    }
    free(scores);
    vidclass_free(model);
    return status;
}
