internal import CLinux

/// Bounds on a child process that works on a stranger's file.
package enum ProcessLimits {
    /// From now on the process may have `memory` bytes of address space and `seconds` of processor time, and may write
    /// files of `fileBytes` at most, by default none. Where the system cannot do this (it is Linux's `prlimit`), or the
    /// process has ended, nothing happens.
    package static func apply(to process: Int32, memory: Int, seconds: Int, fileBytes: Int = 0) {
        _ = vc_limit_process(process, UInt64(memory), UInt64(seconds), UInt64(fileBytes))
    }

    /// The same for this process, which may have `memory` bytes more than it has now and also ends after `seconds` by the clock.
    package static func applyToThisProcess(memory: Int, seconds: Int) {
        apply(to: getpid(), memory: memory + Machine.addressSpaceBytes, seconds: seconds)
        alarm(UInt32(clamping: seconds))
    }
}
