import Foundation
import Synchronization
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct PackTests {
    static func options(_ frames: Int? = 4, side: Int? = nil, fps: Double? = nil) -> PackJob.Options {
        var options = PackJob.Options()
        options.selection = FrameSelection(frames: frames, framesPerSecond: fps)
        options.rows = side
        options.columns = side
        return options
    }

    static func pack(_ source: String, _ destination: String, _ options: PackJob.Options) async throws -> PackJob.Report {
        try await PackJob(source: source, destination: destination, options: options).run()
    }

    @Test func arrays() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 8, channels: 3, rows: 6, columns: 5), framesPerSecond: 16)
        try folder.makeFolder("in/a/b")
        try ClipFile.write(clip, to: folder("in/a/x.bin"))
        try folder.write(
            "in/a/b/y.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "8, 3, 6, 5"), clip.withUnsafeBytes { Array($0) }))
        try folder.write("in/notes.txt")
        try folder.write("in/bad.npy", text: "nothing")
        let steps = Mutex<[Int]>([])
        let report = try await PackJob(source: folder("in"), destination: folder("out"), options: PackTests.options()).run { progress in
            #expect(progress.total == 3)
            steps.withLock { $0.append(progress.done) }
        }
        #expect(steps.withLock(\.self) == [0, 1, 2, 3])
        #expect(report.packed == ["a/b/y.npy", "a/x.bin"])
        #expect(report.otherFiles == ["notes.txt"])
        #expect(report.failures.map(\.source) == ["bad.npy"])
        #expect(report.failures.first?.error.message.contains("bad.npy: not an npy file: expected at least 10 bytes") == true)
        #expect(try ClipFile.read(folder("out/a/x.bin")) == clip.selecting([1, 3, 5, 7], framesPerSecond: 8))
        #expect(try ClipFile.read(folder("out/a/b/y.bin")) == clip.selecting([1, 3, 5, 7], framesPerSecond: 0))
        #expect(try folder.names("out") == ["a"])

        // A second run packs nothing; other options pack all again.
        let again = try await PackTests.pack(folder("in"), folder("out"), PackTests.options())
        #expect(again.packed.isEmpty && again.skipped == ["a/b/y.npy", "a/x.bin"])
        let other = try await PackTests.pack(folder("in"), folder("out"), PackTests.options(nil))
        #expect(other.packed.count == 2)
        #expect(try ClipFile.read(folder("out/a/x.bin")) == clip)
    }

    @Test func aNewerSourceOrADamagedDestinationIsPackedAnew() async throws {
        let folder = try TestFolder()
        try folder.makeFolder("in")
        try ClipFile.write(patternClip(ClipShape(frames: 4, channels: 1, rows: 4, columns: 4)), to: folder("in/a.bin"))
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).packed == ["a.bin"])
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).skipped == ["a.bin"])
        let later = Date().addingTimeInterval(10)
        try FileManager.default.setAttributes([.modificationDate: later], ofItemAtPath: folder("in/a.bin"))
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).packed == ["a.bin"])
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: folder("in/a.bin"))
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).skipped == ["a.bin"])
        try folder.write("out/a.bin", Array(try folder.bytes("out/a.bin").dropLast()))
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).packed == ["a.bin"])
    }

    @Test func equalNames() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 2, channels: 1, rows: 4, columns: 4))
        try folder.makeFolder("in")
        try ClipFile.write(clip, to: folder("in/a.bin"))
        try ClipFile.write(clip, to: folder("in/b.bin"))
        try folder.write(
            "in/a.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "2, 1, 4, 4"), clip.withUnsafeBytes { Array($0) }))
        #expect(try await PackTests.pack(folder("in"), folder("out"), PackTests.options()).packed == ["a.bin", "a.npy", "b.bin"])
        #expect(try folder.names("out") == ["a.bin.bin", "a.npy.bin", "b.bin"])
    }

    @Test func oneFile() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 2, channels: 1, rows: 4, columns: 4))
        try ClipFile.write(clip, to: folder("a.bin"))
        #expect(try await PackTests.pack(folder("a.bin"), folder("out"), PackTests.options()).packed == ["a.bin"])
        #expect(try await PackTests.pack(folder("a.bin"), folder("b.bin"), PackTests.options()).packed == ["a.bin"])
        #expect(try ClipFile.read(folder("out/a.bin")) == clip)
        #expect(try ClipFile.read(folder("b.bin")) == clip)
    }

    @Test func whatIsRefused() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 2, channels: 1, rows: 4, columns: 4))
        try folder.makeFolder("in")
        #expect(
            await failure { try await PackTests.pack(folder("in"), folder("out"), PackTests.options()) }.message.contains(
                "found no videos, .npy or .bin files"))
        try ClipFile.write(clip, to: folder("in/a.bin"))
        #expect(await failure { try await PackTests.pack(folder("none"), folder("out"), PackTests.options()) }.kind == .missingInput)
        for inside in ["in", "in/packed"] {
            #expect(await failure { try await PackTests.pack(folder("in"), folder(inside), PackTests.options()) }.kind == .usage)
        }
        #expect(await failure { try await PackTests.pack(folder("in/a.bin"), folder("in/a.bin"), PackTests.options()) }.kind == .usage)
        #expect(await failure { try await PackTests.pack(folder("in"), "/proc/out", PackTests.options()) }.kind == .inputOutput)
        #expect(
            await failure { try await PackTests.pack(folder("in"), folder("out"), PackTests.options(0)) }.message.contains(
                "frames: expected 1 to"))
        let sized = try await PackTests.pack(folder("in"), folder("out"), PackTests.options(side: 8))
        #expect(sized.failures.first?.error.message.contains("expected 8 rows, found 4; only videos are resized") == true)
        #expect(try ClipFile.read(folder("in/a.bin")) == clip)
    }
}

