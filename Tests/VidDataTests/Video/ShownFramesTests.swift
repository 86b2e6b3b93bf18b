import Testing
import VidConfig
import VidData
import VidSystem
import VidTestSupport

/// Which frames a video shows, in files as recorders, editors and converters leave them.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct ShownFramesTests {
    private let videos: CodedVideos

    init() throws { videos = try CodedVideos() }

    /// Expects that the frames with these numbers are shown at a constant rate, that `uniform` takes its share of them, and that frames
    /// that are sought are those that come one after the other.
    private func expect(_ path: String, shows numbers: [Int], rate: Double = 25, _ place: SourceLocation = #_sourceLocation) async throws {
        let count = numbers.count
        let all = try await videos.decode(path)
        #expect(all.numbers == numbers, sourceLocation: place)
        #expect(abs(all.video.framesPerSecond - rate) <= 1e-9 && all.video.times.seconds == nil, sourceLocation: place)
        #expect(abs((all.video.times.duration ?? .nan) - Double(count) / rate) <= 1e-9, sourceLocation: place)
        #expect(all.video.damage == nil, sourceLocation: place)
        #expect(try await videos.uniform(8, path) == CodedVideos.middles(8, of: count).map { numbers[$0] }, sourceLocation: place)
        let some = [1, count / 3, count / 3 + 1, count - 2]
        #expect(try await videos.decode(path, some).numbers == some.map { numbers[$0] }, sourceLocation: place)
    }

    /// A phone or QuickTime hides the ends of a recording by its edit list alone.
    @Test func hiddenByAnEditList() async throws {
        try videos.make("whole.mp4", numbers: 0..<250)
        for hidden in [10, 100, 150] {
            for head in [0, 2 * hidden / 5, hidden] {
                let shown = head..<(250 - hidden + head)
                let path = try videos.change("whole.mp4", to: "cut.mp4") { $0.edit(shows: shown, rate: 25) }
                try await expect(path, shows: Array(shown))
            }
        }
    }

    /// A cut between key frames without encoding anew: the packets from the key frame on are there, hidden.
    @Test func cutByStreamCopy() async throws {
        try videos.make("whole.mp4", CodedVideos.h264.replacing("-g 25", with: "-g 250"), numbers: 0..<250)
        let path = videos.folder("cut.mp4")
        try FFmpegProgram.run(["-ss", "2.4", "-i", videos.folder("whole.mp4"), "-t", "4", "-c", "copy", path])
        let shown = try await videos.decode(path).numbers
        // It ends with the group of pictures that refer to one another.
        #expect((160...164).contains((shown.last ?? 0) + 1))
        try await expect(path, shows: Array(60..<(shown.last ?? 0) + 1))
    }

    private static let sizes = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 5 -bf 0 -f mpegts"

    /// Recordings of calls change their size in mid-stream.
    @Test(arguments: [[30, 100], [20, 60, 100], Array(stride(from: 5, through: 100, by: 5))])
    func sizeChangesInTransportStreams(ends: [Int]) async throws {
        let parts = try ends.indices.map { part in
            let range = (part == 0 ? 0 : ends[part - 1])..<ends[part]
            try videos.make("\(part).ts", ShownFramesTests.sizes, numbers: range, scale: 1 + part % 2)
            return "\(part).ts"
        }
        try await expect(try videos.join(parts, to: "joined.ts"), shows: Array(0..<100))
    }

    @Test(arguments: [[30, 100], Array(stride(from: 5, through: 100, by: 5))])
    func sizeChangesInWebM(ends: [Int]) async throws {
        var list = ""
        for (part, end) in ends.enumerated() {
            let range = (part == 0 ? 0 : ends[part - 1])..<end
            try videos.make("\(part).webm", "-c:v libvpx -cpu-used 8 -b:v 4M -auto-alt-ref 0", numbers: range, scale: 1 + part % 2)
            list += "file \(part).webm\n"
        }
        let (names, path) = (try videos.folder.write("list.txt", text: list), videos.folder("joined.webm"))
        try FFmpegProgram.run(["-f", "concat", "-i", names, "-c", "copy", path])
        try await expect(path, shows: Array(0..<100))
    }

    @Test(arguments: ["yuvj420p", "yuv444p"])
    func pixelFormatChanges(pixels: String) async throws {
        try videos.make("0.ts", ShownFramesTests.sizes, numbers: 0..<30)
        try videos.make("1.ts", ShownFramesTests.sizes.replacing("yuv420p", with: pixels), numbers: 30..<100)
        try await expect(try videos.join(["0.ts", "1.ts"], to: "joined.ts"), shows: Array(0..<100))
    }

    /// A dash camera's file begins in the middle of a group of pictures, which cannot be decoded.
    @Test func beginsInMidGroup() async throws {
        try videos.make("whole.ts")
        let path = try videos.change("whole.ts", to: "late.ts") { $0.removeFirst($0.count / 188 / 8 * 188) }
        try await expect(path, shows: Array(25..<100))
    }

    @Test(arguments: ["a.ts", "a.mkv", "a.mp4"])
    func openGroups(name: String) async throws {
        let path = try videos.make(
            name, "-c:v libx264 -preset veryfast -pix_fmt yuv420p -x264-params open-gop=1:keyint=20:bframes=3:b-adapt=0:scenecut=0")
        try await expect(path, shows: Array(0..<100))
    }

    /// Codecs whose packets come in another order than their frames, or show none.
    @Test(arguments: [
        ("a.avi", "-c:v mpeg4 -bf 2 -q:v 2"), ("b.avi", CodedVideos.h264), ("a.mpg", "-c:v mpeg2video -bf 2 -q:v 2"),
        ("a.webm", "-c:v libvpx -cpu-used 8 -b:v 1M -auto-alt-ref 1 -lag-in-frames 16"),
        ("b.webm", "-c:v libvpx-vp9 -cpu-used 8 -b:v 1M -auto-alt-ref 1 -lag-in-frames 16"), ("a.h264", CodedVideos.h264),
        ("live.webm", "-c:v libvpx -cpu-used 8 -b:v 1M -f webm -live 1"),
    ])
    func reordered(name: String, options: String) async throws {
        try await expect(try videos.make(name, options), shows: Array(0..<100))
    }

    /// The header of a recording that crashed counts no frames, or too few, or too many.
    @Test(arguments: [0, 77, 5000])
    func wrongCountsInAVI(count: UInt32) async throws {
        try videos.make("a.avi", "-c:v mpeg4 -q:v 2")
        let path = try videos.change("a.avi", to: "wrong.avi") { bytes in
            for (chunk, place) in [("avih", 16), ("strh", 32)] { bytes.set(count.littleEndian, chunk, 4 + place) }
        }
        try await expect(path, shows: Array(0..<100))
    }

    /// The first time of a file's pictures is not 0: they are timed from the first one.
    @Test(arguments: ["late.mp4", "late.mkv", "late.ts"])
    func soundStartsBeforeThePicture(name: String) async throws {
        let sound = try videos.input([UInt8](repeating: 0, count: 7 * 8000), columns: 1, rows: 1)
        let path = videos.folder(name)
        try FFmpegProgram.run(
            ["-f", "u8", "-ar", "8000", "-ac", "1", "-i", try #require(sound.last)] + videos.input(0..<100)
                + CodedVideos.words("-map 1:v -map 0:a -vf setpts=PTS+3/TB -fps_mode passthrough \(CodedVideos.h264) -c:a aac") + [path])
        try await expect(path, shows: Array(0..<100))
        let seconds = try await ClipLoader(frames: 2, channels: 1, rows: 8, columns: 24).load(path).moments.map { $0.seconds ?? .nan }
        #expect(zip(seconds, [1.0, 3.0]).allSatisfy { abs($0 - $1) <= 1e-9 }, "\(seconds)")
    }

    /// Decoders on several threads hold frames back, and frames may be reached from several key frames: the pixels are the same.
    @Test(arguments: [
        ("a.mp4", CodedVideos.h264), ("a.ts", CodedVideos.h264), ("a.mkv", CodedVideos.h264.replacing("-g 25", with: "-g 1000")),
        ("a.avi", "-c:v mpeg4 -bf 2 -q:v 2"), ("a.webm", "-c:v libvpx -cpu-used 8 -b:v 1M -auto-alt-ref 1 -lag-in-frames 16"),
        ("b.mkv", "-c:v ffv1"), ("a.mpg", "-c:v mpeg2video -bf 2 -q:v 2"), ("a.h264", CodedVideos.h264),
    ])
    func theSameFrameHoweverItIsReached(name: String, options: String) async throws {
        let path = try videos.make(name, options)
        let all = try await videos.decode(path, isComplete: true)
        #expect(all.numbers == Array(0..<100))
        let few = [0, 24, 25, 26, 49, 73, 74, 99]
        func check(_ files: MediaFiles) async throws {
            #expect(try await videos.decode(path, files: files).pixels == all.pixels)
            #expect(try await videos.decode(path, few, files: files).pixels == few.map { all.pixels[$0] })
            for frame in [2, 38, 98] { #expect(try await videos.decode(path, [frame], files: files).pixels == [all.pixels[frame]]) }
        }
        try await check(MediaFiles())
        try await videos.onOneThread { try await check($0) }
    }
}

extension [UInt8] {
    /// Writes `value` so many bytes after the first `mark`.
    fileprivate mutating func set<Value: FixedWidthInteger>(_ value: Value, _ mark: String, _ distance: Int) {
        guard let place = firstRange(of: Array(mark.utf8))?.upperBound else {
            Issue.record("no \(mark)")
            return
        }
        Swift.withUnsafeBytes(of: value) { replaceSubrange(place + distance..<place + distance + $0.count, with: $0) }
    }

    fileprivate func value(_ mark: String, _ distance: Int) -> UInt32 {
        guard let place = firstRange(of: Array(mark.utf8))?.upperBound else { return 0 }
        return self[place + distance..<place + distance + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Rewrites the only entry of an MP4 file's edit list (ISO/IEC 14496-12, 8.6.6) so that these frames are shown.
    fileprivate mutating func edit(shows frames: Range<Int>, rate: UInt32) {
        let (movie, media) = (value("mvhd", 12), value("mdhd", 12))
        let length = UInt32(frames.count) * movie / rate
        let start = value("elst", 12) + UInt32(frames.lowerBound) * media / rate
        set(length.bigEndian, "elst", 8)
        set(start.bigEndian, "elst", 12)
        set(length.bigEndian, "mvhd", 16)
        set(length.bigEndian, "tkhd", 20)
    }
}
