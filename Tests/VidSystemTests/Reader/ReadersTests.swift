import Foundation
import Synchronization
import Testing
import VidSystem
import VidTestSupport

/// Readers of the built program, in their sandbox.
@Suite(.disabled(if: Sanitizer.isOn, "a sanitizer and the sandbox exclude each other")) struct ReadersTests {
    private let readers = Readers(limit: 2)

    /// Asks for a trial and returns the bytes of its answers, if it has any.
    @discardableResult
    private func attempt(
        _ trial: ReaderTrial, _ words: String = "", file: RegularFile? = nil, timeLimit: Duration = .seconds(60), by readers: Readers? = nil
    ) async throws -> [UInt8] {
        try await (readers ?? self.readers).withReader(for: "a.mp4", timeLimit: timeLimit) { session in
            try await session.send(ReaderMessage.trial, Array("\(trial.rawValue) \(words)".utf8), file: file)
            var bytes: [UInt8] = []
            while true {
                let (kind, length) = try await session.reply()
                if kind == ReaderMessage.done { return bytes }
                #expect(kind == ReaderTrial.answer && length <= 1 << 16)
                bytes += try await session.bytes(length)
            }
        }
    }

    private func error(_ trial: ReaderTrial, timeLimit: Duration = .seconds(60)) async -> VidclassError? {
        await #expect(throws: VidclassError.self) { try await attempt(trial, timeLimit: timeLimit) }
    }

    // MARK: - The sandbox

    @Test(arguments: [.open, .status, .socket, .exec, .fork, .kill, .trace, .code] as [ReaderTrial])
    func whatIsForbiddenEndsTheReaderAndRefusesTheFile(_ trial: ReaderTrial) async throws {
        let error = await error(trial)
        #expect(error?.kind == .badData)
        #expect(
            error?.message
                == "a.mp4: reading it needed something that a reader may not do (opening another file, a network connection); "
                + "the file is hostile")
        #expect(try await attempt(.echo, "next") == Array("next".utf8))
    }

    @Test func theOpenFileIsReadAndThreadsWork() async throws {
        let folder = try TestFolder()
        let file = try RegularFile(try folder.write("data", text: "content"))
        #expect(try await attempt(.echo, file: file) == Array("content".utf8))
        try await attempt(.thread)
    }

    // MARK: - Ends

    @Test(
        arguments: [
            (.crash, "FFmpeg's libraries crashed on it (signal 11); the file is damaged or hostile"), (.memory, "memory ran out"),
            (.leave, "FFmpeg's libraries ended without an answer (exit 3); the file is damaged or hostile"),
        ] as [(ReaderTrial, String)])
    func theNextFileIsRead(_ trial: ReaderTrial, _ message: String) async throws {
        let error = await error(trial)
        #expect(error?.kind == .badData)
        #expect(error?.message == "a.mp4: " + message)
        #expect(try await attempt(.echo, "next") == Array("next".utf8))
    }

    @Test func oneThatHangs() async throws {
        let error = await error(.hang, timeLimit: .milliseconds(400))
        #expect(error?.message == "a.mp4: FFmpeg's libraries did not finish within 0.4 seconds; the file is damaged or hostile")
        #expect(error?.kind == .badData)
        #expect(try await attempt(.echo, "next") == Array("next".utf8))
    }

    /// The reader sends much more than the socket holds, and its answers are taken for longer than its limit.
    @Test func theTimeOfASlowConsumerIsNotTheReaders() async throws {
        let count = try await readers.withReader(for: "a.mp4", timeLimit: .seconds(2)) { session in
            try await session.send(ReaderMessage.trial, Array("flood 40".utf8))
            var count = 0
            while try await session.reply().kind != ReaderMessage.done {
                count += try await session.bytes(session.pending).count { $0 == 7 }
                try await Task.sleep(for: .milliseconds(60))
            }
            return count
        }
        #expect(count == 40 << 16)
    }

    @Test func anAnswerThatIsNotReadToItsEnd() async throws {
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            try await readers.withReader(for: "a.mp4", timeLimit: .seconds(60)) { session in
                try await session.send(ReaderMessage.trial, Array("flood 40".utf8))
                _ = try await session.reply()
                throw Enough()
            }
        }
        #expect(try await attempt(.echo, "next") == Array("next".utf8))
    }

    @Test func theReadersOwnErrorKeepsItAlive() async throws {
        let readers = Readers(limit: 1)
        try await attempt(.echo, by: readers)
        let error = await #expect(throws: VidclassError.self) { try await attempt(.fail, "no such stream", by: readers) }
        #expect(error == VidclassError(.inputOutput, "a.mp4: no such stream", advice: ["Try another."]))
        let files = try await readers.withReader(for: "a.mp4", timeLimit: .seconds(60)) { $0.requests }
        #expect(files == 3)
    }

    // MARK: - Many

    /// How many work at a time.
    private final class Count: Sendable {
        private let state = Mutex((working: 0, most: 0))
        var most: Int { state.withLock { $0.most } }

        func begin() {
            state.withLock {
                $0.working += 1
                $0.most = max($0.most, $0.working)
            }
        }

        func end() { state.withLock { $0.working -= 1 } }
    }

    /// Two at a time share the processors.
    @Test func aSingleReaderGetsAllProcessors() async throws {
        let readers = readers
        let threads = try await readers.withReader(for: "a", timeLimit: .seconds(60)) { session in
            [session.threads, try await readers.withReader(for: "b", timeLimit: .seconds(60)) { $0.threads }]
        }
        #expect(threads == [Machine.processorCount, max(1, Machine.processorCount / 2)])
    }

    @Test func moreFilesThanReaders() async throws {
        let count = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<12 {
                group.addTask { [readers, count] in
                    try await readers.withReader(for: "\(number)", timeLimit: .seconds(60)) { session in
                        count.begin()
                        #expect(session.threads >= 1)
                        try await session.send(ReaderMessage.trial, Array("echo \(number)".utf8))
                        #expect(try await session.reply(ReaderTrial.answer, limit: 100) == Array("\(number)".utf8))
                        try await session.finish()
                        count.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(count.most <= 2)
    }

    /// Those that hang are cancelled, one while it works and one while it waits for its turn.
    @Test func cancellation() async throws {
        let readers = Readers(limit: 1)
        let tasks = (0..<2).map { _ in Task { try await attempt(.hang, by: readers) } }
        try await Task.sleep(for: .milliseconds(200))
        for task in tasks.reversed() { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(try await attempt(.echo, "next", by: readers) == Array("next".utf8))
    }

    // MARK: - Other programs

    @Test func aProgramThatCannotBeStarted() async throws {
        let error = await #expect(throws: VidclassError.self) { try await attempt(.echo, by: Readers(program: "/none/vidclass")) }
        #expect(error?.kind == .other && error?.message.hasPrefix("/none/vidclass: cannot be run") == true, "\(error?.message ?? "")")
    }

    @Test func aProgramThatIsNoReader() async throws {
        let error = await #expect(throws: VidclassError.self) { try await attempt(.echo, by: Readers(program: "/bin/true")) }
        #expect(error?.kind == .badData && error?.message.hasPrefix("a.mp4: ") == true, "\(error?.message ?? "")")
    }
}
