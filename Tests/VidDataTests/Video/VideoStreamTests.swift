import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Videos that are decoded while they come, against the same bytes as files.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: streams of video are not tested"))
struct VideoStreamTests {
    private let loader = ClipLoader(frames: 4, channels: 1, rows: 16, columns: 48)

    private struct Window: Equatable {
        let window: ClipWindow
        let clip: Clip
        let validFrames: Int
    }

    private func ofFile(_ path: String, _ length: Double, _ stride: Double) async throws -> [Window] {
        let times = try await loader.times(of: path)
        let plan = try times.windows(length: length, stride: stride, path: path)
        var found: [Window] = []
        try await loader.load(path, views: plan.map(\.view)) { place, loaded in
            let window = plan[place]
            let end = min(window.length, (times.ended.duration ?? 0) - window.start)
            found.append(
                Window(window: ClipWindow(start: window.start, length: end), clip: loaded.clip, validFrames: loaded.validFrames))
        }
        return found.sorted { $0.window.start < $1.window.start }
    }

    /// Bytes in pieces of any size.
    private final class Pieces: @unchecked Sendable {
        private var left: ArraySlice<UInt8>
        private var random = RandomGenerator(seed: 3)
        private(set) var calls = 0

        init(_ bytes: [UInt8]) { left = bytes[...] }

        func next(_ most: Int) -> [UInt8] {
            calls += 1
            let piece = Array(left.prefix(min(most, 1 + random.below(3000))))
            left = left.dropFirst(piece.count)
            return piece
        }
    }

    private func ofStream(_ bytes: [UInt8], _ length: Double, _ stride: Double) async throws -> (windows: [Window], end: StreamResult) {
        let pieces = Pieces(bytes)
        var (stream, found) = (WindowStream?.none, [Window]())
        func takeAll() throws {
            while let (window, loaded) = try stream?.next() {
                found.append(Window(window: window, clip: loaded.clip, validFrames: loaded.validFrames))
            }
        }
        let end = try await loader.follow(StreamSource(name: "standard input") { pieces.next($0) }) {
            stream = WindowStream(loader, $0, length: length, stride: stride, name: "standard input")
        } consume: { time, frame in
            try stream?.append(time, frame)
            try takeAll()
        }
        stream?.finish(lastDuration: end.lastDuration)
        try takeAll()
        return (found, end)
    }

