import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct ClipLoaderTests {
    static let shape = ClipShape(frames: 10, channels: 3, rows: 6, columns: 8)

    static func loader(frames: Int = 4, channels: Int = 3, rows: Int = 6, columns: Int = 8, _ short: ShortClips = .loop) -> ClipLoader {
        ClipLoader(frames: frames, channels: channels, rows: rows, columns: columns, shortClips: short)
    }

    @Test func sampledAlike() async throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipLoaderTests.shape, framesPerSecond: 20)
        try ClipFile.write(clip, to: folder("a.bin"))
        try folder.write(
            "a.npy", FileBytes.npy(NumpyFileTests.dictionary("|u1", "10, 3, 6, 8"), clip.withUnsafeBytes { Array($0) }))
        let bin = try await ClipLoaderTests.loader().load(folder("a.bin"))
        let npy = try await ClipLoaderTests.loader().load(folder("a.npy"))
        #expect(bin.clip == clip.selecting([1, 3, 6, 8], framesPerSecond: 8))
        #expect(npy.clip.pixels == bin.clip.pixels)
        #expect(npy.contentHash == bin.contentHash)
        #expect(bin.validFrames == 4 && bin.sourceFrames == 10 && bin.framesPerSecond == 8 && npy.framesPerSecond == 0)
    }

    @Test func shortClips() async throws {
        let folder = try TestFolder()
        let clip = patternFloatClip(ClipShape(frames: 3, channels: 3, rows: 6, columns: 8))
        try ClipFile.write(clip, to: folder("a.bin"))
        for (rule, indices, valid) in [
            (ShortClips.loop, [0, 1, 2, 0, 1], 5), (.padLast, [0, 1, 2, 2, 2], 5), (.mask, [0, 1, 2, 2, 2], 3),
        ] {
            let loaded = try await ClipLoaderTests.loader(frames: 5, rule).load(folder("a.bin"))
            #expect(loaded.clip == clip.selecting(indices))
            #expect(loaded.validFrames == valid && loaded.sourceFrames == 3)
        }
        let error = await failure { try await ClipLoaderTests.loader(frames: 5, .error).load(folder("a.bin")) }
        #expect(error.message.contains("expected at least 5 frames, found 3"))
    }

    @Test func otherSizes() async throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipLoaderTests.shape), to: folder("a.bin"))
        let size = await failure { try await ClipLoaderTests.loader(rows: 224, columns: 224).load(folder("a.bin")) }
        #expect(size.kind == .badData)
        #expect(
            size.message.contains(
                "expected frames of 224x224 (rows x columns), found 6x8; pack the videos again with `vidclass pack VIDEOS CLIPS --rows 224 --columns 224`, or train with --set model.input.rows=6 --set model.input.columns=8"
            ))
        let channels = await failure { try await ClipLoaderTests.loader(channels: 1).load(folder("a.bin")) }
        #expect(channels.message.contains("expected 1 channels, found 3; train with --set model.input.channels=3"))
        try folder.write("a.txt", text: "x")
        #expect(await failure { try await ClipLoaderTests.loader().load(folder("a.txt")) }.message.contains("not a clip"))
    }

    /// The requested frames of a clip of 10,000 frames.
    @Test func aLongClip() async throws {
        let folder = try TestFolder()
        let writer = try ClipFileWriter(folder("a.bin"), element: .uint8, channels: 1, rows: 16, columns: 16, framesPerSecond: 25)
        for frame in 0..<10_000 {
            try [UInt8](repeating: UInt8(truncatingIfNeeded: frame), count: 256).withUnsafeBytes { try writer.append($0) }
        }
        try writer.commit()
        let loaded = try await ClipLoaderTests.loader(frames: 16, channels: 1, rows: 16, columns: 16).load(folder("a.bin"))
        let expected = FrameSampling.uniform(16, of: 10_000).flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 256) }
        #expect(loaded.clip.pixels == .bytes(expected))
    }
}
