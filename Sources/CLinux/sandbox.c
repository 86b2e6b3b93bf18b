#define _GNU_SOURCE
#include "vc_sandbox.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <iconv.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What the C library opens at its first use, opened now. Afterwards it needs no file for the same.
static void open_what_the_library_opens_later(void) {
    // One arena: a thread's own arenas ask /proc whether they may shrink.
    mallopt(M_ARENA_MAX, 1);
    // The unwinder, for the end of threads.
    void *frames[4];
    backtrace(frames, 4);
    // The time zone, also for gmtime.
    setenv("TZ", "UTC0", 1);
    tzset();
    // The character sets of broadcasts (ETSI EN 300 468, annex A). A converter that stays open keeps its module loaded.
    static const char *const sets[] = {
        "ISO6937", "ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-9",
        "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "UCS-2BE", "UTF-16BE", "KSC_5601", "GB2312", "BIG5", "UTF-8"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) (void)iconv_open("UTF-8", sets[i]);
}

// Leaves standard input and standard error. Standard output becomes /dev/null, so that no file takes its number.
static int close_files(void) {
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0) return errno;
    if (syscall(SYS_close_range, 3, ~0U, 0) == 0) return 0;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno;
    for (rlim_t file = 3; file < files.rlim_cur && file < 1 << 20; file++) close((int)file);
    return 0;
}

// Landlock (Linux 5.13), by the kernel's own numbers: older headers lack some. Later versions of the interface add fields at the end.
enum { landlock_create = 444, landlock_restrict = 446, landlock_version = 1 };

struct landlock_rules {
    uint64_t files, network, scopes;
};

// Forbids all files and, with newer kernels, network connections and signals. Without Landlock the system call filter forbids them alone.
static int forbid_files(void) {
    const long version = syscall(landlock_create, NULL, 0, landlock_version);
    if (version < 1) return 0;
    const uint64_t files = version >= 5 ? (1 << 16) - 1 : version >= 3 ? (1 << 15) - 1 : version >= 2 ? (1 << 14) - 1 : (1 << 13) - 1;
    const struct landlock_rules rules = {files, version >= 4 ? 3 : 0, version >= 6 ? 3 : 0};
    const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    const long ruleset = syscall(landlock_create, &rules, size, 0);
    if (ruleset < 0) return errno;
    const long status = syscall(landlock_restrict, ruleset, 0);
    const int error = status == 0 ? 0 : errno;
    close((int)ruleset);
    return error;
}

// System calls that are allowed whatever their arguments. A name that the architecture does not have is passed over.
static const char *const allowed[] = {
    "read", "write", "readv", "writev", "pread64", "preadv", "lseek", "_llseek", "recvmsg", "sendmsg", "close", "dup", "poll", "ppoll", "ppoll_time64",
    "munmap", "mremap", "madvise", "brk", "futex", "futex_time64", "set_robust_list", "rseq", "sigaltstack", "rt_sigprocmask", "rt_sigaction",
    "rt_sigreturn", "sigreturn", "sched_getaffinity", "sched_yield", "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday",
    "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "getpid", "gettid", "getrandom", "sysinfo", "exit", "exit_group", "restart_syscall"};

// Adds a rule with one comparison, if the architecture has the call.
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, struct scmp_arg_cmp comparison) {
    const int call = seccomp_syscall_resolve_name(name);
    return call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, call, 1, comparison);
}

static int forbid_calls(void) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL) return ENOMEM;
    int status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (status == 0) status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && status == 0; i++) {
        const int call = seccomp_syscall_resolve_name(allowed[i]);
        if (call != __NR_SCMP_ERROR) status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
    const char *const maps[] = {"mmap", "mmap2", "mprotect"};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0] && status == 0; i++)
        // guard: code-of-readers, without: PROT_EXEC -> 0
        status = add(filter, SCMP_ACT_ALLOW, maps[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    // Threads only. The flags of clone3 are in memory and cannot be checked; without it the C library uses clone.
    const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    if (status == 0) status = add(filter, SCMP_ACT_ALLOW, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)CLONE_DETACHED, thread));
    const int clone3 = seccomp_syscall_resolve_name("clone3");
    if (status == 0 && clone3 != __NR_SCMP_ERROR) status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    // Names of threads and, in newer C libraries, of memory.
    if (status == 0) status = add(filter, SCMP_ACT_ALLOW, "prctl", SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
    if (status == 0) status = add(filter, SCMP_ACT_ERRNO(EINVAL), "prctl", SCMP_A0(SCMP_CMP_EQ, 0x53564d41 /* PR_SET_VMA */, 0));
    // Its own end, as abort does it.
    if (status == 0) status = add(filter, SCMP_ACT_ALLOW, "tgkill", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    // guard: calls-of-readers
    if (status == 0) status = seccomp_load(filter);
    seccomp_release(filter);
    return -status;
}

int vc_is_sanitized(void) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return 1;
#endif
#endif
    return 0;
}

int vc_enter_sandbox(const char **step) {
    if (vc_is_sanitized()) return 0;
    open_what_the_library_opens_later();
    *step = "close its files";
    int error = close_files();
    if (error != 0) return error;
    *step = "no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    *step = "Landlock";
    if ((error = forbid_files()) != 0) return error;
    *step = "seccomp";
    return forbid_calls();
}

static void *nothing(void *argument) { return argument; }

int vc_try(const char *what) {
    if (strcmp(what, "exec") == 0) {
        char *const arguments[] = {"true", NULL};
        return execve("/bin/true", arguments, NULL);
    }
    if (strcmp(what, "fork") == 0) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        return child > 0 && waitpid(child, NULL, 0) == child ? 0 : -1;
    }
    if (strcmp(what, "trace") == 0) return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
    if (strcmp(what, "code") == 0)
        return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
    // Address space is what is limited; nothing is written.
    for (size_t taken = 0; strcmp(what, "memory") == 0 && taken < (size_t)1 << 40; taken += 1 << 28)
        if (mmap(NULL, 1 << 28, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED) return -1;
    pthread_t thread;
    return strcmp(what, "thread") == 0 && pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 0 : -1;
}
