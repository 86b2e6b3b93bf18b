// Shared libraries that are loaded when they are first needed. FFmpeg's libraries bring a hundred others: loading them takes longer than
// most commands do, and the program also starts where they are missing.
//
// A module that calls such a library lists its functions once, in a macro LIST(FUNCTION) that has FUNCTION(name) for each. The list gives
// a structure of function pointers (VC_LAZY_MEMBER) and the table that `vc_lazy_find` fills (VC_LAZY_SYMBOL).
#pragma once

#include <stddef.h>

/// A function or variable of a library, and the pointer that gets its address.
struct vc_lazy_symbol {
    const char *name;
    void *place;
};

#define VC_LAZY_MEMBER(name) __typeof__(name) *name;
/// `name` may be a macro of the library's header for the name of today's version of the function.
#define VC_LAZY_SYMBOL(table, name) VC_LAZY_SYMBOL_(table, name)
#define VC_LAZY_SYMBOL_(table, name) {#name, &table.name},

/// Loads the first of `files` (sonames; NULL ends them) that is there. Returns NULL and writes one line into `message` where none is.
void *vc_lazy_open(const char *const *files, char *message, size_t size);

/// Looks each symbol up in `libraries` (NULL ends them) and those that they bring. Returns 0; or -1 and one line in `message`.
int vc_lazy_find(void *const *libraries, const struct vc_lazy_symbol *symbols, size_t count, char *message, size_t size);
