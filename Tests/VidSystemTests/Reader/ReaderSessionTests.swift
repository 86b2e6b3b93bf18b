import Foundation
import Testing
import VidSystem
import VidTestSupport

/// The parent's end of a connection, with bytes of any kind at the other.
@Suite struct ReaderSessionTests {
    private let session: ReaderSession
    /// The reader's end.
    private let other: Int32

    init() throws {
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        session = ReaderSession(socket: pair[0], child: nil)
        other = pair[1]
        session.beginRequest("a.mp4", timeLimit: .seconds(60), outputLimit: 1 << 24)
    }

    /// Writes `pieces` one after another, with a pause before each, and closes the connection.
    private func writeLater(_ pieces: [[UInt8]]) {
        Thread.detachNewThread { [other] in
            for piece in pieces {
                usleep(500)
                _ = piece.withUnsafeBytes { SystemCall.write($0, toStream: other) }
            }
            close(other)
        }
    }

    /// Answers requests of kind 20 by `handler` until the session ends.
    private func answerLater(_ handler: @escaping ReaderService.Handler) {
        Thread.detachNewThread { [other] in
            try? ReaderService.answer([20: handler], ReaderConnection(other))
            close(other)
        }
    }

    private func message(_ kind: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        ReaderMessage(kind: kind, length: payload.count).bytes + payload
    }

    @Test func messagesInPiecesOfOneByte() async throws {
        try await session.send(20, [1, 2, 3])
        writeLater((message(30, [4, 5, 6, 7]) + message(31) + message(ReaderMessage.done)).map { [$0] })
        #expect(try await session.reply() == (30, 4))
        #expect(try await session.bytes(1) == [4])
        #expect(session.pending == 3)
        #expect(try await session.bytes(3) == [5, 6, 7])
        #expect(try await session.reply() == (31, 0))
        #expect(!session.isSettled)
        try await session.finish()
        #expect(session.isSettled)
    }

    /// Much more than a socket holds.
    @Test func largeMessages() async throws {
        answerLater { request, parent in
            try request.payload.withUnsafeBytes { bytes in
                let (first, second) = (bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...])
                try parent.send(21, UnsafeRawBufferPointer(rebasing: first), UnsafeRawBufferPointer(rebasing: second))
            }
        }
        let payload = (0..<ReaderMessage.requestLimit).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        for _ in 0..<3 {
            try await session.send(20, payload)
            #expect(try await session.reply(21, limit: payload.count) == payload)
            try await session.finish()
        }
    }

    /// The other end reads the file that came along, from its start, and the file here stays open.
    @Test func anOpenFileGoesAlong() async throws {
        let folder = try TestFolder()
        let file = try RegularFile(try folder.write("data", text: "content"))
        answerLater { request, parent in
            var bytes = [UInt8](repeating: 0, count: 100)
            let count = request.descriptor.map { pread($0, &bytes, 100, 0) } ?? 0
            try parent.send(21, bytes: Array(bytes.prefix(count)))
        }
        for expected in ["content", "", "content"] {
            try await session.send(20, [9], file: expected.isEmpty ? nil : file)
            #expect(try await session.reply(21, limit: 100) == Array(expected.utf8))
            try await session.finish()
        }
        #expect(try file.bytes(at: 0, count: 7) == Array("content".utf8))
    }

    @Test func anErrorOfTheHandlerEndsOnlyItsRequest() async throws {
        answerLater { _, parent in
            try parent.send(21, bytes: [1])
            throw VidclassError(.inputOutput, "no disk")
        }
        try await session.send(20)
        #expect(try await session.reply(21, limit: 1) == [1])
        let error = await #expect(throws: VidclassError.self) { _ = try await session.reply() }
        #expect(error == VidclassError(.inputOutput, "a.mp4: no disk"))
        #expect(session.isSettled)
        try await session.send(99)
        let unknown = await #expect(throws: VidclassError.self) { _ = try await session.reply() }
        #expect(unknown?.message.contains("kind 99") == true)
    }

    // MARK: - What is not trusted

    @Test func theEndWithinAMessage() async throws {
        try await session.send(20)
        writeLater([Array(message(30, [1, 2, 3]).dropLast())])
        #expect(try await session.reply() == (30, 3))
        await #expect(throws: ReaderSession.Failure.ended) { _ = try await session.bytes(3) }
        await #expect(throws: ReaderSession.Failure.ended) { try await session.send(20) }
        #expect(!session.isSettled)
    }

    @Test func theEndWithinAHead() async throws {
        try await session.send(20)
        writeLater([Array(message(30).dropLast(3))])
        await #expect(throws: ReaderSession.Failure.ended) { _ = try await session.reply() }
    }

    @Test func garbage() async throws {
        try await session.send(20)
        writeLater([[UInt8](repeating: 0xA5, count: 64)])
        for _ in 0..<2 { await #expect(throws: ReaderSession.Failure.malformed) { _ = try await session.reply() } }
    }

    /// All messages of a request count together.
    @Test func moreThanTheLimit() async throws {
        session.beginRequest("a.mp4", timeLimit: .seconds(60), outputLimit: 10)
        try await session.send(20)
        writeLater([message(30, [1, 2, 3, 4, 5, 6]), message(30, [1, 2, 3, 4, 5])])
        #expect(try await session.reply(30, limit: 6).count == 6)
        await #expect(throws: ReaderSession.Failure.outputExceeded(10)) { _ = try await session.reply() }
    }

    @Test(arguments: [31, ReaderMessage.done] as [UInt32])
    func anotherKindThanExpected(_ kind: UInt32) async throws {
        try await session.send(20)
        writeLater([message(kind)])
        await #expect(throws: ReaderSession.Failure.malformed) { _ = try await session.reply(30, limit: 10) }
    }

    @Test func anAnswerThatNobodyAskedFor() async throws {
        writeLater([message(ReaderMessage.done)])
        await #expect(throws: ReaderSession.Failure.malformed) { _ = try await session.reply() }
    }

    // MARK: - Waiting

    @Test func silence() async throws {
        defer { close(other) }
        session.beginRequest("a.mp4", timeLimit: .milliseconds(30))
        try await session.send(20)
        await #expect(throws: ReaderSession.Failure.timedOut(.milliseconds(30))) { _ = try await session.reply() }
    }

    /// Requests that nobody receives.
    @Test func deafness() async throws {
        defer { close(other) }
        session.beginRequest("a.mp4", timeLimit: .milliseconds(30))
        await #expect(throws: ReaderSession.Failure.timedOut(.milliseconds(30))) {
            for _ in 0..<8 { try await session.send(20, [UInt8](repeating: 1, count: ReaderMessage.requestLimit)) }
        }
    }

    @Test func cancellation() async throws {
        defer { close(other) }
        let session = session
        let task = Task {
            try await session.send(20)
            _ = try await session.reply()
        }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(session.failure == .cancelled)
    }
}
