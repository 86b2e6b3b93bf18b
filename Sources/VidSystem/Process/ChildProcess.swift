import Subprocess
import Synchronization
import SystemPackage

/// A child process whose standard output is taken as it comes and whose time, output and memory have bounds.
///
/// It is started from a list of arguments, never through a shell, with no standard input, in a session of its own. Past
/// its time it is killed; in every case it is waited for, also where it has closed its pipes and stays, and what it started and
/// left behind is killed. On Linux its memory, processor time and
/// writing of files are bounded as soon as it has started. What it is to read is a file: writing to the pipe of a child that
/// ended without reading it would end this process with SIGPIPE.
package struct ChildProcess: Sendable {
    package var executable: String
    package var arguments: [String]
    package var timeLimit: Duration
    /// The most bytes it may write to standard output.
    package var outputLimit: Int
    /// Bytes of address space.
    package var memoryLimit: Int
    /// The most bytes that a file it writes may have.
    package var fileLimit: Int

    package struct Outcome: Sendable {
        /// 0 = success; 128 + n = ended by signal n.
        package var status: Int32
        /// The end of what it wrote to standard error.
        package var errorText: String
        package var outputBytes: Int
        package var timedOut: Bool
        package var outputExceeded: Bool
    }

    /// - Parameters:
    ///   - outputLimit: the most bytes it may write to standard output.
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

    /// What is kept of standard error.
    private static let errorTail = 8192

    /// Runs the child to its end, handing its output to `consume` piece by piece. `deliver` is called after each piece; the
    /// child, which waits for it once its pipe is full, is given the time it takes on top of its own.
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
                // FFREPORT would make ffmpeg write a log file.
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
                // A child may have closed its pipes and stay, and one that has ended may have left others behind.
                await ChildProcess.waitForEnd(of: process)
                ChildProcess.killSession(process)
                return text
            }
        } catch let error as SubprocessError {
            if Task.isCancelled { throw CancellationError() }
            throw VidclassError.file(executable, "cannot run it: \(error.description.printable)", kind: .other)
        }
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        if Task.isCancelled { throw CancellationError() }
        return Outcome(
            status: status, errorText: result.closureResult, outputBytes: outputBytes, timedOut: timedOut.isRaised,
            outputExceeded: outputExceeded)
    }

    /// Runs the child and returns its output as text.
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

    /// Returns when the child has ended, by itself or killed by the timer or a cancellation. It is left to be reaped: until then
    /// no other process gets its number.
    private static func waitForEnd(of process: pid_t) async {
        var pause = Duration.milliseconds(1)
        while true {
            var information = siginfo_t()
            let status = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
            guard status == 0 || errno == EINTR else { return }
            // A number of 0 in what comes back: it goes on.
            if status == 0, hasEnded(information) { return }
            guard (try? await Task.sleep(for: pause)) != nil else { return killSession(process) }
            pause = min(pause * 2, .milliseconds(20))
        }
    }

    private static func hasEnded(_ information: siginfo_t) -> Bool { information.si_signo != 0 }

    /// The child leads its session, hence its process group; what it started goes with it.
    fileprivate static func killSession(_ process: pid_t) {
        guard process > 1 else { return }
        kill(-process, SIGKILL)
    }
}

/// The children that run now, so that a signal that ends this process ends them, too: being in sessions of their own, they get
/// none from the terminal.
package enum LiveChildren {
    private static let processes = Mutex<Set<pid_t>>([])

    fileprivate static func insert(_ process: pid_t) { processes.withLock { _ = $0.insert(process) } }
    fileprivate static func remove(_ process: pid_t) { processes.withLock { _ = $0.remove(process) } }

    /// Kills them with what they started.
    package static func kill() { processes.withLock { $0.forEach(ChildProcess.killSession) } }
}

/// A Boolean that is set once, from any thread.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func raise() { value.store(true, ordering: .releasing) }
    var isRaised: Bool { value.load(ordering: .acquiring) }
}

/// Adds up the time in which a child waits for its reader.
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

    /// The time waited since this was last asked.
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
