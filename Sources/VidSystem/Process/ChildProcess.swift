internal import CLinux
import Subprocess
import Synchronization
import SystemPackage

/// A child process with limited time, memory, output and files, whose standard output is consumed as it arrives.
///
/// It is started from a list of arguments, never through a shell, without standard input, in a session of its own. It is killed
/// when its time is up, and always waited for, even if it has closed its pipes. Processes that it started and left behind are
/// killed. It gets its input from files: writing to the pipe of a child that ended early would end this process with SIGPIPE.
package struct ChildProcess: Sendable {
    private let executable: String
    private let arguments: [String]
    private let timeLimit: Duration
    private let outputLimit: Int
    private let memoryLimit: Int
    /// The most bytes in a file that it writes; 0 forbids writing.
    package var fileLimit: Int

    package struct Outcome: Sendable {
        /// The exit code, or 128 + n if signal n ended the child.
        package let status: Int32
        /// The signal that ended the child; nil if it exited.
        package let signal: Int32?
        /// The last 8 KiB of standard error.
        package let errorText: String
        package fileprivate(set) var outputBytes = 0
        package fileprivate(set) var timedOut = false
        package fileprivate(set) var outputExceeded = false

        fileprivate init(_ end: TerminationStatus, errorText: String) {
            (status, signal) =
                switch end {
                case .exited(let code): (code, nil)
                case .signaled(let signal): (128 + signal, signal)
                }
            self.errorText = errorText
        }
    }

    /// - Parameters:
    ///   - timeLimit: the most wall time; also limits the processor time.
    ///   - outputLimit: the most bytes on standard output.
    ///   - memoryLimit: bytes of address space.
    ///   - fileLimit: the most bytes in a file that it writes; 0 forbids writing.
    package init(
        executable: String, arguments: [String], timeLimit: Duration, outputLimit: Int, memoryLimit: Int = 6 << 30, fileLimit: Int = 0
    ) {
        self.executable = executable
        self.arguments = arguments
        self.timeLimit = timeLimit
        self.outputLimit = outputLimit
        self.memoryLimit = memoryLimit
        self.fileLimit = fileLimit
    }

    private struct OutputExceeded: Error {}

    /// The bytes of standard error that are kept.
    private static let errorTail = 8192

    /// Runs the child to its end and passes its output to `consume` piece by piece.
    ///
    /// `deliver` is called after each piece. Meanwhile the child waits as soon as its pipe is full, so the time that `deliver` takes
    /// is added to the child's limit. Throws `.other` if the child cannot be started, `CancellationError` if the task is cancelled,
    /// and the errors of `consume` and `deliver`, after which the child is gone.
    package func run(
        _ consume: (UnsafeRawBufferPointer) throws -> Void, deliver: () async throws -> Void = {}
    ) async throws -> Outcome {
        var options = PlatformOptions()
        options.createSession = true
        let timedOut = Flag()
        var outputBytes = 0
        var outputExceeded = false
        let result: ExecutionResult<String, SequenceOutput, SequenceOutput>
        do {
            result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments),
                // FFREPORT makes ffmpeg write a log file.
                environment: .inherit.updating(["FFREPORT": nil, "AV_LOG_FORCE_NOCOLOR": "1"]),
                platformOptions: options, input: .none, output: .sequence, error: .sequence
            ) { execution in
                let timeLimit = timeLimit
                let process = execution.processIdentifier.value
                LiveChildren.insert(process)
                defer { LiveChildren.remove(process) }
                ProcessLimits.apply(
                    to: process, memory: memoryLimit, seconds: max(1, Int(clamping: timeLimit.components.seconds) + 1),
                    fileBytes: fileLimit)
                let waiting = WaitingTime()
                let timer = Task {
                    var time = timeLimit
                    while time > .zero {
                        try await Task.sleep(for: time)
                        time = waiting.take()
                    }
                    timedOut.raise()
                    ChildProcess.killSession(process)
                }
                defer { timer.cancel() }
                async let errorText = ChildProcess.tail(of: execution.standardError)
                do {
                    for try await piece in execution.standardOutput {
                        outputBytes += piece.count
                        guard outputBytes <= outputLimit else { throw OutputExceeded() }
                        try piece.withUnsafeBytes(consume)
                        waiting.begin()
                        try await deliver()
                        waiting.end()
                    }
                } catch {
                    ChildProcess.killSession(process)
                    guard error is OutputExceeded else { throw error }
                    outputExceeded = true
                }
                let text = try await errorText
                // A child can close its pipes and keep running, and one that has ended may have left others behind.
                await ChildProcess.waitForEnd(of: process)
                // guard: grandchildren-killed
                ChildProcess.killSession(process)
                return text
            }
        } catch let error as SubprocessError {
            if Task.isCancelled { throw CancellationError() }
            throw VidclassError.file(executable, "cannot be run: \(error.description.printable)", kind: .other)
        }
        if Task.isCancelled { throw CancellationError() }
        var outcome = Outcome(result.terminationStatus, errorText: result.closureResult)
        outcome.outputBytes = outputBytes
        outcome.timedOut = timedOut.isRaised
        outcome.outputExceeded = outputExceeded
        return outcome
    }

    /// Runs the child with the socket `input` as its standard input and without standard output, while `body` talks with it through
    /// the socket's other end. Then the child is killed if it is still running.
    ///
    /// It has no time limit: `body` kills a child that takes too long. `input` is closed here once the child has it. Throws `.other` if the
    /// child cannot be started.
    package func converse(input: Int32, _ body: (RunningChild) async -> Void) async throws -> Outcome {
        var options = PlatformOptions()
        options.createSession = true
        let result: ExecutionResult<String, DiscardedOutput, SequenceOutput>
        do {
            result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments),
                // A crash is reported by its signal; a backtrace would need to open files. One arena never asks the system whether it may shrink.
                environment: .inherit.updating(["SWIFT_BACKTRACE": "enable=no", "MALLOC_ARENA_MAX": "1"]),
                platformOptions: options, input: .fileDescriptor(FileDescriptor(rawValue: input), closeAfterSpawningProcess: true),
                output: .discarded, error: .sequence
            ) { execution in
                let process = execution.processIdentifier.value
                LiveChildren.insert(process)
                defer { LiveChildren.remove(process) }
                ProcessLimits.apply(to: process, memory: vc_is_sanitized() != 0 ? nil : memoryLimit, seconds: nil, fileBytes: fileLimit)
                async let errorText = ChildProcess.tail(of: execution.standardError)
                let child = RunningChild(process)
                await body(child)
                child.kill()
                let text = try await errorText
                await ChildProcess.waitForEnd(of: process)
                ChildProcess.killSession(process)
                child.forget()
                return text
            }
        } catch let error as SubprocessError {
            throw VidclassError.file(executable, "cannot be run: \(error.description.printable)", kind: .other)
        }
        return Outcome(result.terminationStatus, errorText: result.closureResult)
    }

    /// Runs the child to its end and returns its output as text.
    package func text() async throws -> (Outcome, text: String) {
        var bytes: [UInt8] = []
        let outcome = try await run { bytes.append(contentsOf: $0) }
        return (outcome, String(decoding: bytes, as: UTF8.self))
    }

    private static func tail(of sequence: SubprocessOutputSequence) async throws -> String {
        var bytes: [UInt8] = []
        for try await piece in sequence {
            piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
            if bytes.count > 4 * errorTail { bytes.removeFirst(bytes.count - errorTail) }
        }
        return String(decoding: bytes.suffix(errorTail), as: UTF8.self)
    }

    /// Returns when the child has ended, by itself or killed by the timer or a cancellation. The child is not reaped, so that no other
    /// process can get its number.
    private static func waitForEnd(of process: pid_t) async {
        var pause = Duration.milliseconds(1)
        while true {
            var information = siginfo_t()
            let status = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
            guard status == 0 || errno == EINTR else { return }
            // The signal number stays 0 while the child is running.
            if status == 0, information.si_signo != 0 { return }
            guard (try? await Task.sleep(for: pause)) != nil else { return killSession(process) }
            pause = min(pause * 2, .milliseconds(20))
        }
    }

    /// Kills the child and the processes that it started: it leads its session and therefore its process group.
    fileprivate static func killSession(_ process: pid_t) {
        guard process > 1 else { return }
        kill(-process, SIGKILL)
    }
}

