// The text behind vidclass_error_text, for the library's own use.
#pragma once

/// Keeps the first 4095 bytes of `text`, or as many as end with a whole character, as the calling thread's last error.
void vc_set_error_text(const char *text);

/// The calling thread's last error.
const char *vc_error_text(void);
