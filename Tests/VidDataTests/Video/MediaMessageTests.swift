import Testing
import VidData
import VidSystem

/// What a reader answers is not trusted, and what it is asked makes sense.
@Suite struct MediaMessageTests {
    private static func bytes(_ integers: Int...) -> [UInt8] { integers.flatMap { LittleEndian.bytes(Int64($0)) } }

    /// The description of a stream with a listed duration of `seconds`.
    private static func stream(rows: Int = 48, listed: Int = 3, rate: Double = 25, seconds: Double = 2) -> [UInt8] {
        [UInt8](repeating: 97, count: 64) + bytes(rows, 64, 1, 0, listed, 0, 0, 1)
            + [rate, seconds].flatMap { LittleEndian.bytes($0.bitPattern) }
    }

    @Test func answersAreRead() throws {
        let stream = try #require(MediaStream(MediaMessageTests.stream()))
        #expect(stream.bytes == MediaMessageTests.stream())
        let list = try #require(FrameList(MediaMessageTests.bytes(3, 1, 25, 1, 0, 1)))
        let (ticks, keys) = try #require(list.decode(MediaMessageTests.bytes(0, 1, 2) + [1, 0, 0]))
        #expect(ticks == [0, 1, 2] && keys == [true, false, false])
        let video = VideoInfo(stream, list, ticks: ticks, keys: keys, path: "a.mp4")
        #expect(video.framesPerSecond == 25 && video.damage?.endsEarly == true && video.damage?.text(frames: 3) == "ends early")
        let damage = try #require(MediaDamage(MediaMessageTests.bytes(93, 13, 188)))
        #expect(damage.bytes == MediaMessageTests.bytes(93, 13, 188))
    }

    @Test func refusedAnswers() throws {
        for bytes in [
            MediaMessageTests.stream(rows: -1), MediaMessageTests.stream(rows: 1 << 31), MediaMessageTests.stream(listed: -1),
            MediaMessageTests.stream(rate: .nan), MediaMessageTests.stream(rate: -1), MediaMessageTests.stream(seconds: .infinity),
            MediaMessageTests.stream() + [0], Array(MediaMessageTests.stream().dropLast()), [],
        ] {
            #expect(MediaStream(bytes) == nil, "\(bytes)")
        }
        for bytes in [
            MediaMessageTests.bytes(0, 1, 25, 1, 0, 0), MediaMessageTests.bytes(1 << 27, 1, 25, 1, 0, 0),
            MediaMessageTests.bytes(3, 0, 25, 1, 0, 0), MediaMessageTests.bytes(3, 1, 0, 1, 0, 0),
            MediaMessageTests.bytes(3, 1, 25, -1, 0, 0), MediaMessageTests.bytes(3, 1, 25, .max, 0, 0), MediaMessageTests.bytes(3, 1, 25),
        ] {
            #expect(FrameList(bytes) == nil, "\(bytes)")
        }
        let list = try #require(FrameList(MediaMessageTests.bytes(2, 1, 25, 1, 0, 0)))
        #expect(list.decode(MediaMessageTests.bytes(0, 0) + [1, 0]) != nil)
        for ticks in [(1, 2), (0, -1), (0, Int.max)] {
            #expect(list.decode(MediaMessageTests.bytes(ticks.0, ticks.1) + [1, 0]) == nil, "\(ticks)")
        }
        #expect(list.decode(MediaMessageTests.bytes(0, 1) + [1]) == nil)
        for bytes in [MediaMessageTests.bytes(-1, 0, 0), MediaMessageTests.bytes(0, .max, 0), MediaMessageTests.bytes(0, 0)] {
            #expect(MediaDamage(bytes) == nil, "\(bytes)")
        }
    }

    @Test func answersAboutStreams() {
        let clock = MediaMessageTests.bytes(1, 90_000)
        #expect(StreamClock(clock)?.bytes == clock)
        for bytes in [MediaMessageTests.bytes(0, 1), MediaMessageTests.bytes(1, 0), MediaMessageTests.bytes(1, 1 << 31), clock + [0]] {
            #expect(StreamClock(bytes) == nil, "\(bytes)")
        }
        let end = MediaMessageTests.bytes(1, 0, 188, 40, 1)
        #expect(StreamEnd(end)?.bytes == end)
        for bytes in [
            MediaMessageTests.bytes(-1, 0, 0, 40, 0), MediaMessageTests.bytes(0, 0, 0, -1, 0), MediaMessageTests.bytes(0, 0, 0, 40),
        ] {
            #expect(StreamEnd(bytes) == nil, "\(bytes)")
        }
        #expect(StreamClock.isPossible(-40) && !StreamClock.isPossible(.min) && !StreamClock.isPossible(.max))
    }

    @Test func requests() {
        #expect(MediaOpening(MediaMessageTests.bytes(1, 2)) != nil && MediaOpening(MediaMessageTests.bytes(2, 2)) == nil)
        #expect(MediaOpening(MediaMessageTests.bytes(0, 0)) == nil)
        #expect(FrameRun.all(MediaMessageTests.bytes(3, 5, 16, 0))?.first?.bytes == MediaMessageTests.bytes(3, 5, 16, 0))
        for run in [[3, 5, 0, 0], [-1, 1, 1, 0], [0, 1 << 30, 1 << 30, 0], [0, 1, 1, 16]] {
            #expect(FrameRun.all(run.flatMap { LittleEndian.bytes(Int64($0)) }) == nil, "\(run)")
        }
        #expect(PictureShowing(MediaMessageTests.bytes(3, 24, 32, 1, 2, 3))?.bytes == MediaMessageTests.bytes(3, 24, 32, 1, 2, 3))
        #expect(PictureShowing([]) != nil && PictureShowing(MediaMessageTests.bytes(3, 24)) == nil)
        #expect(PictureShowing(MediaMessageTests.bytes(2, 24, 32)) == nil && PictureShowing(MediaMessageTests.bytes(3, 0, 32)) == nil)
        #expect(MediaDecoding(MediaMessageTests.bytes(1, 1, 3, 24, 32))?.bytes == MediaMessageTests.bytes(1, 1, 3, 24, 32))
        for picture in [(2, 24, 32), (3, 0, 32), (3, 24, 1 << 40)] {
            #expect(MediaDecoding(MediaMessageTests.bytes(1, 1, picture.0, picture.1, picture.2)) == nil, "\(picture)")
        }
        #expect(MediaListening(MediaMessageTests.bytes(16000, 0)) == nil && MediaListening(MediaMessageTests.bytes(16000, 1)) != nil)
    }
}
