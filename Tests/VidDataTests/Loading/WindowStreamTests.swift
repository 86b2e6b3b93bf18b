import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Windows of a stream, frame by frame, against those of the same frames as a file.
@Suite struct WindowStreamTests {
    /// Frames that say their numbers: two bytes each.
    private static func frame(_ number: Int) -> [UInt8] { [UInt8(number / 256), UInt8(number % 256)] }

    private static func loader(_ sampling: SamplingConfiguration, frames: Int) -> ClipLoader {
        ClipLoader(frames: frames, channels: 1, rows: 1, columns: 2, sampling: sampling)
    }

    private struct Found: Equatable {
        let window: ClipWindow
        let numbers: [Int]
    }

    private struct Recording {
        var ticks: [Int64]
        var clock: (over: Int, under: Int)
        var rate: Double
        var lastDuration: Int
    }

    private static func ofFile(_ file: Recording, _ loader: ClipLoader, _ length: Double, _ stride: Double) throws -> [Found] {
        let times = FrameTimes(
            ticks: file.ticks, timeBase: (file.clock.over, file.clock.under), lastDuration: Int64(file.lastDuration), statedRate: file.rate)
        return try times.windows(length: length, stride: stride, path: "a").map { window in
            let chosen = try loader.sampler.choose(window.view, of: times, path: "a").indices
            let end = min(window.length, (times.ended.duration ?? 0) - window.start)
            return Found(
                window: ClipWindow(start: window.start, length: end),
                numbers: try ShortClips.loop.indices(loader.frames, of: chosen.count, path: "a").indices.map { chosen[$0] })
        }
    }

    /// - Returns: the windows, and the most frames that came between a window's end and the window.
    private static func ofStream(_ file: Recording, _ loader: ClipLoader, _ length: Double, _ stride: Double) throws -> [Found] {
        let clock = StreamClock(over: file.clock.over, under: file.clock.under)
        var stream = WindowStream(loader, StreamDescription(clock: clock, rate: file.rate), length: length, stride: stride, name: "a")
        var found: [Found] = []
        func takeAll() throws {
            while let (window, loaded) = try stream.next() {
                guard case .bytes(let bytes) = loaded.clip.pixels else { continue }
                let numbers = Swift.stride(from: 0, to: bytes.count, by: 2).map { (at: Int) -> Int in
                    Int(bytes[at]) * 256 + Int(bytes[at + 1])
                }
                found.append(Found(window: window, numbers: numbers))
            }
        }
        for (number, tick) in file.ticks.enumerated() {
            try frame(number).withUnsafeBytes { try stream.append(tick, $0) }
            try takeAll()
        }
        stream.finish(lastDuration: file.lastDuration)
        try takeAll()
        return found
    }

    private static let samplings: [SamplingConfiguration] = SamplingType.allCases.map { type in
        var sampling = SamplingConfiguration()
        sampling.type = type
        return sampling
    }

    /// A recording of one of many kinds: rates that ticks round, rates that are stated wrongly or not at all, frames that are left out or
    /// come late, pauses, and times that step back.
    private static func recording(_ random: inout RandomGenerator) -> Recording {
        let rate = [30, 25, 30_000.0 / 1001, 24_000.0 / 1001, 12.5, 7][random.below(6)]
        let under = [1000, 90_000, 600, 12_800][random.below(4)]
        let count = 2 + random.below(400)
        let kind = random.below(8)
        var (time, ticks) = (0.0, [Int64]())
        let change = random.below(count)
        for number in 0..<count {
            ticks.append(Int64((time * Double(under)).rounded()))
            time = Double(number + 1) / rate
            if kind == 1, number >= change { time += 0.4 / rate }  // one frame late, and all after it
            if kind == 2, number >= change { time += 5 }  // a pause
            if kind == 3 { time += Double(random.below(1000)) / 1000 * 0.8 / rate }  // a jittering camera
            if kind == 4, number % 7 == 0 { time += 1 / rate }
        }
        if kind == 5, count > 4 { ticks[count / 2] = ticks[count / 2 - 2] }  // a step back
        let stated = kind == 6 ? 0 : kind == 7 ? rate * 1.5 : rate
        let step = Double(under) / rate
        return Recording(
            ticks: ticks, clock: (1, under), rate: stated, lastDuration: [0, Int(step), Int(3 * step)][random.below(3)])
    }

    @Test func theSameAsOfTheFile() throws {
        var random = RandomGenerator(seed: 19)
        var windows = 0
        for number in 0..<600 {
            let file = WindowStreamTests.recording(&random)
            let loader = WindowStreamTests.loader(WindowStreamTests.samplings[number % 4], frames: 1 + random.below(12))
            let length = [0.1, 0.5, 1, 2, 3.3, 1.0 / 3][random.below(6)]
            let stride = [length, length / 2, length / 3, 2 * length, 0.7][random.below(5)]
            let expected = try WindowStreamTests.ofFile(file, loader, length, stride)
            let found = try WindowStreamTests.ofStream(file, loader, length, stride)
            #expect(found == expected, "\(number): \(file) in windows of \(length) every \(stride)")
            windows += found.count
        }
        #expect(windows > 5000)
    }

    /// A window is there with the first frame at its end, not later.
    @Test func eachWindowComesWhenItHasEnded() throws {
        let loader = WindowStreamTests.loader(WindowStreamTests.samplings[0], frames: 4)
        var stream = WindowStream(
            loader, StreamDescription(clock: StreamClock(over: 1, under: 1000), rate: 25), length: 2, stride: 1, name: "a")
        var ends: [Int] = []
        for number in 0..<151 {
            try WindowStreamTests.frame(number).withUnsafeBytes { try stream.append(Int64(number) * 40, $0) }
            while try stream.next() != nil { ends.append(number) }
        }
        #expect(ends == [50, 75, 100, 125, 150])
    }

    @Test func streamsWithoutWindows() throws {
        let loader = WindowStreamTests.loader(WindowStreamTests.samplings[0], frames: 4)
        let unknown = StreamDescription(clock: StreamClock(over: 1, under: 1000), rate: 0)
        var empty = WindowStream(loader, unknown, length: 2, stride: 1, name: "a")
        empty.finish(lastDuration: 0)
        #expect(try empty.next() == nil)
        // One frame of an unknown duration.
        var one = WindowStream(loader, unknown, length: 2, stride: 1, name: "standard input")
        try WindowStreamTests.frame(0).withUnsafeBytes { try one.append(0, $0) }
        one.finish(lastDuration: 0)
        let error = #expect(throws: VidclassError.self) { try one.next() }
        #expect(error?.message.hasPrefix("standard input: its frame rate is not known") == true)
        // A clock that jumps by years.
        var jump = WindowStream(loader, unknown, length: 2, stride: 1, name: "a")
        for (number, tick) in [0, 40, 1 << 50].enumerated() {
            try WindowStreamTests.frame(number).withUnsafeBytes { try jump.append(Int64(tick), $0) }
        }
        #expect(throws: VidclassError.self) { while try jump.next() != nil {} }
    }
}
