import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Small videos made by the installed ffmpeg.
struct Videos {
    let folder: TestFolder
    let ffmpeg: FFmpeg

    /// Tests that need ffmpeg are skipped if it is not installed (`Scripts/test.sh` installs it).
    static let isInstalled: Bool =
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/ffmpeg")
        }

    init() async throws {
        folder = try TestFolder()
        ffmpeg = try await FFmpeg.locate()
    }

    /// Runs ffmpeg with `arguments` and returns its standard output.
    @discardableResult
    func run(_ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ffmpeg.ffmpegPath)
        process.arguments = ["-nostdin", "-y", "-v", "error"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "ffmpeg \(arguments)")
        return bytes
    }

    /// Makes a moving test picture: H.264 in MP4, or the format of the extension.
    @discardableResult
    func make(_ name: String, size: String = "64x48", rate: Int = 10, frames: Int = 20, options: [String] = []) throws -> String {
        let path = folder(name)
        try FileManager.default.createDirectory(atPath: PathText.parent(path), withIntermediateDirectories: true)
        try run(
            ["-f", "lavfi", "-i", "testsrc=size=\(size):rate=\(rate)", "-frames:v", "\(frames)", "-pix_fmt", "yuv420p"] + options
                + ["file:" + path])
        return path
    }

    func decoder(channels: Int = 3, rows: Int = 32, columns: Int = 32) -> VideoDecoder {
        VideoDecoder(ffmpeg: ffmpeg, channels: channels, rows: rows, columns: columns)
    }

    /// Every frame of `path` as ffmpeg gives it through `filter`, (channels, pixels) each.
    func reference(_ path: String, channels: Int = 3, filter: String, pixels: Int) throws -> [[UInt8]] {
        let bytes = try run([
            "-i", "file:" + path, "-vf", filter, "-f", "rawvideo", "-pix_fmt", channels == 1 ? "gray" : "rgb24", "pipe:1",
        ])
        return stride(from: 0, to: bytes.count, by: channels * pixels).map { start in
            (0..<channels).flatMap { channel in (0..<pixels).map { bytes[start + $0 * channels + channel] } }
        }
    }
}

