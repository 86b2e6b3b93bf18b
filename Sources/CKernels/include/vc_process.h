// Bounds on a child process.
#ifndef VC_PROCESS_H
#define VC_PROCESS_H

#include <stdint.h>

/// Bounds process `pid` from now on: `memory` bytes of address space, `seconds` of processor time, `file_bytes` a file, no
/// core dump. Does nothing where the system has no such call. Returns 0, or the errno of the first call that failed.
int vc_limit_process(int32_t pid, uint64_t memory, uint64_t seconds, uint64_t file_bytes);

#endif
