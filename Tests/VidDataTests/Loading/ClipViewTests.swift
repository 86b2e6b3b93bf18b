import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Loading views of clips: from every kind of file, one at a time and many at once.
@Suite struct ClipViewTests {
    static let shape = ClipShape(frames: 30, channels: 3, rows: 6, columns: 8)

    static func sampling(_ type: SamplingType) -> SamplingConfiguration {
        var sampling = SamplingConfiguration(type: type)
        sampling.stride = 3
        sampling.framesPerSecond = 4
        return sampling
    }

    static func loader(
        _ type: SamplingType, frames: Int = 4, rows: Int = 6, columns: Int = 8, short: ShortClips = .loop,
        augmentation: AugmentationConfiguration = AugmentationConfiguration(), files: MediaFiles = MediaFiles()
    ) -> ClipLoader {
        ClipLoader(
            frames: frames, channels: 3, rows: rows, columns: columns, sampling: sampling(type), shortClips: short,
            augmentation: augmentation, files: files)
    }

    static let views: [ClipView] = [
        .whole, .evaluation(index: 0, count: 3), .evaluation(index: 2, count: 3), .training(seed: 1, stream: 0),
        .training(seed: 1, stream: 7),
        .window(start: 0, length: 1), .window(start: 0.5, length: 1.2), .window(start: 2, length: 5),
    ]

    static func write(_ clip: Clip, _ folder: TestFolder) throws {
        let shape = clip.shape
        let (rows, columns) = (shape.rows, shape.columns)
        try ClipFile.write(clip, to: folder("a.bin"))
        let payload = clip.withUnsafeBytes { Array($0) }
        try folder.write(
            "a.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "\(shape.frames), 3, \(rows), \(columns)"), payload))
        var last: [UInt8] = []
        for frame in 0..<shape.frames {
            for pixel in 0..<rows * columns {
                for channel in 0..<3 { last.append(payload[(frame * 3 + channel) * rows * columns + pixel]) }
            }
        }
        try folder.write(
            "last.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "\(shape.frames), \(rows), \(columns), 3"), last))
    }

    /// A view always gives the frames that the sampler chooses, from any kind of file, alone or among others.
    @Test(arguments: SamplingType.allCases)
    func filesAlike(type: SamplingType) async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipViewTests.shape, framesPerSecond: 10)
        try ClipViewTests.write(clip, folder)
        let loader = ClipViewTests.loader(type)
        var one: [LoadedClip] = []
        for view in ClipViewTests.views {
            let loaded = try await loader.load(folder("a.bin"), view)
            let choice = try loader.sampler.choose(view, of: FrameTimes(count: 30, rate: 10), path: "a")
            let completed = try ShortClips.loop.indices(4, of: choice.indices.count, path: "a").indices.map { choice.indices[$0] }
            #expect(loaded.clip == clip.selecting(completed, framesPerSecond: Float(choice.framesPerSecond)))
            #expect(loaded.sourceFrames == 30 && loaded.validFrames == 4)
            #expect(loaded.moments.map(\.frame) == completed && loaded.moments.map(\.seconds) == completed.map { Double($0) / 10 })
            #expect(loaded == (try await loader.load(folder("a.bin"), view)))
            one.append(loaded)
            // An npy file has no rate.
            if case .window = view { continue }
            if type == .fps { continue }
            for name in ["a.npy", "last.npy"] { #expect(try await loader.load(folder(name), view).clip.pixels == loaded.clip.pixels) }
        }
        let many = try await ClipViewTests.all(loader, folder("a.bin"), ClipViewTests.views)
        #expect(many == one)
        if type != .fps {
            let views = Array(ClipViewTests.views[..<5])
            for name in ["a.npy", "last.npy"] {
                #expect(try await ClipViewTests.all(loader, folder(name), views).map(\.clip.pixels) == one[..<5].map(\.clip.pixels))
            }
        }
        let unknown = await failure { try await loader.load(folder("a.npy"), .window(start: 0, length: 1)) }
        #expect(unknown.message.hasPrefix("\(folder("a.npy")): its frame rate is not known"))
        #expect(try await loader.times(of: folder("a.bin")) == FrameTimes(count: 30, rate: 10))
        #expect(try await loader.times(of: folder("a.bin")).duration == 3)
        #expect(try await loader.times(of: folder("a.npy")).duration == nil)
    }

    /// All views come in order, each once.
    static func all(_ loader: ClipLoader, _ path: String, _ views: [ClipView]) async throws -> [LoadedClip] {
        var clips: [Int: LoadedClip] = [:]
        try await loader.load(path, views: views) { view, clip in
            #expect(clips[view] == nil)
            clips[view] = clip
        }
        return views.indices.compactMap { clips[$0] }
    }

    /// 50,000 windows that all contain nearly the same frames: together 250 GB, but each frame is in memory once.
    @Test func memoryIsForTheFramesOfUnfinishedWindowsOnly() async throws {
        struct Enough: Error {}
        let folder = try TestFolder()
        let shape = ClipShape(frames: 40, channels: 1, rows: 512, columns: 512)
        try ClipFile.write(
            Clip(shape: shape, pixels: .bytes([UInt8](repeating: 7, count: shape.count)), framesPerSecond: 10), to: folder("a.bin"))
        let loader = ClipLoader(frames: 10, channels: 1, rows: 512, columns: 512)
        let windows = (0..<50_000).map { ClipView.window(start: Double($0) / 20_000, length: 1) }
        var seen = 0
        await #expect(throws: Enough.self) {
            try await loader.load(folder("a.bin"), views: windows) { view, clip in
                #expect(view == seen && clip.clip.shape.frames == 10)
                seen += 1
                if seen == 100 { throw Enough() }
            }
        }
        #expect(seen == 100)
    }