@Suite(.enabled(if: Videos.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VideoTests {
    static let flags = "flags=bilinear+accurate_rnd+full_chroma_int+bitexact"

    @Test(arguments: ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.webm", "a.mpg", "a.ts", "a.flv", "a.wmv", "a.ogv", "a.gif"])
    func containers(name: String) async throws {
        let videos = try await Videos()
        // MPEG-1 and -2 support few rates, including 25.
        let path = try videos.make(name, rate: 25)
        let info = try await videos.ffmpeg.probe(path)
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
        let videos = try await Videos()
        let path = try videos.make("a.mp4", frames: frames)
        let decoder = videos.decoder()
        let (clip, plan) = try await decoder.decode(path, decoder.plan(path, .uniform(count)))
        // 64x48 with a short side of 32.
        let all = try videos.reference(path, filter: "scale=43:32:\(VideoTests.flags),crop=32:32", pixels: 1024)
        #expect(all.count == frames)
        #expect(plan.indices == FrameSampling.uniform(count, of: frames))
        #expect(clip.pixels == .bytes(plan.indices.flatMap { all[$0] }))
        #expect(abs(clip.framesPerSecond - 10 * Float(count) / Float(frames)) <= 1e-4)
    }

    /// For more frames than a filter can list, all are decoded and the decoder chooses.
    @Test func manySampledFrames() async throws {
        let videos = try await Videos()
        let path = try videos.make("a.mp4", size: "32x32", rate: 100, frames: 1700)
        let decoder = videos.decoder(rows: 16, columns: 16)
        let (clip, plan) = try await decoder.decode(path, decoder.plan(path, .uniform(800)))
        let all = try videos.reference(path, filter: "scale=16:16:\(VideoTests.flags)", pixels: 256)
        #expect(plan.indices == FrameSampling.uniform(800, of: 1700))
        #expect(clip.pixels == .bytes(plan.indices.flatMap { all[$0] }))
    }

    @Test(arguments: [("64x48", 32, 32), ("48x64", 32, 32), ("64x48", 24, 40), ("30x100", 20, 20), ("16x16", 40, 24)])
    func shortSideThenCentre(size: String, rows: Int, columns: Int) async throws {
        let videos = try await Videos()
        let path = try videos.make("a.mp4", size: size, frames: 3)
        let decoder = videos.decoder(rows: rows, columns: columns)
        let clip = try await decoder.decode(path, decoder.plan(path, .all)).clip
        let sides = size.split(separator: "x").compactMap { Double($0) }
        let factor = max(Double(columns) / sides[0], Double(rows) / sides[1])
        let wide = Int((sides[0] * factor).rounded())
        let high = Int((sides[1] * factor).rounded())
        let all = try videos.reference(
            path, filter: "scale=\(wide):\(high):\(VideoTests.flags),crop=\(columns):\(rows)", pixels: rows * columns)
        #expect(clip.pixels == .bytes(all.flatMap(\.self)))
    }

    @Test func grey() async throws {
        let videos = try await Videos()
        let path = try videos.make("a.mp4", size: "32x32", frames: 3)
        let decoder = videos.decoder(channels: 1)
        let clip = try await decoder.decode(path, decoder.plan(path, .all)).clip
        let all = try videos.reference(path, channels: 1, filter: "scale=32:32:\(VideoTests.flags)", pixels: 1024)
        #expect(clip.shape.channels == 1)
        #expect(clip.pixels == .bytes(all.flatMap(\.self)))
    }

    @Test(arguments: [
        "with space.mp4", "it's \"quoted\".mp4", "-y.mp4", "🐈 äöü.mp4", "a:b,c;d.mp4", "100%d.mp4", "new\nline.mp4", "$(x) `y` |z.mp4",
    ])
    func oddNames(name: String) async throws {
        let videos = try await Videos()
        try videos.make("plain.mp4")
        try FileManager.default.moveItem(atPath: videos.folder("plain.mp4"), toPath: videos.folder(name))
        let loaded = try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(videos.folder(name))
        #expect(loaded.clip.shape.frames == 2)
    }

    @Test func soundAlone() async throws {
        let videos = try await Videos()
        let path = videos.folder("sound.mp4")
        try videos.run(["-f", "lavfi", "-i", "sine=duration=1", path])
        let error = await failure { try await videos.ffmpeg.probe(path) }
        #expect(error == VidclassError(.badData, "\(path): has no video stream (only sound or data)"))
    }

    @Test func whatIsNoVideo() async throws {
        let videos = try await Videos()
        let loader = ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16)
        try videos.make("good.mp4")
        try videos.run(["-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", videos.folder("picture.png")])
        try FileManager.default.moveItem(atPath: videos.folder("picture.png"), toPath: videos.folder("picture.mp4"))
        try videos.folder.write("empty.mp4")
        try videos.folder.write("text.mp4", text: "this is no video\n")
        try videos.folder.write("list.mp4", text: "ffconcat version 1.0\nfile good.mp4\n")
        try videos.folder.write("playlist.mp4", text: "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n")
        for (name, message) in [
            ("empty.mp4", "the file is empty"), ("text.mp4", "ffmpeg found no readable video: "),
            ("list.mp4", "Format not on whitelist"), ("playlist.mp4", "ffmpeg found no readable video: "),
            ("picture.mp4", "ffmpeg found no readable video: "),
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
        let videos = try await Videos()
        let path = videos.folder("pipe.mp4")
        #expect(mkfifo(path, 0o600) == 0)
        let error = await failure { try await videos.ffmpeg.probe(path) }
        #expect(error.message.contains("expected a file, found a pipe"))
    }

    @Test(arguments: ["a.mp4", "a.mkv", "a.avi", "a.webm"])
    func cutOff(name: String) async throws {
        let videos = try await Videos()
        try videos.make("whole/" + name, size: "160x120", rate: 25, frames: 50, options: name == "a.mp4" ? ["-movflags", "faststart"] : [])
        let bytes = try videos.folder.bytes("whole/" + name)
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32)
        for share in [0.02, 0.5, 0.8] {
            let path = try videos.folder.write("cut/" + name, Array(bytes[..<Int(Double(bytes.count) * share)]))
            let error = await failure { try await loader.load(path) }
            #expect(error.kind == .badData)
            let reasons = ["cut off: ", "ffmpeg found no readable video: ", "has no video stream ("]
            #expect(reasons.contains { error.message.contains($0) }, "\(error.message)")
        }
    }

    /// An AVI that also lists dropped frames, which have no packets, is complete; half of it is not.
    @Test func droppedFramesAreNotMissing() async throws {
        let videos = try await Videos()
        let path = try videos.make(
            "gaps.avi", rate: 25, frames: 20, options: ["-vf", "select='not(mod(n,5))'", "-fps_mode", "passthrough"])
        let ffmpeg = try await FFmpeg.locate()
        #expect(try await ffmpeg.probe(path).frames == 20)
        let bytes = try videos.folder.bytes("gaps.avi")
        let half = try videos.folder.write("half.avi", Array(bytes.prefix(bytes.count / 2)))
        let error = await failure { try await ffmpeg.probe(half) }
        #expect(error.message.contains("cut off: "), "\(error.message)")
    }

    /// Flipped bits give frames or an error, nothing else.
    @Test func damaged() async throws {
        let videos = try await Videos()
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
        let videos = try await Videos()
        let path = try videos.make("a.mkv", size: "2000x16", frames: 2)
        let error = await failure { try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(path) }
        #expect(error.message.contains("found 2000x16"))
    }
}

/// Scripts that behave like a broken ffmpeg.
@Suite struct ForeignFFmpegTests {
    /// A script that answers as ffprobe does for a video of 20 frames.
    static let probe = "echo codec_name=h264; echo width=64; echo height=48; echo avg_frame_rate=10/1; echo nb_read_packets=20"

    static func ffmpeg(_ folder: TestFolder, ffmpeg: String, ffprobe: String = probe, seconds: Int = 1) throws -> FFmpeg {
        FFmpeg(
            ffmpegPath: try folder.program("ffmpeg", ffmpeg), ffprobePath: try folder.program("ffprobe", ffprobe), version: "6.0",
            timeLimit: .seconds(seconds))
    }

    static func load(_ folder: TestFolder, _ ffmpeg: FFmpeg) async throws -> LoadedClip {
        let path = try folder.write("a.mp4", text: "x")
        return try await ClipLoader(frames: 4, channels: 3, rows: 8, columns: 8, finder: FFmpegFinder { ffmpeg }).load(path)
    }

    /// The child is killed with its own children: the sleeping one would keep the pipe open for five minutes.
    @Test func oneThatHangs() async throws {
        let folder = try TestFolder()
        let hanging = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "sleep 300 & sleep 300", seconds: 10)
        let error = await failure { try await ForeignFFmpegTests.load(folder, hanging) }
        #expect(error.kind == .badData)
        #expect(error.message.contains("ffmpeg was stopped after 10 seconds"))
        let probing = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "exit 0", ffprobe: "sleep 300")
        #expect(
            await failure { try await ForeignFFmpegTests.load(folder, probing) }.message.contains("ffprobe was stopped after 1 seconds"))
    }

    @Test func oneThatSpews() async throws {
        let folder = try TestFolder()
        let spewing = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "cat /dev/zero", seconds: 60)
        #expect(await failure { try await ForeignFFmpegTests.load(folder, spewing) }.message.contains("it wrote more than the 4 frames"))
        let complaining = try ForeignFFmpegTests.ffmpeg(
            folder, ffmpeg: "head -c 5000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo '[h264 @ 0x55] the reason' >&2; exit 1",
            seconds: 60)
        #expect(
            await failure { try await ForeignFFmpegTests.load(folder, complaining) }.message.hasSuffix(
                "ffmpeg cannot decode it: the reason"))
    }

    /// If there are fewer frames than packets, they are counted by decoding and chosen again.
    @Test func fewerFramesThanPackets() async throws {
        let folder = try TestFolder()
        let counting = try ForeignFFmpegTests.ffmpeg(
            folder, ffmpeg: "case \"$*\" in *'eq(n,2)'*) head -c 384 /dev/zero;; *) head -c 768 /dev/zero;; esac",
            ffprobe: "case \"$*\" in *-count_frames*) echo nb_read_frames=6;; *) echo nb_read_packets=20;; esac; "
                + "echo codec_name=h264; echo width=64; echo height=48; echo avg_frame_rate=10/1", seconds: 60)
        // For 20 packets frames 2, 7, 12, 17; for 6 frames 0, 2, 3, 5, whose list contains "between(n,2,3)".
        let loaded = try await ForeignFFmpegTests.load(folder, counting)
        #expect(loaded.sourceFrames == 6)
        #expect(loaded.clip.shape.frames == 4)
    }

    @Test func oneThatStopsEarly() async throws {
        let folder = try TestFolder()
        let short = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "head -c 200 /dev/zero", seconds: 60)
        #expect(
            await failure { try await ForeignFFmpegTests.load(folder, short) }.message.contains("ffmpeg stopped in the middle of frame 1"))
        let silent = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "exit 0", seconds: 60)
        #expect(await failure { try await ForeignFFmpegTests.load(folder, silent) }.message.contains("no frame could be decoded"))
        let killed = try ForeignFFmpegTests.ffmpeg(folder, ffmpeg: "kill -9 $$", seconds: 60)
        #expect(await failure { try await ForeignFFmpegTests.load(folder, killed) }.message.contains("ffmpeg cannot decode it"))
    }

    /// The child cannot write a file, whatever a video makes it do: its limits are set as soon as it has started.
    @Test func oneThatWritesFiles() async throws {
        let folder = try TestFolder()
        let writing = try ForeignFFmpegTests.ffmpeg(
            folder,
            ffmpeg: "for i in $(seq 400); do [ \"$(ulimit -f)\" = 0 ] && break; sleep 0.05; done; "
                + "echo stolen > '\(folder("stolen"))'; head -c 768 /dev/zero", seconds: 60)
        _ = try? await ForeignFFmpegTests.load(folder, writing)
        #expect(try folder.bytes("stolen").isEmpty)
    }

    @Test func looking() async throws {
        let folder = try TestFolder()
        let none = await failure { try await FFmpeg.locate(environment: ["PATH": folder.path]) }
        #expect(none.kind == .missingInput)
        #expect(none.message.contains("ffmpeg is not installed") && none.message.contains("apt-get install ffmpeg"))
        let wrong = await failure { try await FFmpeg.locate(environment: ["PATH": folder.path, "VIDCLASS_FFMPEG": "/nowhere/ffmpeg"]) }
        #expect(wrong.kind == .missingInput && wrong.message.contains("there is no program /nowhere/ffmpeg"))

        let program = try folder.program("bin/ffmpeg", "echo ffmpeg version n7.1-12 Copyright")
        let alone = await failure { try await FFmpeg.locate(environment: ["PATH": "", "VIDCLASS_FFMPEG": program]) }
        #expect(alone.message.contains("ffprobe is not installed"))
        _ = try folder.program("bin/ffprobe", "exit 0")
        for named in [program, folder("bin")] {
            let found = try await FFmpeg.locate(environment: ["PATH": "", "VIDCLASS_FFMPEG": named, "VIDCLASS_FFMPEG_SECONDS": "9"])
            #expect(found == FFmpeg(ffmpegPath: program, ffprobePath: folder("bin/ffprobe"), version: "n7.1-12", timeLimit: .seconds(9)))
        }
        _ = try folder.program("bin/ffmpeg", "echo something else")
        let broken = await failure { try await FFmpeg.locate(environment: ["PATH": folder("bin")]) }
        #expect(broken.message.contains("does not work"))
    }
}
