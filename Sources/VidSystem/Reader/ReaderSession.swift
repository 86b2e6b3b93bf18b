internal import CLinux

/// The parent's end of the connection to a reader. One task at a time may use it.
///
/// A reader is not trusted: the caller compares kinds and lengths with what can be right before it allocates anything. Only the time
/// in which this end waits counts against a request's limit, so a reader whose answers are taken slowly loses nothing. Nothing blocks
/// a thread of Swift's pool: what is not there yet is waited for on a thread of the session's own.
///
/// After an error of the connection the session is useless, and ``Readers`` says how the reader ended.
package final class ReaderSession: @unchecked Sendable {
    /// How a connection failed.
    package enum Failure: Error, Equatable {
        /// The reader has closed its end, or sending or receiving failed.
        case ended
        /// The reader let this end wait for longer than the request's limit.
        case timedOut(Duration)
        /// The reader sent more bytes than the request's limit.
        case outputExceeded(Int)
        /// The reader sent something that is no message, or none that is expected.
        case malformed
        case cancelled
    }

    /// The file that the current request is about, for messages.
    package private(set) var path = ""
    /// The threads that are idle while this reader works on its file, at least 1.
    package internal(set) var threads = 1
    /// The files that the reader has worked on, with the current one.
    package private(set) var requests = 0
    /// The caller's knowledge of the reader's state between requests, such as the file that it has open.
    package var kept: AnyObject?
    /// Why the connection cannot be used any more.
    package private(set) var failure: Failure?
    /// Bytes of the current answer's payload that have not been read yet.
    package private(set) var pending = 0
    /// Whether the last request has been answered to its end.
    package var isSettled: Bool { failure == nil && openRequests == 0 && pending == 0 }

    /// Whether the reader is there and has sent nothing that nobody asked for.
    var isQuiet: Bool { isSettled && vc_wait(socket, 0, 0) == 0 }

    private let socket: Int32
    private let child: RunningChild?
    private let thread = WaitingThread()
    private var openRequests = 0
    private var timeLimit = Duration.seconds(60)
    private var remainingTime = Duration.seconds(60)
    private var outputLimit = Int.max
    private var remainingOutput = Int.max
    /// When this end last had nothing to wait for, and the processor time that the reader may use meanwhile.
    private var busySince = ContinuousClock.now
    private var busyTime = Duration.zero
    private var grantedBusyTime = Duration.zero

    /// - Parameters:
    ///   - socket: is closed with the session.
    ///   - child: the process at the other end, which is killed when it fails.
    package init(socket: Int32, child: RunningChild?) {
        self.socket = socket
        self.child = child
    }

    deinit { close(socket) }

    // MARK: Requests

    /// Begins work on the file at `path`: from now on this end waits for at most `timeLimit`, and receives at most `outputLimit` bytes.
    package func beginRequest(_ path: String, timeLimit: Duration, outputLimit: Int = .max) {
        self.path = path
        requests += 1
        self.timeLimit = timeLimit
        self.outputLimit = outputLimit
        remainingTime = timeLimit
        remainingOutput = outputLimit
        busySince = .now
        busyTime = .zero
        grantedBusyTime = .zero
        grantProcessorTime()
    }

    /// Sends a request, or a further message to the handler that works on one.
    ///
    /// - Parameters:
    ///   - file: an open file that the reader gets. It shares the position of its descriptor, which `RegularFile` does not use.
    ///   - continues: true for a message to a handler that is at work, which ends its answers only once.
    package nonisolated(nonsending) func send(
        _ kind: UInt32, _ payload: [UInt8] = [], file: RegularFile? = nil, continues: Bool = false
    ) async throws {
        try await send(kind, payload, descriptor: file?.descriptor ?? -1, continues: continues)
        withExtendedLifetime(file) {}
    }

    /// The same with a descriptor, -1 for none, which stays open here.
    package nonisolated(nonsending) func send(
        _ kind: UInt32, _ payload: [UInt8], descriptor: Int32, continues: Bool = false
    ) async throws {
        precondition(payload.count <= ReaderMessage.requestLimit, "a request of \(payload.count) bytes")
        try check()
        if !continues { openRequests += 1 }
        let message = ReaderMessage(kind: kind, length: payload.count).bytes + payload
        var done = 0
        while done < message.count {
            let sent = message.withUnsafeBytes { bytes in
                var piece = vc_piece(bytes: bytes.baseAddress.map { $0 + done }, count: UInt64(bytes.count - done))
                return SystemCall.retrying { vc_send(socket, &piece, 1, done == 0 ? descriptor : -1, 0) }
            }
            if sent > 0 {
                done += Int(sent)
            } else if sent < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                try await wait(SocketWait(socket: socket, writes: true, target: UnsafeMutableRawBufferPointer(start: nil, count: 0)))
            } else {
                throw fail(.ended)
            }
        }
    }

    // MARK: Answers

    /// The next message's kind and the bytes of its payload, which is to be read next, to its end. `ReaderMessage.done` ends the answer.
    ///
    /// - Throws: the error that a handler threw; the session can then be used further.
    package nonisolated(nonsending) func reply() async throws -> (kind: UInt32, length: Int) {
        precondition(pending == 0, "\(pending) bytes of the message before were not read")
        try check()
        var head = [UInt8](repeating: 0, count: ReaderMessage.size)
        try await fill(&head)
        guard let message = ReaderMessage(head), openRequests > 0 else { throw fail(.malformed) }
        guard message.length <= UInt64(remainingOutput) else { throw fail(.outputExceeded(outputLimit)) }
        remainingOutput -= Int(message.length)
        pending = Int(message.length)
        switch message.kind {
        case ReaderMessage.done:
            guard pending == 0 else { throw fail(.malformed) }
            openRequests -= 1
        case ReaderMessage.failed:
            guard pending <= ReaderFailure.limit, let error = ReaderFailure.error(try await bytes(pending), about: path) else {
                throw fail(.malformed)
            }
            openRequests -= 1
            throw error
        default: break
        }
        return (message.kind, pending)
    }

    /// The next message's payload, which must have this kind and at most `limit` bytes.
    package nonisolated(nonsending) func reply(_ kind: UInt32, limit: Int) async throws -> [UInt8] {
        let (found, length) = try await reply()
        guard found == kind, length <= limit else { throw unexpected() }
        return try await bytes(length)
    }

    /// Waits for the end of the answer: nothing else may come.
    package nonisolated(nonsending) func finish() async throws {
        guard try await reply().kind == ReaderMessage.done else { throw unexpected() }
    }

    /// Fills `target` with the next bytes of the payload.
    package nonisolated(nonsending) func read(into target: UnsafeMutableRawBufferPointer) async throws {
        try check()
        precondition(target.count <= pending, "\(target.count) of \(pending) bytes")
        try await fill(target)
        pending -= target.count
    }

    /// The next `count` bytes of the payload. The caller has compared `count` with what is expected.
    package nonisolated(nonsending) func bytes(_ count: Int) async throws -> [UInt8] {
        try check()
        precondition(count <= pending, "\(count) of \(pending) bytes")
        var bytes = [UInt8](repeating: 0, count: count)
        try await fill(&bytes)
        pending -= count
        return bytes
    }

    /// The error to throw for an answer that cannot be right. The reader is given up.
    package func unexpected() -> Failure { fail(.malformed) }

    // MARK: Waiting

    private nonisolated(nonsending) func fill(_ bytes: inout [UInt8]) async throws {
        let (end, done) = bytes.withUnsafeMutableBytes { target in
            let wait = SocketWait(socket: socket, writes: false, target: target)
            return (wait.receive(), wait.done)
        }
        switch end {
        case .complete: return
        case .failed: throw fail(.ended)
        case .timedOut:
            // An array cannot lend its memory across a wait.
            let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count - done, alignment: 16)
            defer { rest.deallocate() }
            try await wait(SocketWait(socket: socket, writes: false, target: rest))
            bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[done...]).copyMemory(from: UnsafeRawBufferPointer(rest))
            }
        }
    }

    private nonisolated(nonsending) func fill(_ target: UnsafeMutableRawBufferPointer) async throws {
        guard !target.isEmpty else { return }
        let wait = SocketWait(socket: socket, writes: false, target: target)
        switch wait.receive() {
        case .complete: return
        case .failed: throw fail(.ended)
        case .timedOut: try await self.wait(wait)
        }
    }

    /// Waits on the session's thread, at most as long as the request has left.
    private nonisolated(nonsending) func wait(_ wait: SocketWait) async throws {
        let start = ContinuousClock.now
        busyTime += start - busySince
        if busyTime - grantedBusyTime >= .seconds(1) { grantProcessorTime() }
        let deadline = start + remainingTime
        let (child, socket) = (child, socket)
        // The time is taken where the wait ends: this task may have to wait for a turn then, which is not the reader's fault.
        let (end, ended) = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                thread.run { continuation.resume(returning: (wait.run(until: deadline), ContinuousClock.now)) }
            }
        } onCancel: {
            child?.kill()
            // Ends the wait.
            shutdown(socket, Int32(SHUT_RDWR))
        }
        busySince = ended
        remainingTime -= ended - start
        if Task.isCancelled {
            _ = fail(.cancelled)
            throw CancellationError()
        }
        switch end {
        case .complete: return
        case .failed: throw fail(.ended)
        case .timedOut: throw fail(.timedOut(timeLimit))
        }
    }

    /// The processor time that a reader may use: the time limit, and what this end did meanwhile, on all processors.
    private func grantProcessorTime() {
        grantedBusyTime = busyTime
        child?.limitProcessorTime(to: (remainingTime + .seconds(1)) * Machine.processorCount)
    }

    private func check() throws {
        if let failure { throw failure }
        if Task.isCancelled {
            _ = fail(.cancelled)
            throw CancellationError()
        }
    }

    /// Gives the reader up.
    private func fail(_ failure: Failure) -> Failure {
        if self.failure == nil { self.failure = failure }
        child?.kill()
        shutdown(socket, Int32(SHUT_RDWR))
        return failure
    }
}
