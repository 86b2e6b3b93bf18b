#pragma once

/// The commit from which the program was built, as `git describe` abbreviates it; "" where the build was not told.
const char *vc_commit(void);
