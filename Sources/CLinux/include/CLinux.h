// Bounds on a child process, and what comes out of it.
#ifndef VC_PROCESS_H
#define VC_PROCESS_H

#include <stdint.h>

/// Bounds process `pid` from now on: `memory` bytes of address space, `seconds` of processor time, `file_bytes` a file, no
/// core dump. Does nothing where the system has no such call. Returns 0, or the errno of the first call that failed.
int vc_limit_process(int32_t pid, uint64_t memory, uint64_t seconds, uint64_t file_bytes);

/// A descriptor of a new file in memory that has no place in any folder; -1 with errno where the system has none such.
int vc_memory_file(const char *name);

/// Bytes of address space that this process may have; UINT64_MAX where nothing limits them.
uint64_t vc_address_space_limit(void);

#endif
