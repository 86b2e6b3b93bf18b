import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Children of `/bin/sh`, many of which will not end as they should. None of them, and nothing that they started, remains, not even
/// as a zombie. (The time is not measured, because a test may have to wait for its turn.)
@Suite struct ChildProcessTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// A shell with this script. `me PID` notes a process, by a link, because the child may write no file.
    private func shell(
        _ script: String, seconds: Int = 60, outputLimit: Int = 1 << 20, memoryLimit: Int = 6 << 30, fileLimit: Int = 0
    ) -> ChildProcess {
        ChildProcess(
            executable: "/bin/sh", arguments: ["-c", "me() { ln -s $1 '\(folder.path)'/pid-$1; }; me $$; " + script],
            timeLimit: .seconds(seconds), outputLimit: outputLimit, memoryLimit: memoryLimit, fileLimit: fileLimit)
    }

    /// Runs a script once the limits hold, however late that is: they are set before the child's output is read.
    private func onceLimited(_ child: (String) -> ChildProcess, _ script: String) async throws -> (ChildProcess.Outcome, text: String) {
        let gate = "echo; until [ -e '\(folder("gate"))' ]; do sleep 0.05; done; "
        var bytes: [UInt8] = []
        let outcome = try await child(gate + script).run { piece in
            if !folder.exists("gate") { _ = try folder.write("gate") }
            bytes.append(contentsOf: piece)
        }
        return (outcome, String(decoding: bytes.dropFirst(), as: UTF8.self))
    }

    private func processes() throws -> [Int32] {
        try folder.names().compactMap { $0.hasPrefix("pid-") ? Int32($0.dropFirst(4)) : nil }
    }

    private func expectNoneLeft(atLeast count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let processes = try processes()
        #expect(processes.count >= count, "\(processes)", sourceLocation: sourceLocation)
        // Init reaps grandchildren in its own time.
        for _ in 0..<200 where processes.contains(where: { kill($0, 0) == 0 }) { try await Task.sleep(for: .milliseconds(10)) }
        for process in processes { #expect(kill(process, 0) != 0 && errno == ESRCH, "\(process)", sourceLocation: sourceLocation) }
    }

    // MARK: - Output and end

    @Test func outputErrorsAndStatusComeBack() async throws {
        let (outcome, text) = try await shell("printf 'one\\ntwo'; echo wrong >&2; exit 3").text()
        #expect(text == "one\ntwo" && outcome.outputBytes == 7)
        #expect(outcome.errorText == "wrong\n")
        #expect(outcome.status == 3 && outcome.signal == nil)
        #expect(!outcome.timedOut && !outcome.outputExceeded)
    }

    @Test func aSignalIsNotAnExitCode() async throws {
        let crashed = try await shell("kill -SEGV $$").text().0
        #expect(crashed.status == 139 && crashed.signal == SIGSEGV)
        let exited = try await shell("exit 139").text().0
        #expect(exited.status == 139 && exited.signal == nil)
    }

    @Test func itHasNoInputAndASessionOfItsOwn() async throws {
        let (outcome, text) = try await shell("cat; [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo leader").text()
        #expect(outcome.status == 0 && text == "leader\n")
    }

    @Test func oneThatCannotBeStarted() async throws {
        let child = ChildProcess(executable: folder("none"), arguments: [], timeLimit: .seconds(5), outputLimit: 1)
        let error = await #expect(throws: VidclassError.self) { _ = try await child.text() }
        #expect(error?.kind == .other)
        #expect(error?.message.hasPrefix("\(folder.path)/none: cannot be run: ") == true, "\(error?.message ?? "")")
    }

    // MARK: - Limits

    @Test func oneThatClosesItsPipesAndStays() async throws {
        let outcome = try await shell("exec >&- 2>&-; sleep 3000", seconds: 1).text().0
        #expect(outcome.timedOut && outcome.signal == SIGKILL)
        try await expectNoneLeft()
    }

    @Test func oneThatForksAndIgnoresSignals() async throws {
        // Its children ignore them too.
        let script = "trap '' TERM INT HUP PIPE; for i in 1 2 3; do (sleep 3000; sleep 3000) & me $!; done; wait"
        let outcome = try await shell(script, seconds: 2).text().0
        #expect(outcome.timedOut && outcome.signal == SIGKILL)
        try await expectNoneLeft(atLeast: 4)
    }

    @Test func oneThatComplainsWithoutEnd() async throws {
        let outcome = try await shell("cat /dev/zero | tr '\\0' 'x' >&2", seconds: 1).text().0
        #expect(outcome.timedOut)
        #expect(outcome.errorText.utf8.count == 8192)
        try await expectNoneLeft()
    }

    @Test func oneThatWritesTooMuch() async throws {
        var received = 0
        let outcome = try await shell("cat /dev/zero", outputLimit: 100_000).run { received += $0.count }
        #expect(outcome.outputExceeded && !outcome.timedOut && outcome.signal == SIGKILL)
        #expect(received <= 100_000 && outcome.outputBytes > 100_000)
        try await expectNoneLeft()
    }

    @Test func outputUpToTheLimitIsTaken() async throws {
        let outcome = try await shell("head -c 100000 /dev/zero", outputLimit: 100_000).run { _ in }
        #expect(outcome.status == 0 && !outcome.outputExceeded && outcome.outputBytes == 100_000)
    }

    /// Address space, processor time should the clock not end it, the size of files (`ulimit` counts blocks of 512 bytes), no core file.
    @Test func memoryProcessorTimeAndFilesAreLimited() async throws {
        let report = "echo KiB $(ulimit -v) seconds $(ulimit -t) blocks $(ulimit -f) core $(ulimit -c)"
        let text = try await onceLimited({ shell($0, memoryLimit: 3 << 30, fileLimit: 4096) }, report).text
        #expect(text == "KiB 3145728 seconds 61 blocks 8 core 0\n")
    }

    @Test(arguments: [0, 4096]) func aFileHasALimit(_ limit: Int) async throws {
        let script = "head -c 10000 /dev/zero > '\(folder.path)/file'"
        let outcome = try await onceLimited({ shell($0, fileLimit: limit) }, script).0
        #expect(outcome.status != 0)
        #expect(try folder.bytes("file").count == limit)
    }

    /// A child that waits for its reader is given that time on top of its own, which is long enough for a busy machine.
    @Test func aSlowReaderIsNotTheChildsFault() async throws {
        var pauses = 0
        let outcome = try await shell("head -c 400000 /dev/zero", seconds: 20).run(
            { _ in },
            deliver: {
                pauses += 1
                if pauses == 1 { try await Task.sleep(for: .seconds(22)) }
            })
        #expect(outcome.status == 0 && !outcome.timedOut && outcome.outputBytes == 400_000)
    }

    // MARK: - What it leaves behind

    /// A child that has ended, successfully or not, leaves no process that holds its pipes or keeps working.
    @Test(arguments: [0, 1]) func oneThatEndsAndLeavesOthersBehind(status: Int32) async throws {
        let outcome = try await shell("sleep 3000 & me $!; head -c 200 /dev/zero; exit \(status)").text().0
        #expect(outcome.status == status && outcome.outputBytes == 200 && !outcome.timedOut)
        try await expectNoneLeft(atLeast: 2)
    }

    /// A grandchild in a session of its own keeps the pipes open: nobody waits for it.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/setsid"), "setsid is not installed"))
    func oneWhoseGrandchildEscapes() async throws {
        let outcome = try await shell("setsid sleep 30000 & me $!; exit 1").text().0
        #expect(outcome.status == 1 && !outcome.timedOut)
        let alive = try processes().filter { kill($0, 0) == 0 }
        #expect(alive.count == 1)
        for process in alive { kill(process, SIGKILL) }
    }

    @Test func aReaderThatFailsEndsTheChild() async throws {
        struct Stop: Error {}
        await #expect(throws: Stop.self) { _ = try await shell("echo x; sleep 3000").run { _ in throw Stop() } }
        await #expect(throws: Stop.self) { _ = try await shell("echo x; sleep 3000").run({ _ in }, deliver: { throw Stop() }) }
        try await expectNoneLeft(atLeast: 2)
    }

    @Test func aCancelledTaskEndsTheChild() async throws {
        let child = shell("sleep 3000 & me $!; echo started; wait")
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        let task = Task { try await child.run { _ in start.yield() } }
        for await _ in starts { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        try await expectNoneLeft(atLeast: 2)
    }
}
