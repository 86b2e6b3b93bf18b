internal import CLinux
import Synchronization

/// A child process between its start and the moment when it is waited for, after which its number may belong to another process.
package final class RunningChild: Sendable {
    private let process: Mutex<pid_t?>

    init(_ process: pid_t) { self.process = Mutex(process) }

    /// Kills the child and the processes that it started.
    package func kill() {
        process.withLock { if let process = $0, process > 1 { _ = Glibc.kill(-process, SIGKILL) } }
    }

    /// Limits the child's processor time to what it has used so far and `time` more.
    func limitProcessorTime(to time: Duration) {
        process.withLock { if let process = $0 { _ = vc_limit_processor_time(process, UInt64(clamping: time.components.seconds + 1)) } }
    }

    /// From now on nothing is done to the process.
    func forget() { process.withLock { $0 = nil } }
}
