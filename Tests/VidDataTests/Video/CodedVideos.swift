import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// A folder of small videos whose frames carry their numbers: bit i of a number is bar i from the left, black or white. So a test can
/// tell which frame it got, whatever encoders and scalers did to the picture.
struct CodedVideos {
    static let rows = 64
    static let columns = 192
    private static let bars = 12

    /// H.264 with B-frames and a key frame every second.
    static let h264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 25 -bf 2"

    let folder: TestFolder

    init() throws { folder = try TestFolder() }

    // MARK: Making

    /// Words for ffmpeg that read grey frames of the given bytes, 25 a second.
    func input(_ frames: [UInt8], columns: Int, rows: Int) throws -> [String] {
        let path = try folder.write("\(UUID().uuidString).gray", frames)
        return ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "\(columns)x\(rows)", "-r", "25", "-i", path]
    }

    /// Words for ffmpeg that read frames with these numbers, `scale` times as large as usual.
    func input(_ numbers: Range<Int>, scale: Int = 1) throws -> [String] {
        let (rows, width) = (scale * CodedVideos.rows, scale * CodedVideos.columns / CodedVideos.bars)
        var frames: [UInt8] = []
        for number in numbers {
            var row: [UInt8] = []
            for bar in 0..<CodedVideos.bars { row += repeatElement(number >> bar & 1 == 1 ? 255 : 0, count: width) }
            for _ in 0..<rows { frames += row }
        }
        return try input(frames, columns: scale * CodedVideos.columns, rows: rows)
    }

    /// Makes a video of frames with these numbers and returns its path.
    @discardableResult
    func make(_ name: String, _ options: String = h264, numbers: Range<Int> = 0..<100, scale: Int = 1) throws -> String {
        try FFmpegProgram.run(input(numbers, scale: scale) + CodedVideos.words(options) + [folder(name)])
        return folder(name)
    }

    static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    /// Writes a changed copy of a file.
    func change(_ name: String, to changed: String, _ body: (inout [UInt8]) throws -> Void) throws -> String {
        var bytes = try folder.bytes(name)
        try body(&bytes)
        return try folder.write(changed, bytes)
    }

    /// Joins files, one after the other.
    func join(_ names: [String], to name: String) throws -> String { try folder.write(name, names.flatMap { try folder.bytes($0) }) }

    // MARK: Decoding

    /// What decoding gave: the numbers that the frames carry.
    struct Decoded {
        var video: VideoInfo
        var numbers: [Int]
        var pixels: [[UInt8]]
    }

    /// Decodes the frames at `places` among the shown ones; nil for all of them.
    func decode(
        _ path: String, _ places: [Int]? = nil, isComplete: Bool = false, files: MediaFiles = MediaFiles()
    ) async throws -> Decoded {
        var pixels: [[UInt8]] = []
        let video = try await VideoDecoder(files: files).decode(
            path, [FrameSize(channels: 1, rows: CodedVideos.rows, columns: CodedVideos.columns)]
        ) { video in
            pixels = []
            return VideoDecoder.Choice([places ?? Array(0..<video.frames)], isComplete: isComplete)
        } consume: { _, _, frame in
            pixels.append([UInt8](frame))
        }
        return Decoded(video: video, numbers: pixels.map { CodedVideos.number($0[...]) }, pixels: pixels)
    }

    /// The numbers of the frames that `uniform` chooses.
    func uniform(_ count: Int, _ path: String, _ view: ClipView = .whole) async throws -> [Int] {
        let loader = ClipLoader(frames: count, channels: 1, rows: CodedVideos.rows, columns: CodedVideos.columns)
        guard case .bytes(let bytes) = try await loader.load(path, view).clip.pixels else { return [] }
        let size = CodedVideos.rows * CodedVideos.columns
        return stride(from: 0, to: bytes.count, by: size).map { CodedVideos.number(bytes[$0..<$0 + size]) }
    }

    /// The places in the middles of `parts` equal parts of `count` frames.
    static func middles(_ parts: Int, of count: Int) -> [Int] { (0..<parts).map { part in (2 * part + 1) * count / (2 * parts) } }

    /// The number that a grey frame carries.
    private static func number(_ frame: ArraySlice<UInt8>) -> Int {
        let (width, row) = (columns / bars, frame.startIndex + rows / 2 * columns)
        var number = 0
        for bar in 0..<bars where frame[row + bar * width + width / 2] > 127 { number |= 1 << bar }
        return number
    }

    /// Lets `body` decode in a reader that has one thread, as its share of the processors while others work.
    nonisolated(nonsending) func onOneThread<Result>(
        _ body: nonisolated(nonsending) (MediaFiles) async throws -> Result
    ) async throws -> Result {
        let readers = Readers()
        return try await CodedVideos.keep(Machine.processorCount / 2, busy: readers) { try await body(MediaFiles(readers: readers)) }
    }

    private static nonisolated(nonsending) func keep<Result>(
        _ count: Int, busy readers: Readers, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        if count == 0 { return try await body() }
        return try await readers.withReader(for: "nothing", timeLimit: .seconds(600)) { _ in
            try await keep(count - 1, busy: readers, body)
        }
    }
}
