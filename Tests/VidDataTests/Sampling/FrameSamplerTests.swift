import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor

@Suite struct FrameSamplerTests {
    static func sampler(_ frames: Int, _ type: SamplingType, stride: Int = 1, fps: Double = 8) -> FrameSampler {
        var sampling = SamplingConfiguration(type: type)
        sampling.stride = stride
        sampling.framesPerSecond = fps
        return FrameSampler(frames: frames, sampling: sampling)
    }

    static func choose(_ sampler: FrameSampler, _ view: ClipView, of count: Int, rate: Double = 0) throws -> [Int] {
        try sampler.choose(view, of: FrameTimes(count: count, rate: rate), path: "a").indices
    }

    static let lengths = [1, 2, 3, 7, 8, 9, 16, 31, 100, 101]
    static let sizes = [1, 2, 5, 8, 16]

    /// Sample j of K of every segment, by the rule in rational numbers; for K = 1 the choice of `FrameSampling.uniform`.
    @Test(arguments: [SamplingType.uniform, .random])
    func uniformAtEvaluation(type: SamplingType) throws {
        for count in FrameSamplerTests.lengths {
            for frames in FrameSamplerTests.sizes {
                let sampler = FrameSamplerTests.sampler(frames, type)
                for samples in 1...5 {
                    for index in 0..<samples {
                        let found = try FrameSamplerTests.choose(sampler, .evaluation(index: index, count: samples), of: count)
                        var naive: [Int] = []
                        for i in 0..<frames {
                            // The largest n with n <= (i + (j + 1/2) / K) N / T, both sides times 2 K T.
                            var n = 0
                            while (n + 1) * 2 * samples * frames <= (2 * samples * i + 2 * index + 1) * count { n += 1 }
                            naive.append(n)
                        }
                        #expect(found == (count <= frames ? Array(0..<count) : naive))
                    }
                }
                #expect(try FrameSamplerTests.choose(sampler, .whole, of: count) == FrameSampling.uniform(frames, of: count))
            }
        }
        let uniform = FrameSamplerTests.sampler(4, .uniform)
        #expect(try FrameSamplerTests.choose(uniform, .training(seed: 1, stream: 2), of: 40) == [5, 15, 25, 35])
        #expect(try uniform.choose(.whole, of: FrameTimes(count: 40, rate: 20), path: "a").framesPerSecond == 2)
    }

    /// The numbers of the page DataAndSplits of the documentation.
    @Test func theNumbersOfTheDocumentation() throws {
        typealias Tests = FrameSamplerTests
        let uniform = Tests.sampler(4, .uniform)
        #expect(try Tests.choose(uniform, .whole, of: 10) == [1, 3, 6, 8])
        #expect(try Tests.choose(uniform, .evaluation(index: 0, count: 2), of: 60) == [3, 18, 33, 48])
        #expect(try Tests.choose(uniform, .evaluation(index: 1, count: 2), of: 60) == [11, 26, 41, 56])
        #expect(try Tests.choose(Tests.sampler(4, .consecutive, stride: 3), .whole, of: 20) == [5, 8, 11, 14])
        let tenPerSecond = Tests.sampler(4, .fps, fps: 10)
        #expect(try Tests.choose(tenPerSecond, .whole, of: 100, rate: 25) == [46, 48, 51, 53])
        #expect(try Tests.choose(tenPerSecond, .whole, of: 5, rate: 25) == [0, 2])
    }

