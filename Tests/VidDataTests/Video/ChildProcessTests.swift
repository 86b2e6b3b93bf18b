import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// Children that do not end as they should: each is killed with all processes that it started, and reaped. (The time this takes is
/// not measured, because tests may have to wait; if a child were waited for, its message would differ or a process would be left.)
@Suite struct ChildProcessTests {
    /// Loads a clip with a working ffprobe and an ffmpeg that first records its process number, in a link because it cannot write files.
    private func refuse(_ script: String, seconds: Int = 5) async throws -> (error: VidclassError, folder: TestFolder) {
        let folder = try TestFolder()
        let say = "me() { ln -s $1 '\(folder.path)'/pid-$1; }; me $$; "
        let ffmpeg = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: say + script, seconds: seconds)
        return (await failure { try await ForeignFFmpegTests.load(folder, ffmpeg) }, folder)
    }

    /// Expects that each recorded process is gone, and not even a zombie is left.
    private func expectNoneLeft(_ folder: TestFolder, atLeast count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let processes = try folder.names().compactMap { $0.hasPrefix("pid-") ? Int32($0.dropFirst(4)) : nil }
        #expect(processes.count >= count, "\(processes)", sourceLocation: sourceLocation)
        // Init reaps grandchildren, but not at once.
        for _ in 0..<200 where processes.contains(where: { kill($0, 0) == 0 }) { try await Task.sleep(for: .milliseconds(10)) }
        for process in processes { #expect(kill(process, 0) != 0 && errno == ESRCH, "\(process)", sourceLocation: sourceLocation) }
    }

    @Test func oneThatClosesItsPipesAndStays() async throws {
        let (error, folder) = try await refuse("exec >&- 2>&-; sleep 300")
        #expect(error.message.contains("ffmpeg was stopped after 5 seconds"))
        try await expectNoneLeft(folder, atLeast: 1)
    }

    @Test func oneThatForksAndIgnoresSignals() async throws {
        // Its children ignore the signals, too.
        let (error, folder) = try await refuse(
            "trap '' TERM INT HUP PIPE; for i in 1 2 3; do (sleep 300; sleep 300) & me $!; done; wait")
        #expect(error.message.contains("ffmpeg was stopped after 5 seconds"))
        try await expectNoneLeft(folder, atLeast: 4)
    }

    /// A child that has ended, whatever its status, leaves no process behind.
    @Test(arguments: [0, 1]) func oneThatEndsAndLeavesOthersBehind(status: Int) async throws {
        let (error, folder) = try await refuse("sleep 300 & me $!; head -c 200 /dev/zero; exit \(status)", seconds: 60)
        #expect(error.message.contains(status == 0 ? "stopped in the middle" : "cannot decode it"), "\(error.message)")
        try await expectNoneLeft(folder, atLeast: 2)
    }

    /// A grandchild in its own session keeps the pipes open, but it is not waited for.
    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/setsid"), "setsid is not installed: one that escapes is not tested"))
    func oneWhoseGrandchildEscapes() async throws {
        let (error, folder) = try await refuse("setsid sleep 3000 & me $!; exit 1", seconds: 60)
        #expect(error.message.contains("cannot decode it"), "\(error.message)")
        // It is still there.
        let alive = try folder.names().compactMap { $0.hasPrefix("pid-") ? Int32($0.dropFirst(4)) : nil }.filter { kill($0, 0) == 0 }
        #expect(alive.count == 1)
        for process in alive { kill(process, SIGKILL) }
    }

    @Test func oneThatComplainsWithoutEnd() async throws {
        let (error, folder) = try await refuse("cat /dev/zero | tr '\\0' 'x' >&2")
        #expect(error.message.contains("ffmpeg was stopped after 5 seconds"), "\(error.message)")
        #expect(error.message.utf8.count < 1000)
        try await expectNoneLeft(folder, atLeast: 1)
    }

    /// Memory (6 GiB of address space) and processor time are limited, and there is no core file.
    @Test func itsMemoryAndProcessorTimeAreBounded() async throws {
        let (error, _) = try await refuse(
            "for i in $(seq 400); do [ \"$(ulimit -t)\" != unlimited ] && break; sleep 0.05; done; sleep 0.2; echo KiB $(ulimit -v) seconds $(ulimit -t) core $(ulimit -c) >&2; exit 1",
            seconds: 60)
        #expect(error.message.contains("KiB 6291456 seconds 61 core 0"), "\(error.message)")
    }
}
