import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor

@Suite struct FrameTimesTests {
    /// A screen recording: 120 frames at 60 a second, then 40 at 5 a second; 10 seconds.
    static let recording = FrameTimes(seconds: seconds(0..<120, rate: 60) + seconds(10..<50, rate: 5), duration: 10)
    /// Ten frames in a second, ten seconds without one, and again ten frames in a second.
    static let pause = FrameTimes(seconds: seconds(0..<10, rate: 10) + seconds(110..<120, rate: 10), duration: 12)

    /// When frames of a constant rate are shown.
    static func seconds(_ frames: Range<Int>, rate: Double) -> [Double] { frames.map { Double($0) / rate } }

    /// The last frame whose time is not above `time`.
    static func naive(_ times: FrameTimes, _ time: Double) -> Int {
        (0..<times.count).last { times.seconds![$0] <= time + 1e-9 } ?? 0
    }

    @Test func framesOnTheScreen() {
        let times = FrameTimesTests.recording
        #expect(times.rate == 16 && times.duration == 10)
        for step in 0..<1000 {
            let time = Double(step) / 100
            #expect(times.frame(at: time) == FrameTimesTests.naive(times, time))
            #expect(times.frames(before: time) == times.seconds!.count { $0 < time - 1e-9 })
        }
        #expect(times.frame(at: -1) == 0 && times.frame(at: 1e9) == 159 && times.frames(before: 1e9) == 160)
        #expect(times.time(of: 121) == 2.2)
        let constant = FrameTimes(count: 20, rate: 10)
        #expect(constant.frame(at: 0.1 + 0.2) == 3 && constant.frame(at: 0.29) == 2 && constant.frame(at: 9) == 19)
        #expect(constant.frames(before: 0.1 + 0.2) == 3 && constant.frames(before: 0.31) == 4 && constant.frames(before: 9) == 20)
        #expect(constant.time(of: 5) == 0.5 && constant.duration == 2)
        let unknown = FrameTimes(count: 20, rate: .nan)
        #expect(unknown.rate == 0 && unknown.duration == nil && unknown.time(of: 5) == nil)
    }

    /// Times that a time base rounds are those of the constant rate, also if the file states a wrong one or none.
    @Test(arguments: [24000.0 / 1001, 24, 25, 30000.0 / 1001, 30, 50, 60000.0 / 1001, 60, 120, 240] as [Double])
    func roundedTimes(rate: Double) {
        for denominator in [600, 1000, 12800, 90_000, 1_000_000_000] {
            for rounding in [FloatingPointRoundingRule.down, .toNearestOrEven] {
                for start in [0.0, 1.4] {
                    let ticks = (0..<5000).map { Int64(((start + Double($0) / rate) * Double(denominator) + 1e-9).rounded(rounding)) }
                    for (stated, last) in [(rate, nil), (0, nil), (1000, ticks[1] - ticks[0]), (23, ticks[9] - ticks[8])] {
                        let times = FrameTimes(ticks: ticks, timeBase: (1, denominator), lastDuration: last, statedRate: stated)
                        #expect(times.isShown(as: FrameTimes(count: 5000, rate: rate)), "1/\(denominator) s, stated \(stated)")
                    }
                }
            }
        }
    }

    @Test func otherConstantRates() {
        // The rate that is stated, although a simpler one fits.
        let film = (0..<48).map { Int64((Double($0) * 1001 / 24).rounded()) }
        #expect(FrameTimes(ticks: film, timeBase: (1, 1000), statedRate: 23.976) == FrameTimes(count: 48, rate: 23.976))
        // No simple rate.
        let slow = FrameTimes(ticks: (0..<50).map { Int64($0) * 80 }, timeBase: (1, 1000), lastDuration: 80, statedRate: 25)
        #expect(slow.seconds == nil && abs(slow.rate - 12.5) <= 1e-9)
        // One frame.
        #expect(FrameTimes(ticks: [7], timeBase: (1, 1000), statedRate: 25) == FrameTimes(count: 1, rate: 25))
        #expect(FrameTimes(ticks: [7], timeBase: (1, 1000), lastDuration: 10_000, statedRate: 25).duration == 10)
        #expect(FrameTimes(ticks: [7], timeBase: (1, 1000)) == FrameTimes(count: 1, rate: 0))
        // Times that tell nothing.
        #expect(FrameTimes(ticks: [7, 7, 7], timeBase: (1, 1000), statedRate: 25) == FrameTimes(count: 3, rate: 25))
        // Farther apart than any integer.
        let far = FrameTimes(ticks: [.min, .max], timeBase: (1, 1))
        #expect(far.count == 2 && far.rate > 0 && far.duration?.isFinite == true)
    }

