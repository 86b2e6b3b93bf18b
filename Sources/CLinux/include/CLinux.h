// System calls that Swift cannot call directly.
#pragma once

#include <stdint.h>

#include "vc_sandbox.h"
#include "vc_transport.h"

/// Limits the process `pid` from now on: `memory` bytes of address space, `seconds` of processor time, files of at most `file_bytes`
/// bytes, no core dump. UINT64_MAX leaves a limit as it is. Returns 0, or the errno of the first call that failed.
int vc_limit_process(int32_t pid, uint64_t memory, uint64_t seconds, uint64_t file_bytes);

/// Processors this process may run on (its affinity mask), at least 1.
int vc_processor_count(void);

/// The descriptor of a new file in memory that is in no folder; -1 and errno if that fails.
int vc_memory_file(const char *name);

/// The most bytes of address space (RLIMIT_AS) that this process may have; UINT64_MAX if there is no limit.
uint64_t vc_address_space_limit(void);

/// The most bytes of private writable memory (RLIMIT_DATA) that this process may have; UINT64_MAX if there is no limit.
uint64_t vc_data_limit(void);

/// The most bytes of a thread's stack (RLIMIT_STACK); UINT64_MAX if there is no limit.
uint64_t vc_stack_limit(void);

/// Raises the number of files that this process may open at a time to the hard limit, but not above `most`. Returns the number that
/// holds now.
uint64_t vc_raise_file_limit(uint64_t most);

/// Limits the processor time of the process `pid` to what it has used so far and `seconds` more, after which it is killed by SIGXCPU; the limit
/// can be moved again. Returns 0 or an errno.
int vc_limit_processor_time(int32_t pid, uint64_t seconds);