    @Test func floatClips() async throws {
        let folder = try TestFolder()
        let whole = patternFloatClip(ClipViewTests.shape)
        let clip = Clip(shape: whole.shape, pixels: whole.pixels, framesPerSecond: 10)
        try ClipFile.write(clip, to: folder("a.bin"))
        let loader = ClipViewTests.loader(.random, augmentation: ClipAugmentationTests.everything)
        var one: [LoadedClip] = []
        for view in ClipViewTests.views { one.append(try await loader.load(folder("a.bin"), view)) }
        #expect(one.allSatisfy { $0.clip.element == .float32 })
        #expect(try await ClipViewTests.all(loader, folder("a.bin"), ClipViewTests.views) == one)
    }

    /// Short clips give the existing strided frames, then are extended; the error states what is needed.
    @Test func shortClips() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipShape(frames: 8, channels: 3, rows: 6, columns: 8), framesPerSecond: 10)
        try ClipFile.write(clip, to: folder("a.bin"))
        try ClipFile.write(clip.selecting([0]), to: folder("one.bin"))
        for (rule, indices, valid) in [(ShortClips.loop, [0, 3, 6, 0], 4), (.padLast, [0, 3, 6, 6], 4), (.mask, [0, 3, 6, 6], 3)] {
            for view in [ClipView.whole, .training(seed: 1, stream: 1)] {
                let loaded = try await ClipViewTests.loader(.consecutive, short: rule).load(folder("a.bin"), view)
                #expect(loaded.clip.pixels == clip.selecting(indices).pixels && loaded.validFrames == valid)
            }
        }
        for type in SamplingType.allCases {
            let loaded = try await ClipViewTests.loader(type, short: .mask).load(folder("one.bin"), .training(seed: 1, stream: 1))
            #expect(loaded.clip.pixels == clip.selecting([0, 0, 0, 0]).pixels && loaded.validFrames == 1)
        }
        let error = await failure { try await ClipViewTests.loader(.consecutive, short: .error).load(folder("a.bin")) }
        #expect(
            error.message
                == "\(folder("a.bin")): expected at least 10 frames (4 of them, spaced as data.sampling defines), found 8; "
                + "repeat short clips with --set data.short_clips=loop (or pad_last, mask)")
        let window = await failure {
            try await ClipViewTests.loader(.uniform, short: .error).load(folder("a.bin"), .window(start: 0.5, length: 0.3))
        }
        #expect(window.message.contains("expected at least 4 frames, found 3 in the window"))
        // Reversed and masked: the valid frames stay in front.
        let reversing = ClipAugmentationTests.configured { $0.timeReverse = 1 }
        let loaded = try await ClipViewTests.loader(.consecutive, short: .mask, augmentation: reversing).load(
            folder("a.bin"), .training(seed: 1, stream: 1))
        #expect(loaded.clip.pixels == clip.selecting([6, 3, 0, 0]).pixels && loaded.validFrames == 3)
    }

    /// Equal random numbers give equal training views; other streams and seeds give others. Evaluation views do not change.
    @Test func augmentedViews() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipViewTests.shape, framesPerSecond: 10)
        try ClipFile.write(clip, to: folder("a.bin"))
        let plain = ClipViewTests.loader(.uniform)
        let changing = ClipViewTests.loader(.uniform, augmentation: ClipAugmentationTests.everything)
        var hashes: Set<String> = []
        for stream in 0..<UInt64(10) {
            let view = ClipView.training(seed: 6, stream: stream)
            let loaded = try await changing.load(folder("a.bin"), view)
            #expect(loaded == (try await changing.load(folder("a.bin"), view)))
            #expect(try await plain.load(folder("a.bin"), view) == (try await plain.load(folder("a.bin"))))
            hashes.insert(loaded.contentHash)
        }
        hashes.insert(try await changing.load(folder("a.bin"), .training(seed: 7, stream: 0)).contentHash)
        #expect(hashes.count == 11)
        for view in ClipViewTests.views {
            if case .training = view { continue }
            #expect(try await changing.load(folder("a.bin"), view) == (try await plain.load(folder("a.bin"), view)))
        }
    }

    @Test func texts() {
        let uniform = ClipViewTests.loader(.uniform)
        #expect(uniform.sampling(.whole) == "uniform 4 of 3 x 6 x 8, short clips loop")
        #expect(uniform.sampling(.training(seed: 1, stream: 5)) == uniform.sampling(.whole))
        #expect(
            ClipLoader(frames: 4, channels: 3, rows: 6, columns: 8, deinterlaces: false).sampling(.whole)
                == "uniform 4 of 3 x 6 x 8, short clips loop, fields woven")
        #expect(ClipViewTests.loader(.random).sampling(.whole) == uniform.sampling(.whole))
        var texts: [String] = []
        for type in SamplingType.allCases {
            for view in ClipViewTests.views {
                let text = ClipViewTests.loader(type, short: .mask).sampling(view)
                if type != .random && type != .uniform { texts.append(text) }
                #expect(!text.contains("\n"))
            }
        }
        texts += [ClipView.whole, .training(seed: 1, stream: 7)].map { ClipViewTests.loader(.random).sampling($0) }
        texts.append(ClipViewTests.loader(.random).sampling(.training(seed: 2, stream: 7)))
        let view = ClipView.training(seed: 1, stream: 7)
        for change: (inout AugmentationConfiguration) -> Void in [
            { $0.horizontalFlip = 0.5 }, { $0.horizontalFlip = 0.25 }, { $0.randomResizedCrop.scale = 0.5 }, { $0.brightness = 0.5 },
            { $0.contrast = 0.5 }, { $0.saturation = 0.5 }, { $0.rotation = 0.5 }, { $0.frameDrop = 0.5 }, { $0.timeReverse = 0.5 },
            {
                $0.randomResizedCrop.scale = 0.5
                $0.randomResizedCrop.ratio = 2
            },
        ] {
            let loader = ClipViewTests.loader(.uniform, augmentation: ClipAugmentationTests.configured(change))
            texts.append(loader.sampling(view))
            #expect(loader.sampling(.whole) == uniform.sampling(.whole))
        }
        #expect(Set(texts).count == texts.count)
        // The training loop mixes clips, not the loader.
        let mixing = ClipAugmentationTests.configured {
            $0.mixup = 0.2
            $0.copies = 3
        }
        #expect(ClipViewTests.loader(.uniform, augmentation: mixing).sampling(view) == uniform.sampling(.whole))
    }

    /// The loader uses the configuration.
    @Test func fromTheConfiguration() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipViewTests.shape, framesPerSecond: 10)
        try ClipFile.write(clip, to: folder("a.bin"))
        var configuration = RunConfiguration()
        (configuration.model.input.frames, configuration.model.input.rows, configuration.model.input.columns) = (4, 6, 8)
        configuration.data.sampling = ClipViewTests.sampling(.consecutive)
        configuration.augmentation = ClipAugmentationTests.configured { $0.horizontalFlip = 1 }
        let augmentation = configuration.augmentation
        let loader = ClipLoader(configuration)
        #expect(try await loader.load(folder("a.bin")).clip.pixels == clip.selecting([10, 13, 16, 19]).pixels)
        let seen = try await loader.load(folder("a.bin"), .training(seed: 1, stream: 1)).clip
        let flip = ClipAugmentation(augmentation, seed: 1, stream: 1, rows: 6, columns: 8)
        let starts = (0...20).filter { flip.changePixels(clip.selecting([$0, $0 + 3, $0 + 6, $0 + 9])).pixels == seen.pixels }
        #expect(starts.count == 1)
    }

    /// A wrong checksum is an error even after windows were delivered.
    @Test func aDamagedFile() async throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipViewTests.shape, framesPerSecond: 10), to: folder("a.bin"))
        var bytes = try folder.bytes("a.bin")
        bytes[bytes.count - 1] ^= 1
        try folder.write("a.bin", bytes)
        let error = await failure {
            try await ClipViewTests.loader(.uniform).load(folder("a.bin"), views: [.window(start: 0, length: 1)]) { _, _ in }
        }
        #expect(error.message.contains("checksum"))
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await ClipViewTests.loader(.uniform).load(
                folder("a.bin"), views: [.window(start: 0, length: 1), .window(start: 1, length: 1)]
            ) { _, _ in throw Stop() }
        }
    }
}