    /// One frame of each segment, ascending; over many streams every frame of the clip is chosen.
    @Test func randomInTraining() throws {
        for count in FrameSamplerTests.lengths {
            for frames in FrameSamplerTests.sizes {
                let sampler = FrameSamplerTests.sampler(frames, .random)
                var seen: Set<Int> = []
                for stream in 0..<UInt64(400) {
                    let found = try FrameSamplerTests.choose(sampler, .training(seed: 3, stream: stream), of: count)
                    #expect(found == (try FrameSamplerTests.choose(sampler, .training(seed: 3, stream: stream), of: count)))
                    guard count > frames else {
                        #expect(found == Array(0..<count))
                        continue
                    }
                    #expect(found.count == frames)
                    for (i, index) in found.enumerated() { #expect((i * count / frames..<(i + 1) * count / frames).contains(index)) }
                    seen.formUnion(found)
                }
                // 400 draws miss a given frame of a segment of up to 101 once in 50; at least the ends are nearly reached.
                if count > frames {
                    #expect(seen.count >= count * 9 / 10 && seen.min().map { $0 <= 1 } == true)
                    #expect(seen.max().map { $0 >= count - 2 } == true)
                }
            }
        }
    }

    @Test(arguments: [1, 2, 5])
    func consecutive(stride: Int) throws {
        for count in FrameSamplerTests.lengths {
            for frames in FrameSamplerTests.sizes {
                let sampler = FrameSamplerTests.sampler(frames, .consecutive, stride: stride)
                let span = (frames - 1) * stride + 1
                let existing = Array(Swift.stride(from: 0, to: count, by: stride).prefix(frames))
                for samples in 1...4 {
                    for index in 0..<samples {
                        let found = try FrameSamplerTests.choose(sampler, .evaluation(index: index, count: samples), of: count)
                        let start = (count - span + 1) * (2 * index + 1) / (2 * samples)
                        #expect(found == (count < span ? existing : (0..<frames).map { start + $0 * stride }))
                    }
                }
                var starts: Set<Int> = []
                for stream in 0..<UInt64(1000) {
                    let found = try FrameSamplerTests.choose(sampler, .training(seed: 4, stream: stream), of: count)
                    if count < span {
                        #expect(found == existing)
                    } else {
                        #expect(found == (0..<frames).map { found[0] + $0 * stride })
                        starts.insert(found[0])
                    }
                }
                // 1,000 draws miss each of up to 101 places once in 20,000.
                if count >= span { #expect(starts == Set(0...count - span)) }
            }
        }
        let choice = try FrameSamplerTests.sampler(4, .consecutive, stride: stride).choose(
            .whole, of: FrameTimes(count: 50, rate: 30), path: "a")
        #expect(choice.framesPerSecond == 30 / Double(stride) && choice.need == .frames(3 * stride + 1))
    }

    @Test func framesInTime() throws {
        // 25 a second at 10: every 2.5 frames; span floor(3 * 2.5) + 1 = 8.
        let sampler = FrameSamplerTests.sampler(4, .fps, fps: 10)
        #expect(try FrameSamplerTests.choose(sampler, .whole, of: 8, rate: 25) == [0, 2, 5, 7])
        #expect(try FrameSamplerTests.choose(sampler, .evaluation(index: 1, count: 2), of: 11, rate: 25) == [3, 5, 8, 10])
        #expect(try FrameSamplerTests.choose(sampler, .whole, of: 6, rate: 25) == [0, 2, 5])
        #expect(try FrameSamplerTests.choose(sampler, .whole, of: 1, rate: 25) == [0])
        #expect(try sampler.choose(.whole, of: FrameTimes(count: 8, rate: 25), path: "a").framesPerSecond == 10)
        // A rate above the clip's repeats frames; a rate far below it gives the frames that exist.
        #expect(try FrameSamplerTests.choose(FrameSamplerTests.sampler(5, .fps, fps: 20), .whole, of: 3, rate: 10) == [0, 0, 1, 1, 2])
        #expect(try FrameSamplerTests.choose(FrameSamplerTests.sampler(5, .fps, fps: 1e-300), .whole, of: 9, rate: 10) == [0])
        // Rates rounded as in clip files.
        let (television, film) = (30000.0 / 1001, 24000.0 / 1001)
        for (rate, fps) in [(television, television / 4), (film, film), (0.3, 0.1)] {
            let stride = Int((rate / fps).rounded())
            let sampler = FrameSamplerTests.sampler(200, .fps, fps: fps)
            for given in [rate, Double(Float(rate))] {
                #expect(
                    try FrameSamplerTests.choose(sampler, .whole, of: 199 * stride + 1, rate: given) == (0..<200).map { $0 * stride })
            }
        }
        for stream in 0..<UInt64(100) {
            let found = try FrameSamplerTests.choose(sampler, .training(seed: 5, stream: stream), of: 20, rate: 25)
            #expect(found.map { $0 - found[0] } == [0, 2, 5, 7] && (0...12).contains(found[0]))
        }
        let error = failure { try FrameSamplerTests.choose(sampler, .whole, of: 8) }
        #expect(error.kind == .badData && error.message.hasPrefix("a: its frame rate is not known, so it cannot be sampled at"))
    }

    @Test func windows() throws {
        let sampler = FrameSamplerTests.sampler(2, .uniform)
        // Frames 10...14 at 10 a second; then to the end; then a frame on the bound, which 0.1 + 0.2 overshoots.
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 1, length: 0.5), of: 20, rate: 10) == [11, 13])
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 1.75, length: 9), of: 20, rate: 10) == [18, 19])
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 0.1 + 0.2, length: 0.1), of: 20, rate: 10) == [3])
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 0, length: 2), of: 20, rate: 10) == [5, 15])
        // No frame begins in these: the one on the screen.
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 0.11, length: 0.05), of: 20, rate: 10) == [1])
        #expect(try FrameSamplerTests.choose(sampler, .window(start: 1.95, length: 1), of: 20, rate: 10) == [19])
        // Windows are never random.
        let consecutive = FrameSamplerTests.sampler(3, .consecutive, stride: 2)
        #expect(try FrameSamplerTests.choose(consecutive, .window(start: 1, length: 1), of: 40, rate: 10) == [13, 15, 17])
        #expect(try consecutive.choose(.window(start: 1, length: 1), of: FrameTimes(count: 40, rate: 10), path: "a").range == 10..<20)
        for (view, rate, message) in [
            (ClipView.window(start: 2, length: 1), 10.0, "a: the window starts at 2.0 seconds, but the clip ends at 2.0 (20 frames"),
            (.window(start: 0, length: 1), 0, "a: its frame rate is not known"),
            (.window(start: -1, length: 1), 10, "a: expected a window"), (.window(start: 0, length: .nan), 10, "a: expected a window"),
        ] {
            let error = failure { try FrameSamplerTests.choose(sampler, view, of: 20, rate: rate) }
            #expect(error.kind == .badData && error.message.hasPrefix(message))
        }
    }

    @Test func layingOutWindows() throws {
        func starts(_ frames: Int, _ rate: Double, _ length: Double, _ stride: Double) throws -> [Double] {
            let windows = try FrameTimes(count: frames, rate: rate).windows(length: length, stride: stride, path: "a")
            for window in windows {
                _ = try FrameSamplerTests.choose(FrameSamplerTests.sampler(4, .uniform), window.view, of: frames, rate: rate)
            }
            return windows.map(\.start)
        }
        #expect(try starts(100, 10, 2, 2) == [0, 2, 4, 6, 8])
        #expect(try starts(100, 10, 4, 2) == [0, 2, 4, 6])
        // Half a second, or one and a half, of a stride of two remains.
        #expect(try starts(105, 10, 2, 2) == [0, 2, 4, 6, 8])
        #expect(try starts(115, 10, 2, 2) == [0, 2, 4, 6, 8, 10])
        #expect(try starts(5, 10, 2, 1) == [0])
        #expect(try starts(3, 10, 0.1, 0.1).count == 3)
        #expect(try starts(10_000, 29.97, 5, 1).count == 330)
        // More windows than frames.
        #expect(try starts(3, 1, 1, 0.25).count == 9)
        #expect(
            failure { try starts(10, 1, 1, 1e-9) }.message
                == "a: expected at most 1000000 windows, found 9000000001, one every 1e-09 seconds of 10.0; use a longer --stride")
        let error = failure { try starts(10, 0, 1, 1) }
        #expect(error.message.hasPrefix("a: its frame rate is not known"))
    }
}
