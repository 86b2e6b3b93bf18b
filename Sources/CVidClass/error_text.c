#include "vidclass_error.h"

#include <string.h>

static _Thread_local char last[4096];

void vc_set_error_text(const char *text) {
    size_t length = strlen(text);
    if (length > sizeof last - 1) {
        length = sizeof last - 1;
        // Not within a character: the bytes behind its first one begin with 10.
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    memcpy(last, text, length);
    last[length] = '\0';
}

const char *vc_error_text(void) { return last; }
