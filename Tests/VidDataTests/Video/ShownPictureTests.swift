import Testing
import VidData
import VidSystem
import VidTestSupport

/// Which picture of a file is taken, and how it is turned and stretched before it is scaled.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct ShownPictureTests {
    private let videos: CodedVideos

    init() throws { videos = try CodedVideos() }

    // MARK: Streams

    /// The stream with the flag "default" is taken, as players do, and not a cover picture.
    @Test(arguments: [0, 1])
    func ofTwoStreams(chosen: Int) async throws {
        let path = videos.folder("two.mkv")
        try FFmpegProgram.run(
            videos.input(0..<50) + videos.input(1000..<1100)
                + CodedVideos.words("-map 0:v -map 1:v \(CodedVideos.h264) -disposition:v:\(chosen) default -disposition:v:\(1 - chosen) 0")
                + [path])
        let all = try await videos.decode(path)
        #expect(all.video.streams == 2 && all.video.chosen == chosen)
        #expect(all.numbers == Array(chosen == 0 ? 0..<50 : 1000..<1100))
    }

    @Test func coverPicture() async throws {
        try videos.make("cover.png", "-frames:v 1", numbers: 1000..<1001)
        let path = videos.folder("a.mp4")
        try FFmpegProgram.run(
            ["-i", videos.folder("cover.png")] + videos.input(0..<50)
                + CodedVideos.words("-map 0:v -map 1:v \(CodedVideos.h264) -c:v:0 copy -disposition:v:0 attached_pic") + [path])
        let all = try await videos.decode(path)
        #expect(all.video.streams == 1 && all.video.chosen == 0)
        #expect(all.numbers == Array(0..<50))
    }

    // MARK: Shapes

    /// Frames of (rows, columns), grey, and the video's description.
    private func frames(_ path: String, rows: Int, columns: Int, deinterlaces: Bool = true) async throws -> (VideoInfo, [[UInt8]]) {
        var frames: [[UInt8]] = []
        let video = try await VideoDecoder(deinterlaces: deinterlaces).decode(
            path, [FrameSize(channels: 1, rows: rows, columns: columns)]
        ) { video in
            frames = []
            return VideoDecoder.Choice([Array(0..<video.frames)])
        } consume: { _, _, frame in
            frames.append([UInt8](frame))
        }
        return (video, frames)
    }

    /// PAL's pixels are wider than high where a 16:9 picture was stored: a circle stays round.
    @Test(arguments: [
        ("a.mpg", "-c:v mpeg2video -q:v 2"), ("a.mp4", CodedVideos.h264), ("a.mkv", "-c:v ffv1"), ("a.avi", "-c:v mpeg4 -q:v 2"),
    ])
    func aCircleStaysRound(name: String, options: String) async throws {
        var circle: [UInt8] = []
        for y in 0..<144 {
            for x in 0..<180 {
                let (across, up) = (Double(x) * 64 / 45 - 128, Double(y) - 72)
                circle.append(across * across + up * up < 60 * 60 ? 255 : 0)
            }
        }
        let path = videos.folder(name)
        try FFmpegProgram.run(
            videos.input(circle + circle, columns: 180, rows: 144) + CodedVideos.words("-vf setsar=64/45 -pix_fmt yuv420p " + options) + [
                path
            ])
        let (video, found) = try await frames(path, rows: 144, columns: 144)
        #expect(video.rows == 144 && video.columns == 256)
        #expect(found.count == 2)
        for frame in found {
            let lit = frame.indices.filter { frame[$0] > 127 }
            let (columns, rows) = (lit.map { $0 % 144 }, lit.map { $0 / 144 })
            let width = (columns.max() ?? 0) - (columns.min() ?? 0) + 1
            let height = (rows.max() ?? 0) - (rows.min() ?? 0) + 1
            #expect(abs(width - 120) <= 2 && abs(height - 120) <= 2, "\(width) x \(height)")
        }
    }

    /// What a player shows of a picture with quarters of grey 255, 170 / 85, 0 that is stored with a matrix a, b, c, d: a step to the
    /// right in the file goes (a, b) to the right and down on the screen, a step down goes (c, d) (ISO/IEC 14496-12, 8.3.2).
    @Test(arguments: [
        ([1, 0, 0, 1], [255, 170, 85, 0]), ([0, 1, -1, 0], [85, 255, 0, 170]), ([-1, 0, 0, -1], [0, 85, 170, 255]),
        ([0, -1, 1, 0], [170, 0, 255, 85]), ([-1, 0, 0, 1], [170, 255, 0, 85]), ([1, 0, 0, -1], [85, 0, 255, 170]),
        ([0, 1, 1, 0], [255, 85, 170, 0]), ([0, -1, -1, 0], [0, 170, 85, 255]),
    ])
    func turnedAndMirrored(matrix: [Int], quarters: [Int]) async throws {
        var picture: [UInt8] = []
        for y in 0..<64 { for x in 0..<96 { picture.append(y < 32 ? (x < 48 ? 255 : 170) : (x < 48 ? 85 : 0)) } }
        // Pixels twice as wide as high: 192 x 64.
        let options = "-vf setsar=2/1 \(CodedVideos.h264)"
        try FFmpegProgram.run(videos.input(picture, columns: 96, rows: 64) + CodedVideos.words(options) + [videos.folder("upright.mp4")])
        let path = try videos.change("upright.mp4", to: "turned.mp4") { bytes in
            let track = try #require(bytes.firstRange(of: Array("tkhd".utf8))?.upperBound)
            for (place, sign) in zip([0, 1, 3, 4], matrix) {
                Swift.withUnsafeBytes(of: UInt32(bitPattern: Int32(sign << 16)).bigEndian) {
                    bytes.replaceSubrange(track + 40 + 4 * place..<track + 44 + 4 * place, with: $0)
                }
            }
        }
        let isTransposed = matrix[0] == 0
        let (rows, columns) = isTransposed ? (192, 64) : (64, 192)
        let (video, found) = try await frames(path, rows: rows, columns: columns)
        #expect(video.rows == rows && video.columns == columns)
        let frame = try #require(found.first)
        let places = [(1, 1), (1, 3), (3, 1), (3, 3)].map { rows * $0.0 / 4 * columns + columns * $0.1 / 4 }
        #expect(zip(places, quarters).allSatisfy { abs(Int(frame[$0]) - $1) <= 4 }, "\(places.map { frame[$0] })")
    }

    // MARK: Fields

    /// The two fields of an interlaced frame show two moments: a bar has moved on.
    @Test(arguments: ["tff", "bff"])
    func interlaced(order: String) async throws {
        let (rows, columns, count) = (64, 192, 6)
        func isLit(_ x: Int, frame: Int, isLater: Bool) -> Bool { (0..<32).contains(x - 8 - 10 * frame - (isLater ? 64 : 0)) }
        var pictures: [UInt8] = []
        for frame in 0..<count {
            for y in 0..<rows {
                let isLater = (y % 2 == 0) == (order == "bff")
                for x in 0..<columns { pictures.append(isLit(x, frame: frame, isLater: isLater) ? 255 : 0) }
            }
        }
        let path = videos.folder("a.mpg")
        let options = "-vf setfield=\(order) -c:v mpeg2video -pix_fmt yuv420p -q:v 1 -g 1 -flags +ilme+ildct -top \(order == "tff" ? 1 : 0)"
        try FFmpegProgram.run(videos.input(pictures, columns: columns, rows: rows) + CodedVideos.words(options) + [path])

        for deinterlaces in [true, false] {
            let (_, found) = try await frames(path, rows: rows, columns: columns, deinterlaces: deinterlaces)
            #expect(found.count == count)
            for (number, frame) in found.enumerated() {
                let wrong = frame.indices.filter { place in
                    let (x, y) = (place % columns, place / columns)
                    let isLater = !deinterlaces && (y % 2 == 0) == (order == "bff")
                    return (frame[place] > 127) != isLit(x, frame: number, isLater: isLater)
                }
                // Ringing at the bar's edges may move them by a pixel.
                #expect(
                    wrong.allSatisfy { place in
                        [8, 40, 72, 104].contains { abs(place % columns - $0 - 10 * number) <= 1 }
                    }, "frame \(number), \(deinterlaces): \(wrong.count)")
            }
        }
    }
}
