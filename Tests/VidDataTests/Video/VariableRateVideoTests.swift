import Testing
import VidConfig
import VidData
import VidSystem
import VidTestSupport

/// Videos whose frames are shown for different times: frames are chosen by time.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: videos are not tested"))
struct VariableRateVideoTests {
    private let videos: CodedVideos

    init() throws { videos = try CodedVideos() }

    /// 60 frames a second for two seconds, then 5 a second for eight: a screen recording.
    private static let slowing =
        "-vf settb=1/90000,setpts='if(lt(N,120),N/60,2+(N-120)/5)/TB' -fps_mode passthrough -enc_time_base 1/90000 "

    /// Expects that uniform sampling takes frames that were on the screen at the middles of equal parts of `duration`.
    private func expect(
        _ path: String, times: [Double], numbers: [Int], duration: Double, tick: Double, _ place: SourceLocation = #_sourceLocation
    ) async throws {
        let all = try await videos.decode(path)
        #expect(all.numbers == numbers, sourceLocation: place)
        let seconds = try #require(all.video.times.seconds, sourceLocation: place)
        let error = zip(seconds, times).map { abs($0 - $1) }.max() ?? .nan
        #expect(seconds.count == times.count && error <= tick, sourceLocation: place)
        #expect(abs((all.video.times.duration ?? .nan) - duration) <= 2 * tick, sourceLocation: place)
        for count in [1, 8, 15] {
            let right = (0..<count).map { (part: Int) -> Int in
                let moment = (Double(part) + 0.5) * duration / Double(count)
                return numbers[times.lastIndex { $0 <= moment } ?? 0]
            }
            #expect(try await videos.uniform(count, path) == right, sourceLocation: place)
        }
    }

    /// MP4 lists how long the last frame is shown; the others give it the time of a frame at their stated rate, which is wrong.
    @Test(arguments: [
        ("a.mp4", CodedVideos.h264, 0.2, 1e-4), ("a.mkv", CodedVideos.h264, 0.04, 1e-3),
        ("a.webm", "-c:v libvpx -cpu-used 8 -b:v 2M", 0.04, 1e-3),
    ])
    func slowing(name: String, options: String, last: Double, tick: Double) async throws {
        let path = try videos.make(name, VariableRateVideoTests.slowing + options, numbers: 0..<160)
        let times = FrameTimesTests.seconds(0..<120, rate: 60) + FrameTimesTests.seconds(10..<50, rate: 5)
        try await expect(path, times: times, numbers: Array(0..<160), duration: 9.8 + last, tick: tick)
    }

    /// A webcam dropped four of five frames in its first half.
    @Test(arguments: [
        ("a.mp4", CodedVideos.h264, 1e-4), ("a.mkv", CodedVideos.h264, 1e-3), ("a.avi", "-c:v mpeg4 -q:v 2", 1e-9),
        ("a.ts", CodedVideos.h264, 1e-4),
    ])
    func droppedFrames(name: String, options: String, tick: Double) async throws {
        // AVI has an empty packet for each frame that was dropped.
        let mode = name.hasSuffix(".avi") ? "vfr" : "passthrough"
        let path = try videos.make(name, "-vf select='gte(n,80)+not(mod(n,5))' -fps_mode \(mode) " + options, numbers: 0..<160)
        let numbers = (0..<160).filter { $0 >= 80 || $0 % 5 == 0 }
        try await expect(path, times: numbers.map { Double($0) / 25 }, numbers: numbers, duration: 6.4, tick: tick)
    }

    /// Windows and reduced rates go by time too.
    @Test func windowsAndRates() async throws {
        let path = try videos.make("a.mp4", VariableRateVideoTests.slowing + CodedVideos.h264, numbers: 0..<160)
        let window = try await videos.uniform(4, path, .window(start: 2, length: 4))
        // At 2.5, 3.5, 4.5 and 5.5 seconds.
        #expect(window == [122, 127, 132, 137])
        let (places, rate) = try FrameSelection(framesPerSecond: 2).choice(of: try await videos.decode(path, [0]).video.times, path: path)
        #expect(rate == 2)
        // At 0.25, 0.75, ... seconds.
        #expect(places == [15, 45, 75, 105, 121, 123, 126, 128, 131, 133, 136, 138, 141, 143, 146, 148, 151, 153, 156, 158])
    }

    /// Matroska states a rate, which its times contradict.
    @Test func wrongStatedRate() async throws {
        let path = try videos.make("a.mkv", "-r 25 " + CodedVideos.h264)
        let wrong = try videos.change("a.mkv", to: "wrong.mkv") { bytes in
            // DefaultDuration (RFC 9559, 5.1.4.1.13), four bytes of nanoseconds.
            let place = try #require(bytes.firstRange(of: [0x23, 0xE3, 0x83, 0x84])?.upperBound)
            let stated = UInt32(8_333_333)
            for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: stated >> (24 - 8 * byte)) }
        }
        let right = try await videos.decode(path).video.times
        #expect(right.rate == 25 && right.seconds == nil)
        try await expect(
            wrong, times: (0..<100).map { Double($0) / 25 }, numbers: Array(0..<100), duration: 3.96 + 1.0 / 120, tick: 1e-3)
    }
}
