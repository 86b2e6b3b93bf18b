#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int vc_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int vc_processor_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

static uint64_t soft_limit(int resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur;
}

uint64_t vc_address_space_limit(void) { return soft_limit(RLIMIT_AS); }

uint64_t vc_data_limit(void) { return soft_limit(RLIMIT_DATA); }

uint64_t vc_stack_limit(void) { return soft_limit(RLIMIT_STACK); }

uint64_t vc_raise_file_limit(uint64_t most) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return UINT64_MAX;
    const rlim_t target = limit.rlim_max < most ? limit.rlim_max : (rlim_t)most;
    if (limit.rlim_cur < target) {
        limit.rlim_cur = target;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return soft_limit(RLIMIT_NOFILE);
}

int vc_limit_process(int32_t pid, uint64_t memory, uint64_t seconds, uint64_t file_bytes) {
    const struct { int resource; rlim_t value; } limits[] = {
        {RLIMIT_AS, memory}, {RLIMIT_CPU, seconds}, {RLIMIT_FSIZE, file_bytes}, {RLIMIT_CORE, 0}};
    int error = 0;
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct rlimit limit = {limits[i].value, limits[i].value};
        if (limits[i].value == RLIM_INFINITY) continue;
        if (prlimit(pid, limits[i].resource, &limit, 0) != 0 && error == 0) error = errno;
    }
    return error;
}

int vc_limit_processor_time(int32_t pid, uint64_t seconds) {
    clockid_t clock;
    struct timespec used;
    const int error = clock_getcpuclockid(pid, &clock);
    if (error != 0) return error;
    if (clock_gettime(clock, &used) != 0) return errno;
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_CPU, NULL, &limit) != 0) return errno;
    const rlim_t target = (rlim_t)used.tv_sec + seconds;
    // The sum overflows for no limit at all.
    limit.rlim_cur = target < seconds || target > limit.rlim_max ? limit.rlim_max : target;
    return prlimit(pid, RLIMIT_CPU, &limit, NULL) == 0 ? 0 : errno;
}
