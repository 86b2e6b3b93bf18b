// Loading FFmpeg's libraries.
#include "media.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct vc_ffmpeg vc_ffmpeg;

// The versions whose headers this file was compiled with: structures have another layout in others.
#define FILE_NAME(library, version) "lib" library ".so." AV_STRINGIFY(version)
static const char *const format_files[] = {FILE_NAME("avformat", LIBAVFORMAT_VERSION_MAJOR), NULL};
static const char *const scaling_files[] = {FILE_NAME("swscale", LIBSWSCALE_VERSION_MAJOR), NULL};
static const char *const resampling_files[] = {FILE_NAME("swresample", LIBSWRESAMPLE_VERSION_MAJOR), NULL};

static pthread_once_t once = PTHREAD_ONCE_INIT;
/// Empty after they are loaded.
static char fault[256] = "not tried";

static void load(void) {
#define SYMBOL(name) VC_LAZY_SYMBOL(ff, name)
    const struct vc_lazy_symbol symbols[] = {VC_FFMPEG(SYMBOL)};
    // libavformat brings libavcodec and libavutil.
    void *libraries[4] = {vc_lazy_open(format_files, fault, sizeof fault)};
    if (libraries[0]) libraries[1] = vc_lazy_open(scaling_files, fault, sizeof fault);
    if (libraries[1]) libraries[2] = vc_lazy_open(resampling_files, fault, sizeof fault);
    if (libraries[2] && vc_lazy_find(libraries, symbols, sizeof symbols / sizeof *symbols, fault, sizeof fault) == 0) fault[0] = '\0';
}

const char *vc_media_load(void) {
    pthread_once(&once, load);
    return fault[0] == '\0' ? NULL : fault;
}

#define PACKAGE(library, version) "lib" library AV_STRINGIFY(version)
const char *vc_media_packages(void) {
    return PACKAGE("avformat", LIBAVFORMAT_VERSION_MAJOR) " " PACKAGE("swscale", LIBSWSCALE_VERSION_MAJOR);
}

const char *vc_media_version(void) {
    static char text[48];
    if (vc_media_load()) return NULL;
    const unsigned version = ff.avcodec_version();
    snprintf(text, sizeof text, "libavcodec %u.%u.%u", AV_VERSION_MAJOR(version), AV_VERSION_MINOR(version), AV_VERSION_MICRO(version));
    return text;
}

void vc_media_prepare(void) {
    if (vc_media_load()) return;
    ff.av_get_cpu_flags();
    ff.av_cpu_count();
    void *place = NULL;
    while (ff.av_demuxer_iterate(&place)) {}
}