@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: packing of videos is not tested"))
struct PackVideoTests {
    /// A packed video gives exactly the frames that the video gives.
    @Test func packedAndStraight() async throws {
        let videos = try Videos()
        try videos.make("in/a/x y.mp4")
        try videos.make("in/b/z.avi", frames: 3)
        try videos.folder.write("in/b/broken.mp4", text: "no video")
        let report = try await PackTests.pack(videos.folder("in"), videos.folder("out"), PackTests.options(8, side: 24))
        #expect(report.packed == ["a/x y.mp4", "b/z.avi"])
        #expect(report.failures.map(\.source) == ["b/broken.mp4"])
        let loader = ClipLoader(frames: 8, channels: 3, rows: 24, columns: 24)
        for (video, packed, frames) in [("in/a/x y.mp4", "out/a/x y.bin", 8), ("in/b/z.avi", "out/b/z.bin", 3)] {
            let straight = try await loader.load(videos.folder(video))
            let stored = try await loader.load(videos.folder(packed))
            #expect(straight.clip.pixels == stored.clip.pixels)
            #expect(straight.contentHash == stored.contentHash)
            #expect(abs(straight.framesPerSecond - stored.framesPerSecond) <= 1e-5)
            #expect(try ClipFile.header(videos.folder(packed)).shape.frames == frames)
        }
        let again = try await PackTests.pack(videos.folder("in"), videos.folder("out"), PackTests.options(8, side: 24))
        #expect(again.packed.isEmpty && again.skipped.count == 2)
    }

    /// Streams all frames to the file, with and without another rate.
    @Test func allFramesAndARate() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", rate: 10, frames: 30)
        #expect(try await PackTests.pack(path, videos.folder("all.bin"), PackTests.options(nil, side: 16)).packed.count == 1)
        let all = try ClipFile.read(videos.folder("all.bin"))
        #expect(all.shape.frames == 30 && all.framesPerSecond == 10)
        #expect(try await PackTests.pack(path, videos.folder("slow.bin"), PackTests.options(nil, side: 16, fps: 5)).packed.count == 1)
        let slow = try ClipFile.read(videos.folder("slow.bin"))
        #expect(slow.framesPerSecond == 5)
        #expect(slow == all.selecting(FrameSampling.uniform(15, of: 30), framesPerSecond: 5))
    }

    /// A job that was cancelled packs the rest in a second run and leaves no incomplete file.
    @Test func stoppedAndGoneOn() async throws {
        let videos = try Videos()
        let first = try videos.make("in/0.mp4")
        for number in 1..<8 { try FileManager.default.copyItem(atPath: first, toPath: videos.folder("in/\(number).mp4")) }
        var options = PackTests.options(4, side: 16)
        options.concurrency = 1
        let job = try PackJob(source: videos.folder("in"), destination: videos.folder("out"), options: options)
        let running = Mutex<Task<PackJob.Report, any Error>?>(nil)
        let task = Task {
            try await job.run { progress in if progress.done == 3 { running.withLock { $0?.cancel() } } }
        }
        running.withLock { $0 = task }
        await #expect(throws: (any Error).self) { try await task.value }
        let left = try videos.folder.names("out")
        #expect(left.count < 8 && left.allSatisfy { $0.hasSuffix(".bin") })
        let report = try await job.run()
        #expect(report.packed.count == 8 - left.count && report.skipped.count == left.count)
    }
}
