import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Small videos made by the installed ffmpeg.
struct Videos {
    let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// Makes a moving test picture: H.264 in MP4, or the format of the extension.
    @discardableResult
    func make(_ name: String, size: String = "64x48", rate: Int = 10, frames: Int = 20, options: [String] = []) throws -> String {
        let path = folder(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(path), withIntermediateDirectories: true)
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc=size=\(size):rate=\(rate)", "-frames:v", "\(frames)", "-pix_fmt", "yuv420p"] + options
                + ["file:" + path])
        return path
    }

    /// The frames that `selection` keeps of `path`, each once.
    func decode(
        _ path: String, _ selection: FrameSelection = .all, channels: Int = 3, rows: Int = 32, columns: Int = 32
    ) async throws -> (clip: Clip, numbers: [Int], video: VideoInfo) {
        var (numbers, rate) = ([Int](), 0.0)
        var values: [UInt8] = []
        let video = try await VideoDecoder().decode(path, [FrameSize(channels: channels, rows: rows, columns: columns)]) { video in
            (numbers, rate) = try selection.choice(of: video.times, path: path)
            values = []
            return VideoDecoder.Choice([numbers])
        } consume: { number, _, frame in
            #expect(number == numbers[values.count / (channels * rows * columns)])
            values.append(contentsOf: frame)
        }
        let shape = ClipShape(frames: numbers.count, channels: channels, rows: rows, columns: columns)
        return (Clip(shape: shape, pixels: .bytes(values), framesPerSecond: Float(rate)), numbers, video)
    }

    /// Every frame of `path` as ffmpeg gives it through `filter`, (channels, pixels) each.
    func reference(_ path: String, channels: Int = 3, filter: String, pixels: Int) throws -> [[UInt8]] {
        let bytes = try FFmpegProgram.run([
            "-i", "file:" + path, "-vf", filter, "-f", "rawvideo", "-pix_fmt", channels == 1 ? "gray" : "rgb24", "pipe:1",
        ])
        return stride(from: 0, to: bytes.count, by: channels * pixels).map { start in
            (0..<channels).flatMap { channel in (0..<pixels).map { bytes[start + $0 * channels + channel] } }
        }
    }
}

