// The sandbox of a process that parses files from strangers.
#pragma once

/// Takes from this process, for good, everything that parsing an open file does not need.
///
/// Afterwards it has standard input and standard error, and no other file. It can read and write these and what it receives through
/// them, map memory that is not executable, use threads and its clock, and exit. Any other system call, above all one that opens a file or a
/// socket, starts a program or signals another process, kills it with SIGSYS. Where the kernel has Landlock, that forbids all files, too.
/// Call it while the process has one thread.
///
/// Returns 0, or an errno and in `*step` what failed; the process must then parse nothing.
int vc_enter_sandbox(const char **step);

/// Whether this program was built with a sanitizer, which needs files and much address space of its own: then the sandbox lets everything
/// through.
int vc_is_sanitized(void);

/// For tests: tries what a sandbox forbids ("exec", "fork", "trace", "code" for executable memory) or allows ("thread", and "memory", which
/// takes all address space up to 1 TiB). Returns 0 if it worked.
int vc_try(const char *what);