    private static let kinds: [(String, String)] = [
        ("a.mkv", CodedVideos.h264), ("a.ts", CodedVideos.h264), ("a.flv", CodedVideos.h264), ("a.nut", CodedVideos.h264),
        ("fragments.mp4", CodedVideos.h264 + " -movflags +frag_keyframe+empty_moov"),
        ("first.mp4", CodedVideos.h264 + " -movflags +faststart"),
        ("a.webm", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 10 -b:v 300k"), ("a.y4m", "-pix_fmt yuv420p"), ("a.ivf", "-c:v libvpx"),
        ("mjpeg.mkv", "-c:v mjpeg -pix_fmt yuvj420p"), ("ntsc.mkv", CodedVideos.h264 + " -r 30000/1001"),
        ("film.ts", CodedVideos.h264 + " -r 24000/1001"),
        ("variable.mkv", CodedVideos.h264 + " -vf select='lt(n,40)+not(mod(n,3))' -fps_mode vfr"),
    ]

    @Test(arguments: kinds) func theSameClipsAsOfTheFile(name: String, options: String) async throws {
        let videos = try CodedVideos()
        let path = try videos.make(name, options, numbers: 0..<110)
        let bytes = try videos.folder.bytes(name)
        #expect(FileContent.canBeFollowed(Array(bytes.prefix(FileContent.headSize))))
        for (length, stride) in [(1.0, 0.5), (0.7, 0.7), (2.0, 1.0 / 3)] {
            let expected = try await ofFile(path, length, stride)
            let (found, end) = try await ofStream(bytes, length, stride)
            #expect(expected.count > 3 && found.map(\.window) == expected.map(\.window), "\(name)")
            #expect(zip(found, expected).allSatisfy { $0 == $1 }, "\(name): windows of \(length) every \(stride)")
            #expect(end.damage == nil)
        }
    }

    /// More samples than libavformat is to remember: the container is opened anew again and again, and the frames are those of the file.
    @Test(arguments: ["+frag_keyframe+empty_moov", "+frag_every_frame+empty_moov+default_base_moof", "+cmaf", "+frag_keyframe"])
    func manyFragments(flags: String) async throws {
        let videos = try CodedVideos()
        let path = videos.folder("long.mp4")
        let words = "-f lavfi -i testsrc2=size=48x16:rate=25 -f lavfi -i sine -t 400 \(CodedVideos.h264) -c:a aac -movflags \(flags)"
        try FFmpegProgram.run(CodedVideos.words(words) + [path])
        let expected = try await ofFile(path, 1, 7)
        let (found, end) = try await ofStream(try videos.folder.bytes("long.mp4"), 1, 7)
        #expect(expected.count == 58 && found == expected && end.damage == nil)
    }

    /// An MP4 whose index is at its end is no stream.
    @Test func whatCannotBeFollowed() throws {
        let videos = try CodedVideos()
        for (name, options) in [("a.mp4", CodedVideos.h264), ("a.avi", "-c:v mpeg4"), ("a.gif", ""), ("a.h264", CodedVideos.h264)] {
            _ = try videos.make(name, options, numbers: 0..<10)
            #expect(!FileContent.canBeFollowed(Array(try videos.folder.bytes(name).prefix(FileContent.headSize))), "\(name)")
        }
        #expect(!FileContent.canBeFollowed(Array("hello, world".utf8)) && !FileContent.canBeFollowed([]))
    }

    /// Zeros in the middle: the frames around them are used, and the damage is told.
    @Test func damagedInTheMiddle() async throws {
        let videos = try CodedVideos()
        _ = try videos.make("a.ts", numbers: 0..<200)
        var bytes = try videos.folder.bytes("a.ts")
        let middle = bytes.count / 2 / 188 * 188
        for place in middle..<middle + 40 * 188 { bytes[place] = 0 }
        let (found, end) = try await ofStream(bytes, 1, 1)
        #expect(found.count >= 7 && end.damage != nil)
        // Cut anywhere, it is a shorter stream.
        let (half, _) = try await ofStream(Array(bytes[..<middle]), 1, 1)
        #expect(half.count >= 3 && half.prefix(3) == found.prefix(3))
    }

    @Test func whatIsNoVideo() async throws {
        let videos = try CodedVideos()
        _ = try videos.make("a.mkv", numbers: 0..<50)
        let bytes = try videos.folder.bytes("a.mkv")
        for (stream, reason) in [
            (Array(bytes.prefix(100)), "no video that FFmpeg can read"),
            (Array("not a video at all".utf8), "no video that FFmpeg can read"),
        ] {
            let error = await #expect(throws: VidclassError.self) { try await ofStream(stream, 1, 1) }
            #expect(error?.kind == .badData && error?.message.hasPrefix("standard input: ") == true)
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
    }

    /// The writer may take longer than the reader's limit, which counts its own time only.
    @Test func aWriterThatTakesItsTime() async throws {
        let videos = try CodedVideos()
        _ = try videos.make("a.mkv", numbers: 0..<30)
        let pieces = Pieces(try videos.folder.bytes("a.mkv"))
        let slow = ClipLoader(frames: 4, channels: 1, rows: 16, columns: 48, files: MediaFiles(timeLimit: .seconds(1)))
        var frames = 0
        let source = StreamSource(name: "standard input") { most in
            if pieces.calls == 1 { try await Task.sleep(for: .milliseconds(2500)) }
            return pieces.next(most)
        }
        _ = try await slow.follow(source) { _ in
        } consume: { _, _ in
            frames += 1
        }
        #expect(frames == 30)
    }

    /// An error of the source or of the consumer ends it, and the next stream gets a fresh reader.
    @Test func errorsEndIt() async throws {
        struct Mine: Error {}
        let videos = try CodedVideos()
        _ = try videos.make("a.mkv", numbers: 0..<30)
        let bytes = try videos.folder.bytes("a.mkv")
        await #expect(throws: Mine.self) {
            _ = try await loader.follow(StreamSource(name: "a") { _ in throw Mine() }) { _ in
            } consume: { _, _ in
            }
        }
        let pieces = Pieces(bytes)
        await #expect(throws: Mine.self) {
            _ = try await loader.follow(StreamSource(name: "a") { pieces.next($0) }) { _ in
            } consume: { _, _ in
                throw Mine()
            }
        }
        #expect(try await ofStream(bytes, 1, 1).windows.count == 1)
    }
}
