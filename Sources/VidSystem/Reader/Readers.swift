internal import CLinux
import Synchronization

/// The readers: children of this program in which other people's libraries parse files from strangers.
///
/// A reader gets an open file and has nothing else (`vc_enter_sandbox`). It serves one file after another. One that crashed, hung or
/// was stopped in the middle of an answer is thrown away, and the next file gets a new one.
package final class Readers: Sendable {
    /// The readers that all of this process shares.
    package static let shared = Readers()

    /// The subcommand by which this program becomes a reader.
    package static let command = "read"

    /// The most files that a reader serves, so that what its libraries leak stays small.
    private static let filesPerReader = 256

    /// Finds the program that ``shared`` starts as a reader, whenever it starts one; by default a `vidclass` beside this program.
    package static var findProgram: @Sendable () async throws -> String {
        get { finder.withLock { $0 } }
        set { finder.withLock { $0 = newValue } }
    }
    private static let finder = Mutex<@Sendable () async throws -> String>({
        PathText.join(PathText.parent(Folder.resolved("/proc/self/exe")), "vidclass")
    })

    /// The most readers that work at a time.
    package let limit: Int
    private let program: String?
    private let memoryLimit: Int
    private let state = Mutex(State())

    private struct State {
        var idle: [Reader] = []
        var inUse = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
        var next = 0
    }

    /// - Parameters:
    ///   - program: is started with the argument ``command``; nil for what ``Readers/findProgram`` finds.
    ///   - limit: the most readers; nil for the number of processors.
    ///   - memoryLimit: bytes of a reader's address space.
    package init(program: String? = nil, limit: Int? = nil, memoryLimit: Int = 6 << 30) {
        self.program = program
        self.limit = limit ?? ProcessLimits.children(Machine.processorCount)
        self.memoryLimit = memoryLimit
    }

    /// Lets `body` work on the file at `path` with a reader that nobody else uses meanwhile; waits for its turn.
    ///
    /// - Parameters:
    ///   - library: what reads the file, for messages: "the HDF5 library".
    ///   - timeLimit: the longest time that this process waits for the reader.
    ///   - outputLimit: the most bytes that the reader may send.
    /// - Throws: `.badData` about the file (`path`, or that of the session's last request) if the reader did not survive it, `.other` if none can be started, the errors of ``findProgram``, `CancellationError`, and the
    ///   errors of `body`.
    package nonisolated(nonsending) func withReader<Result>(
        for path: String, library: String = "FFmpeg's libraries", timeLimit: Duration, outputLimit: Int = .max,
        _ body: nonisolated(nonsending) (ReaderSession) async throws -> Result
    ) async throws -> Result {
        let inUse = try await takeTurn()
        defer { endTurn() }
        let reader: Reader
        if let idle = idleReader(for: path) {
            reader = idle
        } else {
            let found: String
            if let program { found = program } else { found = try await Readers.findProgram() }
            reader = try await Reader(found, memoryLimit: memoryLimit)
        }
        let session = reader.session
        session.threads = max(1, Machine.processorCount / inUse)
        session.beginRequest(path, timeLimit: timeLimit, outputLimit: outputLimit)
        do {
            let result = try await body(session)
            giveBack(reader)
            return result
        } catch {
            if error is CancellationError || session.failure == .cancelled {
                reader.stop()
                throw CancellationError()
            }
            guard let failure = session.failure else {
                giveBack(reader)
                throw error
            }
            reader.stop()
            throw ReaderEnd(failure: failure, outcome: try? await reader.outcome(), memoryLimit: memoryLimit)
                .error(about: session.path, library: library)
        }
    }

    /// Starts a reader that waits for its first file while this process does something else. Where that fails, the first file says why.
    package func prepare() {
        Task {
            guard (try? await takeTurn()) != nil else { return }
            defer { endTurn() }
            guard state.withLock({ $0.idle.isEmpty }) else { return }
            let found: String? = if let program { program } else { try? await Readers.findProgram() }
            if let found, let reader = try? await Reader(found, memoryLimit: memoryLimit) { giveBack(reader) }
        }
    }

    // MARK: Turns

    /// Waits for a turn; the number of readers in use, with this one.
    private nonisolated(nonsending) func takeTurn() async throws -> Int {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isGranted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    guard state.inUse >= limit else {
                        state.inUse += 1
                        return true
                    }
                    state.waiting.append((number, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).continuation }
            }
            continuation?.resume(returning: false)
        }
        guard isGranted else { throw CancellationError() }
        return state.withLock { $0.inUse }
    }

    private func endTurn() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst().continuation }
            state.inUse -= 1
            return nil
        }
        next?.resume(returning: true)
    }

    /// An idle reader that is still there: if possible the one that had this file last, because it may have it open still.
    private func idleReader(for path: String) -> Reader? {
        func next() -> Reader? {
            state.withLock { state in
                let place = state.idle.lastIndex { $0.session.path == path } ?? state.idle.indices.last
                return place.map { state.idle.remove(at: $0) }
            }
        }
        while let reader = next() {
            if reader.session.isQuiet { return reader }
            reader.stop()
        }
        return nil
    }

    private func giveBack(_ reader: Reader) {
        guard reader.session.isSettled, reader.session.requests < Readers.filesPerReader else { return reader.stop() }
        state.withLock { $0.idle.append(reader) }
    }
}

/// A running reader. It ends with this value at the latest.
private final class Reader: Sendable {
    let session: ReaderSession
    private let process: Task<ChildProcess.Outcome, any Error>
    private let release: AsyncStream<Never>.Continuation
    private let child: RunningChild

    init(_ program: String, memoryLimit: Int) async throws {
        var pair: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutableBytes(of: &pair) { vc_socket_pair($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        guard status == 0 else { throw VidclassError(.inputOutput, "no socket for a reader: \(SystemCall.reason())") }
        let (own, other) = pair
        let (released, release) = AsyncStream<Never>.makeStream()
        let (started, start) = AsyncStream<RunningChild>.makeStream()
        let process = Task {
            defer { start.finish() }
            return try await ChildProcess(
                executable: program, arguments: [Readers.command], timeLimit: .seconds(60), outputLimit: 0, memoryLimit: memoryLimit
            ).converse(input: other) { child in
                start.yield(child)
                start.finish()
                for await _ in released {}
            }
        }
        var child: RunningChild?
        for await one in started { child = one }
        guard let child else {
            close(own)
            release.finish()
            // It could not be started.
            _ = try await process.value
            throw CancellationError()
        }
        session = ReaderSession(socket: own, child: child)
        self.process = process
        self.release = release
        self.child = child
    }

    deinit { stop() }

    /// Kills the reader.
    func stop() {
        child.kill()
        release.finish()
    }

    /// How the reader ended, after ``stop()``.
    func outcome() async throws -> ChildProcess.Outcome { try await process.value }
}