@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VideoTests {
    static let flags = "flags=bilinear+accurate_rnd+full_chroma_int+bitexact"

    @Test(arguments: ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.webm", "a.mpg", "a.ts", "a.flv", "a.wmv", "a.ogv", "a.gif"])
    func containers(name: String) async throws {
        let videos = try Videos()
        // MPEG-1 and -2 support few rates, including 25.
        let path = try videos.make(name, rate: 25)
        let info = try await VideoDecoder().information(path)
        #expect(info.rows == 48 && info.columns == 64)
        #expect(abs(info.frames - 20) <= 1, "\(info.frames) frames")
        #expect(abs(info.framesPerSecond - 25) <= 0.1)
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32)
        let loaded = try await loader.load(path)
        #expect(loaded.clip.shape == ClipShape(frames: 4, channels: 3, rows: 32, columns: 32))
        #expect(loaded.validFrames == 4)
    }

    /// The decoded frames equal the chosen ones of all frames that ffmpeg gives.
    @Test(arguments: [(1, 10), (4, 20), (16, 20), (20, 20), (7, 50)])
    func sampledFramesAreExact(count: Int, frames: Int) async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", frames: frames)
        let (clip, numbers, _) = try await videos.decode(path, .uniform(count))
        // 64x48 with a short side of 32.
        let all = try videos.reference(path, filter: "scale=43:32:\(VideoTests.flags),crop=32:32", pixels: 1024)
        #expect(all.count == frames)
        #expect(numbers == FrameSampling.uniform(count, of: frames))
        #expect(clip.pixels == .bytes(numbers.flatMap { all[$0] }))
        #expect(abs(clip.framesPerSecond - 10 * Float(count) / Float(frames)) <= 1e-4)
    }

    @Test func manySampledFrames() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", size: "32x32", rate: 100, frames: 1700)
        let (clip, numbers, _) = try await videos.decode(path, .uniform(800), rows: 16, columns: 16)
        let all = try videos.reference(path, filter: "scale=16:16:\(VideoTests.flags)", pixels: 256)
        #expect(numbers == FrameSampling.uniform(800, of: 1700))
        #expect(clip.pixels == .bytes(numbers.flatMap { all[$0] }))
    }

    @Test(arguments: [("64x48", 32, 32), ("48x64", 32, 32), ("64x48", 24, 40), ("30x100", 20, 20), ("16x16", 40, 24)])
    func shortSideThenCentre(size: String, rows: Int, columns: Int) async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", size: size, frames: 3)
        let clip = try await videos.decode(path, rows: rows, columns: columns).clip
        let sides = size.split(separator: "x").compactMap { Double($0) }
        let factor = max(Double(columns) / sides[0], Double(rows) / sides[1])
        let wide = Int((sides[0] * factor).rounded())
        let high = Int((sides[1] * factor).rounded())
        let all = try videos.reference(
            path, filter: "scale=\(wide):\(high):\(VideoTests.flags),crop=\(columns):\(rows)", pixels: rows * columns)
        #expect(clip.pixels == .bytes(all.flatMap(\.self)))
    }

    @Test func grey() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mp4", size: "32x32", frames: 3)
        let clip = try await videos.decode(path, channels: 1).clip
        let all = try videos.reference(path, channels: 1, filter: "scale=32:32:\(VideoTests.flags)", pixels: 1024)
        #expect(clip.shape.channels == 1)
        #expect(clip.pixels == .bytes(all.flatMap(\.self)))
    }

    @Test(arguments: [
        "with space.mp4", "it's \"quoted\".mp4", "-y.mp4", "🐈 äöü.mp4", "a:b,c;d.mp4", "100%d.mp4", "new\nline.mp4", "$(x) `y` |z.mp4",
    ])
    func oddNames(name: String) async throws {
        let videos = try Videos()
        try videos.make("plain.mp4")
        try FileManager.default.moveItem(atPath: videos.folder("plain.mp4"), toPath: videos.folder(name))
        let loaded = try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(videos.folder(name))
        #expect(loaded.clip.shape.frames == 2)
    }

    @Test func soundAlone() async throws {
        let videos = try Videos()
        let path = videos.folder("sound.mp4")
        try FFmpegProgram.run(["-f", "lavfi", "-i", "sine=duration=1", path])
        let error = await failure { try await VideoDecoder().information(path) }
        #expect(error == VidclassError(.badData, "\(path): has no video stream (only sound)"))
    }

    @Test func whatIsNoVideo() async throws {
        let videos = try Videos()
        let loader = ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16)
        try videos.make("good.mp4")
        try FFmpegProgram.run(["-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", videos.folder("picture.png")])
        try FileManager.default.moveItem(atPath: videos.folder("picture.png"), toPath: videos.folder("picture.mp4"))
        try videos.folder.write("empty.mp4")
        try videos.folder.write("text.mp4", text: "this is no video\n")
        try videos.folder.write("list.mp4", text: "ffconcat version 1.0\nfile good.mp4\n")
        try videos.folder.write("playlist.mp4", text: "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n")
        for (name, message) in [
            ("empty.mp4", "the file is empty"), ("text.mp4", "not a clip but a text file"),
            ("list.mp4", "not a clip but a playlist"), ("playlist.mp4", "not a clip but a playlist"),
            ("picture.mp4", "not a clip but a picture (PNG)"),
        ] {
            let error = await failure { try await loader.load(videos.folder(name)) }
            #expect(error.kind == .badData)
            #expect(error.message.hasPrefix(videos.folder(name) + ": ") && error.message.contains(message), "\(error.message)")
        }
        #expect(await failure { try await loader.load("http://127.0.0.1:9/a.mp4") }.kind == .missingInput)
        #expect(await failure { try await loader.load(videos.folder("none.mp4")) }.kind == .missingInput)
        #expect(await failure { try await loader.load(videos.folder("none.txt")) }.kind == .missingInput)
    }

    @Test func aPipeIsNotWaitedFor() async throws {
        let videos = try Videos()
        let path = videos.folder("pipe.mp4")
        #expect(mkfifo(path, 0o600) == 0)
        let error = await failure { try await VideoDecoder().information(path) }
        #expect(error.message.contains("expected a file, found a pipe"))
    }

    /// A container that lists frames which are not there is refused.
    @Test(arguments: ["a.mp4", "a.avi"])
    func cutOff(name: String) async throws {
        let videos = try Videos()
        try videos.make("whole/" + name, size: "160x120", rate: 25, frames: 50, options: name == "a.mp4" ? ["-movflags", "faststart"] : [])
        let bytes = try videos.folder.bytes("whole/" + name)
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32)
        for share in [0.02, 0.5, 0.8] {
            let path = try videos.folder.write("cut/" + name, Array(bytes[..<Int(Double(bytes.count) * share)]))
            let error = await failure { try await loader.load(path) }
            #expect(error.kind == .badData)
            let reasons = ["cut off: ", "no video that FFmpeg can read: ", "has no video stream ("]
            #expect(reasons.contains { error.message.contains($0) }, "\(error.message)")
        }
    }

    /// An AVI that also lists dropped frames, which have no packets, is complete; half of it is not.
    @Test func droppedFramesAreNotMissing() async throws {
        let videos = try Videos()
        let path = try videos.make(
            "gaps.avi", rate: 25, frames: 20, options: ["-vf", "select='not(mod(n,5))'", "-fps_mode", "passthrough"])
        let video = try await VideoDecoder().information(path)
        // One frame of five is left.
        #expect(video.frames == 20 && abs((video.times.time(of: 3) ?? 0) - 0.6) <= 1e-9)
        let bytes = try videos.folder.bytes("gaps.avi")
        let half = try videos.folder.write("half.avi", Array(bytes.prefix(bytes.count / 2)))
        let error = await failure { try await VideoDecoder().information(half) }
        #expect(error.message.contains("cut off: "), "\(error.message)")
    }

    /// Flipped bits give frames or an error, nothing else.
    @Test func damaged() async throws {
        let videos = try Videos()
        try videos.make("a.mp4")
        let bytes = try videos.folder.bytes("a.mp4")
        let loader = ClipLoader(frames: 4, channels: 3, rows: 16, columns: 16)
        var random = RandomGenerator(seed: 20)
        for _ in 0..<12 {
            var damaged = bytes
            for _ in 0..<5 { damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8)) }
            let path = try videos.folder.write("damaged.mp4", damaged)
            do {
                #expect(try await loader.load(path).clip.shape.frames == 4)
            } catch let error as VidclassError {
                #expect(error.kind == .badData)
            }
        }
    }

    @Test func picturesOfAbsurdShape() async throws {
        let videos = try Videos()
        let path = try videos.make("a.mkv", size: "2000x16", frames: 2)
        let error = await failure { try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(path) }
        #expect(error.message.contains("found 2000x16"))
    }
}

@Suite struct FFmpegProgramTests {
    @Test func looking() async throws {
        let folder = try TestFolder()
        let none = await failure { try await FFmpeg.locate(environment: ["PATH": folder.path]) }
        #expect(none.kind == .missingInput)
        #expect(none.message.contains("ffmpeg is not installed") && none.message.contains("apt-get install ffmpeg"))
        let wrong = await failure { try await FFmpeg.locate(environment: ["PATH": folder.path, "VIDCLASS_FFMPEG": "/nowhere/ffmpeg"]) }
        #expect(wrong.kind == .missingInput && wrong.message.contains("there is no program /nowhere/ffmpeg"))

        let program = try folder.program("bin/ffmpeg", "echo ffmpeg version n7.1-12 Copyright")
        for named in [program, folder("bin")] {
            let found = try await FFmpeg.locate(environment: ["PATH": "", "VIDCLASS_FFMPEG": named])
            #expect(found == FFmpeg(path: program, version: "n7.1-12"))
        }
        _ = try folder.program("bin/ffmpeg", "echo something else")
        let broken = await failure { try await FFmpeg.locate(environment: ["PATH": folder("bin")]) }
        #expect(broken.message.contains("does not work"))
    }
}