    /// A frame that was left out is no rounding, even where a tick lasts as long as a frame.
    @Test func variableRates() {
        for left in 1..<99 {
            let ticks = (0..<100).filter { $0 != left }.map(Int64.init)
            for stated in [25, 99.0 / 4, 0] {
                let times = FrameTimes(ticks: ticks, timeBase: (1, 25), lastDuration: 1, statedRate: stated)
                #expect(times.seconds == ticks.map { Double($0) / 25 })
                #expect(abs((times.duration ?? 0) - 4) <= 1e-12)
            }
        }
        let recording = FrameTimes(
            ticks: (0..<160).map { $0 < 120 ? $0 * 1500 : 180_000 + ($0 - 120) * 18_000 }, timeBase: (1, 90_000), lastDuration: 18_000,
            statedRate: 16)
        #expect(recording.isShown(as: FrameTimesTests.recording))
        // The last frame stands still; pictures that end at once; an unknown end is that of a mean frame.
        let still = FrameTimes(ticks: (0..<60).map { $0 * 20 }, timeBase: (1, 600), lastDuration: 4800, statedRate: 30)
        #expect(still.seconds?.count == 60 && abs((still.duration ?? 0) - (59.0 / 30 + 8)) <= 1e-12)
        let pictures = FrameTimes(ticks: [0, 1000, 2000], timeBase: (1, 1000), lastDuration: 40, statedRate: 25)
        #expect(pictures.seconds == [0, 1, 2] && pictures.duration == 2.04)
        #expect(FrameTimes(ticks: [0, 1000, 5000], timeBase: (1, 1000)).duration == 7.5)
        // Equal times, and one that goes back.
        let equal = FrameTimes(ticks: [100, 200, 200, 500, 400, 900], timeBase: (1, 100), lastDuration: 100)
        #expect(equal.seconds == [0, 1, 1, 4, 4, 8] && equal.duration == 9)
        #expect(equal.frame(at: 1) == 2 && equal.frame(at: 0.99) == 0 && equal.frames(before: 1) == 1)
    }

    /// At a constant rate, the rules by time and those by number choose the same frames.
    @Test func constantRatesByTime() throws {
        for (count, rate) in [(1, 25.0), (7, 30), (16, 30000.0 / 1001), (100, 24), (101, 60)] {
            let byNumber = FrameTimes(count: count, rate: rate)
            let byTime = FrameTimes(seconds: (0..<count).map { Double($0) / rate }, duration: Double(count) / rate)
            let evaluations = (0..<5).map { ClipView.evaluation(index: $0, count: 5) }
            for type in [SamplingType.uniform, .random, .consecutive] {
                let views = evaluations + (type == .random ? [] : [.training(seed: 1, stream: 2)])
                for frames in FrameSamplerTests.sizes {
                    let sampler = FrameSamplerTests.sampler(frames, type, stride: 3)
                    for view in views {
                        let (a, b) = (try sampler.choose(view, of: byNumber, path: "a"), try sampler.choose(view, of: byTime, path: "a"))
                        #expect(a.indices == b.indices && abs(a.framesPerSecond - b.framesPerSecond) <= 1e-9)
                    }
                    for selection in [FrameSelection(frames: frames), FrameSelection(frames: frames, framesPerSecond: rate)] {
                        let (a, b) = (try selection.choice(of: byNumber, path: "a"), try selection.choice(of: byTime, path: "a"))
                        #expect(a.indices == b.indices && abs(a.framesPerSecond - b.framesPerSecond) <= 1e-9)
                    }
                }
            }
            let (a, b) = (
                try byNumber.windows(length: 0.5, stride: 0.3, path: "a"), try byTime.windows(length: 0.5, stride: 0.3, path: "a")
            )
            #expect(a == b)
            let all = FrameSamplerTests.sampler(101, .uniform)
            for window in a {
                #expect(
                    try all.choose(window.view, of: byNumber, path: "a").indices == all.choose(window.view, of: byTime, path: "a").indices)
            }
        }
    }
}

