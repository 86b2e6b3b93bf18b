import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Clips that the check keeps for the training that follows.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct ClipStoreTests {
    private static let views: [Split: [ClipView]] = [
        .train: [.whole], .validation: [.evaluation(index: 0, count: 2), .evaluation(index: 1, count: 2)],
    ]

    private func loader(_ files: MediaFiles = MediaFiles(), short: ShortClips = .loop) -> ClipLoader {
        ClipLoader(frames: 4, channels: 3, rows: 24, columns: 32, shortClips: short, files: files)
    }

    /// Readers that cannot be started: a load with them succeeds only if nothing is decoded.
    private let noFiles = MediaFiles(readers: Readers(program: "/nowhere"))

    private func videos() async throws -> (Videos, DataSet) {
        let videos = try Videos()
        try videos.make("data/train/a/0.mp4", options: ["-bf", "2", "-g", "5"])
        try videos.make("data/train/a/1.mkv", frames: 3)
        try videos.make("data/train/b/2.webm")
        try videos.make("data/val/a/3.mp4", rate: 1, frames: 90, options: ["-g", "20"])
        try videos.make("data/val/b/4.gif")
        try videos.make("data/test/b/5.mp4")
        return (videos, try DataSet.open(videos.folder("data"), split: .none))
    }

    /// Long ones, too, and those with fewer frames than the model takes.
    @Test func aTrainingTakesWhatTheCheckHasDecoded() async throws {
        let (videos, data) = try await videos()
        defer { withExtendedLifetime(videos) {} }
        let store = ClipStore(bytes: 1 << 20)
        let report = try await DataCheck(loader: loader(), keeping: .init(ClipStoreTests.views, shown: .test, in: store)).run(data)
        let plain = try await DataCheck(loader: loader()).run(data)
        #expect(report.bad.isEmpty && report.clips.map(\.facts) == plain.clips.map(\.facts))
        #expect(store.count == 3 + 2 * 2)
        for entry in data.entries {
            for view in ClipStoreTests.views[entry.split] ?? [] {
                let expected = try await loader().load(entry.path, view)
                #expect(try await loader(noFiles).taking(from: store).load(entry.path, view) == expected, "\(entry.id) \(view)")
                // Each once.
                #expect(await failure { try await loader(noFiles).taking(from: store).load(entry.path, view) }.kind != .usage)
            }
        }
        #expect(store.count == 0 && store.taken == 7)
    }

    /// The report shows some clips of the evaluated split after the evaluation has taken them.
    @Test func clipsForTheReportAreTakenAgain() async throws {
        let (videos, data) = try await videos()
        defer { withExtendedLifetime(videos) {} }
        let store = ClipStore(bytes: 1 << 20)
        _ = try await DataCheck(loader: loader(), keeping: .init(ClipStoreTests.views, shown: .validation, in: store)).run(data)
        let taking = loader(noFiles).taking(from: store)
        taking.forget(data.entries.map(\.path))
        #expect(store.count == 2 * 2)
        for entry in data.entries(of: .validation) {
            for view in ClipStoreTests.views[.validation] ?? [] {
                for _ in 0..<2 { #expect(try await taking.load(entry.path, view) == (try await loader().load(entry.path, view))) }
            }
        }
        #expect(store.count == 2 * 2)
        store.shrink(to: 0)
        #expect(store.count == 0)
    }

    @Test func otherViewsAndChangedFilesAreDecoded() async throws {
        let (videos, data) = try await videos()
        let store = ClipStore(bytes: 1 << 20)
        _ = try await DataCheck(loader: loader(), keeping: .init(ClipStoreTests.views, shown: .test, in: store)).run(data)
        let taking = loader(noFiles).taking(from: store)
        let (first, second) = (videos.folder("data/train/a/0.mp4"), videos.folder("data/train/b/2.webm"))
        _ = await failure { try await taking.load(first, .evaluation(index: 0, count: 2)) }
        _ = await failure { try await loader(noFiles, short: .padLast).taking(from: store).load(first) }
        try videos.make("data/train/b/2.webm", frames: 25)
        #expect(try await loader().taking(from: store).load(second) == (try await loader().load(second)))
        #expect(store.taken == 0)
        _ = try await taking.load(first)
        taking.forget([videos.folder("data/train/a/1.mkv")])
        #expect(store.taken == 1 && store.count == 4)
        store.shrink(to: 3 * 4 * 3 * 24 * 32)
        #expect(store.count == 3)
    }

    /// What is decoded in place of a damaged frame depends on what was decoded before it: such a clip is not kept.
    @Test func damagedVideosAndThoseWithoutRoomAreDecodedAgain() async throws {
        let (videos, data) = try await videos()
        for name in ["data/train/a/0.mp4", "data/train/b/2.webm", "data/val/a/3.mp4"] {
            var bytes = try videos.folder.bytes(name)
            for place in bytes.count / 2..<bytes.count / 2 + 60 { bytes[place] ^= 0x5A }
            try videos.folder.write(name, bytes)
        }
        let store = ClipStore(bytes: 1 << 20)
        _ = try await DataCheck(loader: loader(), keeping: .init(ClipStoreTests.views, shown: .test, in: store)).run(data)
        for entry in data.entries {
            for view in ClipStoreTests.views[entry.split] ?? [] {
                guard let expected = try? await loader().load(entry.path, view) else { continue }
                #expect(try await loader().taking(from: store).load(entry.path, view) == expected, "\(entry.id)")
            }
        }
        let small = ClipStore(bytes: 2 * 4 * 3 * 24 * 32)
        _ = try await DataCheck(loader: loader(), keeping: .init(ClipStoreTests.views, shown: .test, in: small)).run(data)
        #expect((1...2).contains(small.count))
        let refusing = ClipStore(bytes: 1 << 20)
        let report = try await DataCheck(loader: loader(short: .error), keeping: .init([.train: [.whole]], shown: .test, in: refusing)).run(
            data)
        #expect(report.bad.map(\.entry.id).contains("train/a/1.mkv") && refusing.count <= 2)
    }
}
