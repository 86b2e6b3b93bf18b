import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// A part of a file is loaded and examined as the same frames as a file of their own.
@Suite struct SegmentLoadingTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func npy(_ clip: Clip) -> [UInt8] {
        let shape = clip.shape
        return FileBytes.npy(
            NumpyFileTests.dictionary("|u1", "\(shape.frames), \(shape.channels), \(shape.rows), \(shape.columns)"),
            clip.withUnsafeBytes { Array($0) })
    }

    @Test(arguments: SamplingType.allCases)
    func arrays(type: SamplingType) async throws {
        let whole = patternClip(ClipViewTests.shape, framesPerSecond: 10)
        let part = whole.selecting(Array(7..<19), framesPerSecond: 10)
        try ClipFile.write(whole, to: folder("a.bin"))
        try ClipFile.write(part, to: folder("part.bin"))
        try folder.write("a.npy", npy(whole))
        try folder.write("part.npy", npy(part))
        let loader = ClipViewTests.loader(type)
        let cases =
            [("a.bin#t=0.7,1.9", "part.bin"), ("a.bin#frame=7,19", "part.bin")] + (type == .fps ? [] : [("a.npy#frame=7,19", "part.npy")])
        for (name, file) in cases {
            var views: [ClipView] = [
                .whole, .evaluation(index: 2, count: 3), .training(seed: 1, stream: 7), .training(seed: 1, stream: 8),
            ]
            if file == "part.bin" { views += [.window(start: 0.3, length: 0.5), .window(start: 1, length: 5)] }
            var one: [LoadedClip] = []
            for view in views {
                let (found, own) = (try await loader.load(folder(name), view), try await loader.load(folder(file), view))
                #expect(found.clip == own.clip && found.validFrames == own.validFrames && found.sourceFrames == 12)
                #expect(found.moments.map(\.frame) == own.moments.map { $0.frame + 7 })
                if file == "part.bin" { #expect(found.moments.map(\.seconds) == found.moments.map { Double($0.frame) / 10 }) }
                one.append(found)
            }
            #expect(try await ClipViewTests.all(loader, folder(name), views) == one)
            #expect(try await loader.times(of: folder(name)) == loader.times(of: folder(file)))
        }
    }

    /// Only the part of an array is read: what is wrong elsewhere does not matter.
    @Test func otherPartsAreNotRead() async throws {
        let shape = ClipShape(frames: 10, channels: 1, rows: 4, columns: 4)
        var values = [Float](repeating: 0.5, count: shape.count)
        values[16 * 8 + 3] = .nan
        try folder.write("a.npy", FileBytes.npy(NumpyFileTests.dictionary("<f4", "10, 1, 4, 4"), values.withUnsafeBytes { Array($0) }))
        let loader = ClipLoader(frames: 2, channels: 1, rows: 4, columns: 4)
        #expect(try await loader.load(folder("a.npy#frame=0,8")).clip.shape.frames == 2)
        let error = await failure { try await loader.load(folder("a.npy#frame=6,9")) }
        #expect(error.message.contains("in frame 8"))
    }

    @Test func soundsAreCutBeforeTheirSpectrum() async throws {
        let rate = 8000
        let samples = TestSounds.integers(TestSounds.chirp(seconds: 4, from: 300, to: 3000, sampleRate: rate, noise: 0.01))
        try folder.write("a.wav", TestSounds.wave(samples, sampleRate: rate))
        try folder.write("part.wav", TestSounds.wave(Array(samples[(rate * 5 / 4)..<(rate * 3)]), sampleRate: rate))
        var audio = AudioConfiguration()
        audio.sampleRate = rate
        let loader = ClipLoader(frames: 4, channels: 1, rows: 16, columns: 8, audio: audio)
        let found = try await loader.load(folder("a.wav#t=1.25,3"))
        let own = try await loader.load(folder("part.wav"))
        #expect(found.clip == own.clip && found.sourceFrames == own.sourceFrames)
        #expect(zip(found.moments, own.moments).allSatisfy { abs(($0.seconds ?? .nan) - ($1.seconds ?? .nan) - 1.25) <= 1e-9 })
        #expect(await failure { try await loader.load(folder("a.wav#t=3,9")) }.message.contains("ends at 9, but a.wav ends at 4 seconds"))
        #expect(await failure { try await loader.load(folder("a.wav#t=3,1")) }.message.contains("before it starts"))
        #expect(await failure { try await loader.load(folder("a.wav#frame=0,1")) }.message.contains("by seconds"))
        let information = try await ClipInformation.read(folder("a.wav#t=1.25,3"))
        #expect(information.sound.map { abs($0.seconds - 1.75) <= 1e-9 } == true)
    }

    /// The check of a part finds what the check of the same frames as a file finds; its facts are its own.
    @Test func facts() async throws {
        var random = RandomGenerator(seed: 5)
        let shape = ClipShape(frames: 40, channels: 3, rows: 32, columns: 32)
        let whole = Clip(
            shape: shape, pixels: .bytes((0..<shape.count).map { _ in UInt8(random.below(256)) }), framesPerSecond: 10)
        try ClipFile.write(whole, to: folder("v.bin"))
        try ClipFile.write(whole.selecting(Array(10..<25), framesPerSecond: 10), to: folder("part.bin"))
        let table = ["v.bin#t=1,2.5", "part.bin", "v.bin#t=0,1", "v.bin#t=2,9", "v.bin#t=3,3", "v.bin#frame=25,40"]
        let data = try DataSet.table(table.enumerated().map { ($1, $0 % 2 == 0 ? "x" : "y") }, in: folder)
        let cache = CountingCache()
        for _ in 0..<2 {
            let report = try await DataCheck(clipCache: cache).run(data)
            let facts = report.clips.map(\.facts)
            #expect(facts[0] == facts[1] && facts[0]?.frames == 15 && facts[2]?.frames == 10 && facts[5]?.frames == 15)
            #expect(facts[0]?.digest != facts[5]?.digest)
            #expect(report.bad.map(\.entry.id) == ["v.bin#t=2,9", "v.bin#t=3,3"])
            #expect(
                report.bad[0].reason
                    == "the segment ends at 9, but v.bin ends at 4 seconds; set its end to 4, or check that this is the right video")
        }
        #expect(cache.hits == 4)
    }
}