@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VideoViewTests {
    /// A video and its frames in a clip file give the same clips.
    @Test(arguments: SamplingType.allCases)
    func asFromAClipFile(type: SamplingType) async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", rate: 10, frames: 30)
        let whole = try await videos.decode(path, rows: 12, columns: 16).clip
        try ClipFile.write(whole, to: videos.folder("a.bin"))
        let loader = ClipViewTests.loader(type, rows: 12, columns: 16, augmentation: ClipAugmentationTests.everything)
        var one: [LoadedClip] = []
        for view in ClipViewTests.views {
            let loaded = try await loader.load(path, view)
            #expect(loaded == (try await loader.load(videos.folder("a.bin"), view)))
            one.append(loaded)
        }
        #expect(try await ClipViewTests.all(loader, path, ClipViewTests.views) == one)
        #expect(try await loader.times(of: path) == FrameTimes(count: 30, rate: 10))
    }

    /// 300 overlapping windows of 10,000 frames: decoded once, delivered as they are completed.
    @Test func aLongVideo() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", size: "16x16", rate: 100, frames: 10_000, options: ["-preset", "ultrafast"])
        let loader = ClipViewTests.loader(.uniform, frames: 16, rows: 16, columns: 16)
        let windows = try await loader.times(of: path).windows(length: 1, stride: 0.33, path: path)
        #expect(windows.count >= 300)
        var order: [Int] = []
        var some: [Int: LoadedClip] = [:]
        try await loader.load(path, views: windows.map(\.view)) { view, clip in
            order.append(view)
            #expect(clip.clip.shape.frames == 16)
            if view % 100 == 7 { some[view] = clip }
        }
        #expect(order == Array(windows.indices))
        for (view, clip) in some { #expect(clip == (try await loader.load(path, windows[view].view))) }
    }
}

/// A consumer that is slower than the reader's time limit does not get the reader killed.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct SlowConsumerTests {
    @Test func windows() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", size: "640x480", rate: 10, frames: 40)
        let loader = ClipViewTests.loader(.uniform, frames: 2, rows: 480, columns: 640, files: MediaFiles(timeLimit: .seconds(10)))
        var count = 0
        try await loader.load(path, views: (0..<4).map { .window(start: Double($0), length: 1) }) { _, _ in
            count += 1
            try await Task.sleep(for: .seconds(3))
        }
        #expect(count == 4)
    }
}
