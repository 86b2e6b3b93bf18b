#include "CLazyLibrary.h"

#include <dlfcn.h>
#include <stdio.h>

void *vc_lazy_open(const char *const *files, char *message, size_t size) {
    for (int i = 0; files[i]; i++) {
        // The library's symbols are for nobody else, and its functions are bound when they are first called.
        void *library = dlopen(files[i], RTLD_LAZY | RTLD_LOCAL);
        if (library) return library;
        // The message is about the first name, which is the usual one.
        const char *reason = dlerror();
        if (i == 0) snprintf(message, size, "%s", reason ? reason : files[i]);
    }
    return NULL;
}

int vc_lazy_find(void *const *libraries, const struct vc_lazy_symbol *symbols, size_t count, char *message, size_t size) {
    for (size_t i = 0; i < count; i++) {
        void *found = NULL;
        for (int j = 0; libraries[j] && !found; j++) found = dlsym(libraries[j], symbols[i].name);
        if (!found) {
            snprintf(message, size, "the installed version has no %s", symbols[i].name);
            return -1;
        }
        *(void **)symbols[i].place = found;
    }
    return 0;
}