/// The running children, so that a signal that ends this process can end them too. In sessions of their own, they get no signals
/// from the terminal.
package enum LiveChildren {
    private static let processes = Mutex<Set<pid_t>>([])

    fileprivate static func insert(_ process: pid_t) { processes.withLock { _ = $0.insert(process) } }
    fileprivate static func remove(_ process: pid_t) { processes.withLock { _ = $0.remove(process) } }

    /// Kills the children and the processes that they started.
    package static func kill() { processes.withLock { $0.forEach(ChildProcess.killSession) } }
}

extension ChildProcess {
    /// The folders of a `PATH`; those of a system without one if it is nil.
    package static func folders(_ path: String?) -> [String] {
        (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
    }

    /// The first program of this name in `folders`; nil if there is none.
    package static func program(_ name: String, in folders: [String]) -> String? {
        folders.lazy.map { PathText.join($0, name) }.first(where: isProgram)
    }

    /// The program that a shell would start by this name; nil if there is none.
    package static func installed(_ name: String) -> String? { program(name, in: folders(getenv("PATH").map { String(cString: $0) })) }

    /// Whether there is a file at `path` that this process may execute.
    package static func isProgram(_ path: String) -> Bool {
        (try? SystemCall.status(path))?.kind == .file && access(path, X_OK) == 0
    }
}

/// Limits of this process, and of a child process that works on an untrusted file.
package enum ProcessLimits {
    /// Files that this process itself opens: clips, tables, the event loop's.
    private static let ownFiles = 32
    /// Files that a child takes while it is started and read: both ends of its pipes, and those that report its end.
    private static let filesPerChild = 10
    /// Children that the least number of files must be enough for.
    private static let leastChildren = 6
    /// The least memory with which threads can be started and errors be said.
    private static let leastMemory = 192 << 20
    /// The least stack of a thread.
    private static let leastStack = 512 << 10

    /// The files that this process may open at a time.
    private static var openFiles: Int { Int(clamping: vc_raise_file_limit(0)) }

    /// Raises the limit of open files as far as the system lets it, before anything is opened, and refuses limits under which the libraries
    /// would trap. Only programs of our own call this: a library leaves its host's limits alone.
    ///
    /// - Throws: `.inputOutput` for too few files, `.other` for too little memory.
    package static func prepareThisProcess() throws(VidclassError) {
        let least = ownFiles + leastChildren * filesPerChild
        // 65536 at most: some programs close every number up to the limit when they start a child.
        let openFiles = Int(clamping: vc_raise_file_limit(1 << 16))
        guard openFiles >= least else {
            throw VidclassError(
                .inputOutput,
                "the system lets this process open only \(openFiles) files at a time, and vidclass needs \(least). Raise the limit: "
                    + "ulimit -n \(least), or as root in /etc/security/limits.conf")
        }
        let stack = Int(clamping: vc_stack_limit())
        guard stack >= leastStack else {
            throw VidclassError(
                .other,
                "the system gives this process's threads only \(stack >> 10) KiB of stack, and vidclass needs \(leastStack >> 10). "
                    + "Raise the limit: ulimit -s 8192")
        }
        try requireMemory()
    }

    /// Refuses to go on where the limits of this process leave so little memory that the Swift library would trap.
    ///
    /// - Throws: `.other`.
    package static func requireMemory() throws(VidclassError) {
        let left = Machine.limitedBytes
        guard left >= leastMemory else {
            throw VidclassError(
                .other,
                "out of memory: this process's limits (ulimit -v, -d) leave \(max(0, left) >> 20) MiB, and vidclass needs at least "
                    + "\(leastMemory >> 20). \(Machine.memoryAdvice).")
        }
    }

    /// The children that may run at a time where `wanted` are asked for: fewer if the open files do not suffice.
    package static func children(_ wanted: Int) -> Int { max(1, min(wanted, (openFiles - ownFiles) / filesPerChild)) }

    /// Limits the process from now on to `memory` bytes of address space, `seconds` of processor time (nil to leave that), and files of at
    /// most `fileBytes`. Does nothing if the process has ended.
    static func apply(to process: Int32, memory: Int?, seconds: Int?, fileBytes: Int = 0) {
        _ = vc_limit_process(process, memory.map(UInt64.init) ?? .max, seconds.map(UInt64.init) ?? .max, UInt64(fileBytes))
    }
}

/// A Boolean that is set once, from any thread.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func raise() { value.store(true, ordering: .releasing) }
    var isRaised: Bool { value.load(ordering: .acquiring) }
}

/// The total time that a child waits for its reader.
private final class WaitingTime: Sendable {
    private struct State {
        var since: ContinuousClock.Instant?
        var total = Duration.zero
    }

    private let state = Mutex(State())

    func begin() { state.withLock { $0.since = .now } }

    func end() {
        state.withLock {
            if let since = $0.since { $0.total += .now - since }
            $0.since = nil
        }
    }

    /// The time waited since the last call.
    func take() -> Duration {
        state.withLock {
            var time = $0.total
            if let since = $0.since {
                let now = ContinuousClock.now
                time += now - since
                $0.since = now
            }
            $0.total = .zero
            return time
        }
    }
}
