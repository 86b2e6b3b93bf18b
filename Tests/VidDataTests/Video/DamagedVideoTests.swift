import Testing
import VidData
import VidSystem
import VidTestSupport

/// Damage is counted, and what can be used is used.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct DamagedVideoTests {
    private let videos: CodedVideos

    init() throws { videos = try CodedVideos() }

    /// In the middle of a file bytes are flipped here and there, or a block was never written.
    @Test(arguments: [
        ("a.mp4", "", true), ("a.mp4", "", false), ("a.mkv", "-cluster_time_limit 500", true), ("a.ts", "", true), ("a.ts", "", false),
        ("a.avi", "", true),
    ])
    func inTheMiddle(name: String, options: String, isFlipped: Bool) async throws {
        try videos.make(name, CodedVideos.h264 + " " + options)
        let path = try videos.change(name, to: "damaged-" + name) { bytes in
            let range = bytes.count * 4 / 10..<bytes.count * 5 / 10
            for place in isFlipped ? Array(stride(from: range.lowerBound, to: range.upperBound, by: 211)) : Array(range) {
                bytes[place] = isFlipped ? bytes[place] ^ 0xFF : 0
            }
        }
        let whole = try await videos.decode(path, isComplete: true)
        let damage = try #require(whole.video.damage)
        #expect(damage.decodingErrors > 0 && !damage.endsEarly)
        #expect(whole.video.frames == whole.numbers.count)
        #expect(whole.numbers.count + damage.missingFrames <= 100)
        // What is far from the damage is whole, and at its place; where a packet's time is damaged, to a frame.
        #expect((75...100).contains(whole.numbers.count))
        #expect(Array(whole.numbers.prefix(16)) == Array(0..<16))
        #expect(Array(whole.numbers.suffix(10)) == Array(90..<100))
        #expect(abs((whole.video.times.time(of: whole.numbers.count - 1) ?? .nan) - 3.96) <= 0.041)
        #expect(try await videos.uniform(4, path).count == 4)
        let alone = try await videos.onOneThread { try await videos.decode(path, isComplete: true, files: $0) }
        #expect(alone.numbers == whole.numbers)
        #expect(alone.video.damage == damage)
    }

    @Test func nothingIsWrong() async throws {
        for name in ["a.mp4", "a.mkv", "a.ts", "b.ts"] {
            #expect(try await videos.decode(videos.make(name), isComplete: true).video.damage == nil, "\(name)")
        }
        let joined = try videos.join(["a.ts", "b.ts"], to: "joined.ts")
        #expect(try await videos.decode(joined, isComplete: true).video.damage == nil)
    }

    /// A recorder that lost its power wrote no end: everything before it is used.
    @Test(arguments: [("a.mp4", CodedVideos.h264 + " -movflags frag_keyframe+empty_moov"), ("a.mkv", CodedVideos.h264)])
    func recordingWithoutItsEnd(name: String, options: String) async throws {
        try videos.make(name, options)
        let path = try videos.change(name, to: "cut-" + name) { $0.removeLast($0.count * 3 / 10) }
        let all = try await videos.decode(path)
        #expect(all.video.damage?.endsEarly == true)
        let count = all.numbers.count
        #expect((50..<95).contains(count))
        // The cut may be in the middle of a picture to which the last ones refer.
        #expect(Array(all.numbers.dropLast(3)) == Array(0..<count - 3))
        let seen = (all.numbers.last ?? 0) + 1
        #expect(try await videos.uniform(4, path) == CodedVideos.middles(4, of: seen))
    }

    /// The index of an ordinary MP4 file lists frames that are no longer there.
    @Test func cutOffMP4() async throws {
        try videos.make("a.mp4", CodedVideos.h264 + " -movflags faststart")
        let path = try videos.change("a.mp4", to: "cut.mp4") { $0.removeLast($0.count / 2) }
        let error = await #expect(throws: VidclassError.self) { try await videos.decode(path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(": cut off: its container lists 100 frames, ") == true, "\(error?.message ?? "")")
        // Without its index at the end it is nothing.
        try videos.make("b.mp4")
        let headless = try videos.change("b.mp4", to: "cut-b.mp4") { $0.removeLast($0.count / 2) }
        #expect(await #expect(throws: VidclassError.self) { try await videos.decode(headless) }?.kind == .badData)
    }
}
