// What a process is before and after it loads libvidclass.so and predicts with it; LibraryTests builds and runs this, without linking the
// library: host LIBRARY MODEL CLIP.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vidclass.h>

extern char **environ;

// The part of a sigaction that the kernel fills.
typedef struct {
    void (*handler)(int);
    unsigned long mask;
    long flags;
} action;

// What a library could change in its process.
typedef struct {
    char environment[1 << 16];
    action actions[65];
    sigset_t mask;
    struct rlimit limits[RLIM_NLIMITS];
    cpu_set_t processors;
    mode_t umask;
    int rounding, threads;
    char directory[4096], locale[256];
} process_state;

static int thread_count(void) {
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void take(process_state *state) {
    memset(state, 0, sizeof *state);
    size_t used = 0;
    for (char **variable = environ; *variable != NULL; variable++)
        used += (size_t)snprintf(state->environment + used, sizeof state->environment - used, "%s\n", *variable);
    for (int number = 1; number <= 64; number++) {
        struct sigaction found;
        if (sigaction(number, NULL, &found) != 0) continue;
        state->actions[number].handler = found.sa_handler;
        memcpy(&state->actions[number].mask, &found.sa_mask, sizeof(unsigned long));
        state->actions[number].flags = found.sa_flags;
    }
    pthread_sigmask(SIG_BLOCK, NULL, &state->mask);
    for (unsigned kind = 0; kind < RLIM_NLIMITS; kind++) getrlimit((__rlimit_resource_t)kind, &state->limits[kind]);
    sched_getaffinity(0, sizeof state->processors, &state->processors);
    umask(state->umask = umask(0));
    state->rounding = fegetround();
    state->threads = thread_count();
    if (getcwd(state->directory, sizeof state->directory) == NULL) exit(2);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
}

#define SAME(member) (memcmp(&before.member, &after.member, sizeof before.member) == 0)
static process_state before, after;

static int expect_unchanged(const char *when) {
    int faults = 0;
#define CHECK(member)                                                                                                  \
    if (!SAME(member)) {                                                                                               \
        printf("%s: %s has changed\n", when, #member);                                                                 \
        faults++;                                                                                                      \
    }
    CHECK(environment) CHECK(actions) CHECK(mask) CHECK(limits) CHECK(processors) CHECK(umask) CHECK(rounding) CHECK(directory)
    CHECK(locale)
    return faults;
}

// Loading changes nothing and starts no thread; predicting changes nothing that stays, and shows no other library's functions.
int main(int argc, char **argv) {
    if (argc != 4) return 64;
    const char *library = argv[1], *path = argv[2], *clip = argv[3];
    take(&before);
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    if (handle == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    take(&after);
    int faults = expect_unchanged("after loading");
    if (after.threads != before.threads) {
        printf("loading has started %d threads\n", after.threads - before.threads);
        faults++;
    }
    const char *hidden[] = {"cblas_sgemm", "sgemm_", "openblas_set_num_threads", "LAPACKE_sgeqrf", "vc_sgemm", "vc_set_error_text"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (dlsym(handle, hidden[i]) != NULL) {
            printf("the library shows %s\n", hidden[i]);
            faults++;
        }
    }
    int (*load)(const char *, int, vidclass_model **) = (int (*)(const char *, int, vidclass_model **))dlsym(handle, "vidclass_load");
    int (*predict)(vidclass_model *, const char *, float *, size_t) =
        (int (*)(vidclass_model *, const char *, float *, size_t))dlsym(handle, "vidclass_predict_file");
    size_t (*count)(const vidclass_model *) = (size_t (*)(const vidclass_model *))dlsym(handle, "vidclass_class_count");
    const char *(*text)(void) = (const char *(*)(void))dlsym(handle, "vidclass_error_text");
    vidclass_model *model;
    float scores[64];
    if (load(path, 2, &model) != VIDCLASS_OK || predict(model, clip, scores, count(model)) != VIDCLASS_OK) {
        printf("%s\n", text());
        return 1;
    }
    take(&after);
    return faults + expect_unchanged("after predicting") > 0;
}