/// Sampling from frames at a variable rate.
@Suite struct VariableRateTests {
    private static let recording = FrameTimesTests.recording

    @Test func uniform() throws {
        let sampler = FrameSamplerTests.sampler(16, .uniform)
        let choice = try sampler.choose(.whole, of: VariableRateTests.recording, path: "a")
        // Steps of 0.625 s: frames at 60 a second until 2 s, at 5 a second from then on.
        #expect(choice.indices == [18, 56, 93, 120, 124, 127, 130, 133, 136, 139, 142, 145, 149, 152, 155, 158])
        #expect(choice.framesPerSecond == 1.6)
        #expect(FrameSampling.uniform(16, of: 160)[2] == 25, "a choice by number")
        for samples in 1...3 {
            for index in 0..<samples {
                let found = try sampler.choose(.evaluation(index: index, count: samples), of: VariableRateTests.recording, path: "a")
                    .indices
                let times = (0..<16).map { (Double($0) + (Double(index) + 0.5) / Double(samples)) * 0.625 }
                #expect(found == times.map { FrameTimesTests.naive(VariableRateTests.recording, $0) })
            }
        }
        // The frame on the screen in the pause fills ten of the twelve seconds.
        #expect(
            try FrameSamplerTests.sampler(12, .uniform).choose(.whole, of: FrameTimesTests.pause, path: "a").indices
                == [5] + [Int](repeating: 9, count: 10) + [15])
        // Up to T frames: all of them.
        #expect(try FrameSamplerTests.sampler(20, .uniform).choose(.whole, of: FrameTimesTests.pause, path: "a").indices == Array(0..<20))
    }

    /// One random word for each segment.
    @Test func random() throws {
        let sampler = FrameSamplerTests.sampler(16, .random)
        for stream in 0..<UInt64(100) {
            let found = try sampler.choose(.training(seed: 3, stream: stream), of: VariableRateTests.recording, path: "a").indices
            var random = RandomGenerator(seed: 3, stream: stream)
            let times = (0..<16).map { (Double($0) + Double(random.nextWord()) / 4_294_967_296) * 0.625 }
            #expect(found == times.map { FrameTimesTests.naive(VariableRateTests.recording, $0) })
        }
        let whole = try sampler.choose(.whole, of: VariableRateTests.recording, path: "a")
        #expect(whole == (try FrameSamplerTests.sampler(16, .uniform).choose(.whole, of: VariableRateTests.recording, path: "a")))
    }

    @Test func framesPerSecond() throws {
        let times = VariableRateTests.recording
        // 1.4 s from 4.3 s on, where the frame of 4.2 s is on the screen.
        let sampler = FrameSamplerTests.sampler(8, .fps, fps: 5)
        let whole = try sampler.choose(.whole, of: times, path: "a")
        #expect(whole.indices == Array(131...138) && whole.framesPerSecond == 5)
        #expect(try sampler.choose(.evaluation(index: 0, count: 10), of: times, path: "a").indices == [25, 37, 49, 61, 73, 85, 97, 109])
        var starts: Set<Int> = []
        for stream in 0..<UInt64(3000) {
            let found = try sampler.choose(.training(seed: 4, stream: stream), of: times, path: "a").indices
            let start = times.seconds![found[0]]
            let expected = (0..<8).map { FrameTimesTests.naive(times, start + Double($0) / 5) }
            #expect(found == expected)
            starts.insert(found[0])
        }
        // Up to the frame of 8.4 s: 3,000 draws miss each of 153 places once in 3 * 10^8.
        #expect(starts == Set(0...152))
        // A clip that is too short starts at 0; a higher rate repeats frames.
        let slow = FrameSamplerTests.sampler(8, .fps, fps: 0.5)
        for view in [ClipView.whole, .training(seed: 1, stream: 1)] {
            #expect(try slow.choose(view, of: times, path: "a").indices == [0, 120, 130, 140, 150])
        }
        #expect(try slow.choose(.whole, of: times, path: "a").need == .seconds(14))
        #expect(
            try FrameSamplerTests.sampler(5, .fps, fps: 10).choose(.window(start: 5, length: 1), of: times, path: "a").indices
                == [136, 136, 137, 137, 138])
    }

    @Test func consecutive() throws {
        let sampler = FrameSamplerTests.sampler(4, .consecutive, stride: 2)
        #expect(try sampler.choose(.whole, of: VariableRateTests.recording, path: "a").indices == [77, 79, 81, 83])
    }

    @Test func windows() throws {
        let times = VariableRateTests.recording
        let sampler = FrameSamplerTests.sampler(4, .uniform)
        #expect(try sampler.choose(.window(start: 1, length: 1), of: times, path: "a").indices == [67, 82, 97, 112])
        // Five frames begin in the second, and those on the screen at its eighths are chosen.
        let slow = try sampler.choose(.window(start: 5.1, length: 1), of: times, path: "a")
        #expect(slow.range == 136..<141 && slow.indices == [136, 137, 138, 139])
        #expect(abs(slow.framesPerSecond - 4) <= 1e-9)
        // Across the change, 60 a second come from the first half.
        #expect(try sampler.choose(.window(start: 1.5, length: 1), of: times, path: "a").indices == [97, 112, 120, 121])
        // The last window goes to the end only.
        #expect(try sampler.choose(.window(start: 9, length: 9), of: times, path: "a").indices == [155, 156, 158, 159])
        // A window that begins before its first frame shows the frame before.
        #expect(
            try sampler.choose(.window(start: 10.5, length: 1), of: FrameTimesTests.pause, path: "a").indices == [9, 9, 11, 13])

        let plan = try FrameTimesTests.pause.windows(length: 1, stride: 1, path: "a")
        #expect(plan.map(\.start) == (0..<12).map(Double.init))
        let chosen = try plan.map {
            try FrameSamplerTests.sampler(10, .uniform).choose($0.view, of: FrameTimesTests.pause, path: "a").indices
        }
        let onThePause = [[Int]](repeating: [9], count: 10)
        #expect(chosen == [Array(0..<10)] + onThePause + [Array(10..<20)])
        let past = failure { try sampler.choose(.window(start: 12, length: 1), of: FrameTimesTests.pause, path: "a") }
        #expect(past.message.hasPrefix("a: the window starts at 12.0 seconds, but the clip ends at 12.0 (20 frames"))
    }

    /// What packing keeps.
    @Test func selections() throws {
        let times = VariableRateTests.recording
        let thinned = try FrameSelection(framesPerSecond: 5).choice(of: times, path: "a")
        #expect(thinned.indices == (0..<50).map { FrameTimesTests.naive(times, (Double($0) + 0.5) / 5) } && thinned.framesPerSecond == 5)
        #expect(thinned.indices.prefix(11) == [6, 18, 30, 42, 54, 66, 78, 90, 102, 114, 120])
        let few = try FrameSelection(frames: 5, framesPerSecond: 5).choice(of: times, path: "a")
        #expect(few.indices == [5, 15, 25, 35, 45].map { thinned.indices[$0] } && few.framesPerSecond == 0.5)
        // In a pause the frame on the screen is stored again and again, and read once.
        let pause = FrameSelection(framesPerSecond: 1)
        #expect(try pause.choice(of: FrameTimesTests.pause, path: "a").indices == [5] + [Int](repeating: 9, count: 10) + [15])
        // As the loader samples the video itself.
        let sixteen = try FrameSelection.uniform(16).choice(of: times, path: "a")
        let sampled = try FrameSamplerTests.sampler(16, .uniform).choose(.whole, of: times, path: "a")
        #expect(sixteen.indices == sampled.indices && sixteen.framesPerSecond == sampled.framesPerSecond)
        // A higher rate than the mean keeps every frame, at the mean rate.
        let all = try FrameSelection(framesPerSecond: 20).choice(of: times, path: "a")
        #expect(all.indices == Array(0..<160) && all.framesPerSecond == 16)
        let one = try FrameSelection(framesPerSecond: 0.01).choice(of: times, path: "a")
        #expect(one.indices == [135] && one.framesPerSecond == 0.1)
    }
}

extension FrameTimes {
    /// Whether frames are shown at the same times, however they came.
    fileprivate func isShown(as other: FrameTimes) -> Bool {
        count == other.count && rate == other.rate && seconds == other.seconds && duration == other.duration
    }
}
