#include "CCairo.h"

#include "CLazyLibrary.h"

#include <pthread.h>

// The functions that Swift calls: result, name, parameters, arguments. Each gets a definition of its name here, for this program alone, that
// calls the library's.
#define VC_CAIRO(FUNCTION)                                                                                                              \
    FUNCTION(cairo_t *, cairo_create, (cairo_surface_t *target), (target))                                                              \
    FUNCTION(void, cairo_destroy, (cairo_t *cr), (cr))                                                                                  \
    FUNCTION(void, cairo_fill, (cairo_t *cr), (cr))                                                                                     \
    FUNCTION(cairo_pattern_t *, cairo_get_source, (cairo_t *cr), (cr))                                                                  \
    FUNCTION(cairo_surface_t *, cairo_image_surface_create, (cairo_format_t format, int width, int height), (format, width, height))    \
    FUNCTION(unsigned char *, cairo_image_surface_get_data, (cairo_surface_t *surface), (surface))                                      \
    FUNCTION(int, cairo_image_surface_get_stride, (cairo_surface_t *surface), (surface))                                                \
    FUNCTION(void, cairo_move_to, (cairo_t *cr, double x, double y), (cr, x, y))                                                        \
    FUNCTION(void, cairo_pattern_set_extend, (cairo_pattern_t *pattern, cairo_extend_t extend), (pattern, extend))                      \
    FUNCTION(void, cairo_pattern_set_filter, (cairo_pattern_t *pattern, cairo_filter_t filter), (pattern, filter))                      \
    FUNCTION(void, cairo_rectangle, (cairo_t *cr, double x, double y, double width, double height), (cr, x, y, width, height))          \
    FUNCTION(void, cairo_restore, (cairo_t *cr), (cr))                                                                                  \
    FUNCTION(void, cairo_rotate, (cairo_t *cr, double angle), (cr, angle))                                                              \
    FUNCTION(void, cairo_save, (cairo_t *cr), (cr))                                                                                     \
    FUNCTION(void, cairo_scale, (cairo_t *cr, double sx, double sy), (cr, sx, sy))                                                      \
    FUNCTION(void, cairo_select_font_face, (cairo_t *cr, const char *family, cairo_font_slant_t slant, cairo_font_weight_t weight),     \
        (cr, family, slant, weight))                                                                                                    \
    FUNCTION(void, cairo_set_font_size, (cairo_t *cr, double size), (cr, size))                                                         \
    FUNCTION(void, cairo_set_source_rgba, (cairo_t *cr, double red, double green, double blue, double alpha),                           \
        (cr, red, green, blue, alpha))                                                                                                  \
    FUNCTION(void, cairo_set_source_surface, (cairo_t *cr, cairo_surface_t *surface, double x, double y), (cr, surface, x, y))          \
    FUNCTION(void, cairo_show_text, (cairo_t *cr, const char *utf8), (cr, utf8))                                                        \
    FUNCTION(const char *, cairo_status_to_string, (cairo_status_t status), (status))                                                   \
    FUNCTION(void, cairo_surface_destroy, (cairo_surface_t *surface), (surface))                                                        \
    FUNCTION(void, cairo_surface_flush, (cairo_surface_t *surface), (surface))                                                          \
    FUNCTION(void, cairo_surface_mark_dirty, (cairo_surface_t *surface), (surface))                                                     \
    FUNCTION(cairo_status_t, cairo_surface_write_to_png_stream, (cairo_surface_t *surface, cairo_write_func_t write_func, void *closure),\
        (surface, write_func, closure))                                                                                                 \
    FUNCTION(void, cairo_text_extents, (cairo_t *cr, const char *utf8, cairo_text_extents_t *extents), (cr, utf8, extents))             \
    FUNCTION(void, cairo_translate, (cairo_t *cr, double tx, double ty), (cr, tx, ty))                                                  \
    FUNCTION(const char *, cairo_version_string, (void), ())

#define DEFINE(result, name, parameters, arguments) \
    static __typeof__(name) *library_##name;        \
    __attribute__((visibility("hidden"))) result name parameters { return library_##name arguments; }
VC_CAIRO(DEFINE)

static const char *const files[] = {"libcairo.so.2", NULL};
static pthread_once_t once = PTHREAD_ONCE_INIT;
/// Empty after it is loaded.
static char fault[256] = "not tried";

static void load(void) {
#define SYMBOL(result, name, parameters, arguments) {#name, &library_##name},
    const struct vc_lazy_symbol symbols[] = {VC_CAIRO(SYMBOL)};
    void *libraries[2] = {vc_lazy_open(files, fault, sizeof fault)};
    if (libraries[0] && vc_lazy_find(libraries, symbols, sizeof symbols / sizeof *symbols, fault, sizeof fault) == 0) fault[0] = '\0';
}

const char *vc_cairo_load(void) {
    pthread_once(&once, load);
    return fault[0] == '\0' ? NULL : fault;
}

const char *vc_cairo_version(void) { return vc_cairo_load() ? NULL : cairo_version_string(); }
