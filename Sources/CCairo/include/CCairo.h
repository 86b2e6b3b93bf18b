// cairo, which draws pictures and is loaded when it is first needed.
#pragma once

#if __has_include(<cairo.h>)
#include <cairo.h>
#else
#include <cairo/cairo.h>  // Debian's place
#endif

/// Loads the library. Returns NULL; or in one line why it cannot be loaded, and then no function of cairo may be called.
const char *vc_cairo_load(void);

/// The library's version, as "1.16.0"; NULL where it cannot be loaded.
const char *vc_cairo_version(void);