extension DataSet {
    /// Opens a table of clips and labels, some of them with a split.
    static func table(_ rows: [(path: String, label: String)], splits: [String]? = nil, in folder: TestFolder) throws -> DataSet {
        var text = splits == nil ? "path,label\n" : "path,label,split\n"
        for (place, row) in rows.enumerated() { text += CSVText.line([row.path, row.label] + (splits.map { [$0[place]] } ?? [])) }
        return try DataSet.open(try folder.write("table.csv", text: text), split: .none)
    }
}

/// Parts of videos: the frames of a full decoding, whatever the container and the rate.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VideoSegmentTests {
    private let videos: CodedVideos

    init() throws { videos = try CodedVideos() }

    @Test(arguments: [
        ("a.mp4", CodedVideos.h264), ("a.mkv", CodedVideos.h264), ("a.ts", CodedVideos.h264), ("a.avi", "-c:v mpeg4 -q:v 2 -g 30"),
        ("a.webm", "-c:v libvpx -cpu-used 8 -b:v 2M"), ("a.h264", CodedVideos.h264),
    ])
    func frames(name: String, options: String) async throws {
        let path = try videos.make(name, options, numbers: 0..<150)
        for (start, end) in [(0, 20), (30, 31), (37, 70), (140, 150)] {
            let times = "#t=\(Double(start) / 25),\(Double(end) / 25)"
            for address in [path + times, path + "#frame=\(start),\(end)"] {
                #expect(try await videos.uniform(end - start, address) == Array(start..<end), "\(address)")
                // A clip of one frame repeats it.
                let some = FrameSampling.uniform(5, of: end - start)
                #expect(try await videos.uniform(5, address) == (0..<5).map { start + some[$0 % some.count] }, "\(address)")
            }
        }
        #expect(try await videos.uniform(4, path + "#t=4,6", .window(start: 0.4, length: 0.4)) == [111, 113, 116, 118])
    }

    /// The frames of a lossless video, as a part of it and as a video of their own, are the same bits, and so are their facts.
    @Test func aVideoOfItsOwn() async throws {
        let lossless = "-c:v ffv1"
        let path = try videos.make("a.mkv", lossless, numbers: 0..<120)
        let own = try videos.make("own.mkv", lossless, numbers: 40..<90)
        let loader = ClipLoader(frames: 7, channels: 3, rows: 24, columns: 40)
        for view in [ClipView.whole, .evaluation(index: 1, count: 2), .training(seed: 3, stream: 1), .window(start: 0.5, length: 1)] {
            let (found, expected) = (try await loader.load(path + "#t=1.6,3.6", view), try await loader.load(own, view))
            #expect(found.clip == expected.clip && found.moments.map(\.frame) == expected.moments.map { $0.frame + 40 })
        }
        let data = try DataSet.table([(path + "#t=1.6,3.6", "x"), (own, "y")], in: videos.folder)
        let facts = try await DataCheck().run(data).facts
        #expect(facts.count == 2 && facts[0] == facts[1])
    }

    /// 60 frames a second for two seconds, then 5 a second.
    @Test func variableRate() async throws {
        let path = try videos.make(
            "a.mp4",
            "-vf settb=1/90000,setpts='if(lt(N,120),N/60,2+(N-120)/5)/TB' -fps_mode passthrough -enc_time_base 1/90000 " + CodedVideos.h264,
            numbers: 0..<160)
        // From the frame at 1 second, those on the screen after 0.94, 2.81, 4.69 and 6.56 of the 7.5 seconds that are left.
        #expect(try await videos.uniform(4, path + "#t=0.99,8.5") == [116, 129, 138, 147])
        #expect(try await videos.uniform(30, path + "#t=0.49,0.99") == Array(30..<60))
        #expect(try await videos.uniform(10, path + "#t=1.99,3.95") == Array(120..<130))
        let loaded = try await ClipLoader(frames: 10, channels: 1, rows: 8, columns: 8).load(path + "#t=1.99,3.95")
        let expected = (0..<10).map { 2 + Double($0) / 5 }
        #expect(zip(loaded.moments, expected).allSatisfy { abs(($0.seconds ?? .nan) - $1) <= 1e-4 })
    }

    /// A reader that has a video open reads one part after another as a new one does.
    @Test func manyPartsInOneReader() async throws {
        let path = try videos.make("a.mp4", numbers: 0..<200)
        let other = try videos.make("b.mp4", numbers: 300..<400)
        let files = MediaFiles(readers: Readers(limit: 1))
        let loader = ClipLoader(frames: 6, channels: 3, rows: 24, columns: 40, files: files)
        for start in [150, 20, 90, 20, 199 - 30] {
            let found = try await loader.load(path + "#frame=\(start),\(start + 30)")
            let fresh = ClipLoader(frames: 6, channels: 3, rows: 24, columns: 40, files: MediaFiles(readers: Readers(limit: 1)))
            #expect(found == (try await fresh.load(path + "#frame=\(start),\(start + 30)")))
            if start == 90 { #expect(try await loader.load(other + "#frame=5,30").moments.first?.frame == 7) }
        }
        // A file that has changed is opened anew.
        try FileManager.default.removeItem(atPath: path)
        try videos.make("a.mp4", numbers: 0..<50)
        let error = await failure { try await loader.load(path + "#frame=150,180") }
        #expect(error.message.contains("starts at 150, but a.mp4 ends at 50 frames"))
    }

    /// Damage in one place is not said of parts that are elsewhere, and a part of a video that is cut off can be used.
    @Test func damageElsewhere() async throws {
        try videos.make("a.ts", numbers: 0..<200)
        let damaged = try videos.change("a.ts", to: "damaged.ts") { bytes in
            // In packets of the last third, beyond their headers.
            var at = bytes.count * 5 / 6 / 188 * 188
            for _ in 0..<8 {
                for place in 20..<160 { bytes[at + place] ^= 0x5A }
                at += 188
            }
        }
        try videos.make("b.mp4", CodedVideos.h264 + " -movflags +faststart", numbers: 0..<200, scale: 2)
        let cut = try videos.change("b.mp4", to: "cut.mp4") { $0.removeLast($0.count / 3) }
        let paths = [damaged + "#frame=0,50", cut + "#frame=0,50", cut, damaged, cut + "#frame=190,200"]
        let data = try DataSet.table(paths.enumerated().map { ($1, $0 % 2 == 0 ? "x" : "y") }, in: videos.folder)
        let report = try await DataCheck().run(data)
        for place in [0, 1] { #expect(report.clips[place].facts?.frames == 50 && report.clips[place].facts?.damage == nil) }
        #expect(report.clips[2].reason?.contains("cut off") == true)
        #expect(report.clips[3].facts?.damage != nil || report.clips[3].facts == nil)
        #expect(report.clips[4].reason?.contains("starts at 190, but cut.mp4 ends at") == true, "\(report.clips[4].reason ?? "")")
    }

    /// Packing keeps the frames of the part.
    @Test func packed() async throws {
        let path = try videos.make("a.mkv", "-c:v ffv1", numbers: 0..<100)
        let own = try videos.make("own.mkv", "-c:v ffv1", numbers: 25..<50)
        var options = PackJob.Options()
        (options.rows, options.columns, options.selection) = (16, 32, FrameSelection(frames: 5))
        for (source, name) in [(path + "#t=1,2", "a-t1-2.bin"), (own, "own.bin")] {
            let report = try await PackJob(source: source, destination: videos.folder("packed"), options: options).run()
            #expect(report.packed.count == 1)
            #expect(try videos.folder.names("packed").contains(name))
        }
        #expect(try videos.folder.bytes("packed/a-t1-2.bin") == videos.folder.bytes("packed/own.bin"))
        // Another part of the same size replaces the first.
        _ = try await PackJob(source: path + "#t=1,2", destination: videos.folder("one.bin"), options: options).run()
        _ = try await PackJob(source: path + "#t=2,3", destination: videos.folder("one.bin"), options: options).run()
        #expect(try videos.folder.bytes("one.bin") != videos.folder.bytes("packed/own.bin"))
    }
}
