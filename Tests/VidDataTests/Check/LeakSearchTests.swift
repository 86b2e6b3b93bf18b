import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct LeakSearchTests {
    /// A random smooth picture: 16 x 16 cells.
    private static func picture(_ random: inout RandomGenerator) -> [UInt8] {
        (0..<FramePrints.size).map { _ in UInt8(20 + random.below(200)) }
    }

    private static func clip(_ number: Int, _ split: Split, _ frames: [[UInt8]], digest: String? = nil) throws -> CheckedClip {
        let prints = try #require(FramePrints(cells: frames.flatMap(\.self), count: frames.count))
        let facts = ClipFacts(
            kind: "video", coding: "h264", frames: max(1, frames.count), channels: 3, rows: 64, columns: 64, framesPerSecond: 25,
            digest: digest ?? "\(number)", prints: prints)
        let entry = DataSet.Entry(path: "\(number)", id: "\(number)", label: 0, split: split, group: nil)
        return CheckedClip(entry: entry, result: .success(facts))
    }

    /// The picture with every cell changed by up to `noise`.
    private static func noisy(_ picture: [UInt8], _ noise: Int, _ random: inout RandomGenerator) -> [UInt8] {
        picture.map { UInt8(max(0, min(255, Int($0) + random.below(2 * noise + 1) - noise))) }
    }

    @Test func findsCopiesAcrossSplits() throws {
        var random = RandomGenerator(seed: 1)
        let frames = (0..<20).map { _ in LeakSearchTests.picture(&random) }
        let others = (0..<20).map { _ in LeakSearchTests.picture(&random) }
        let clips = try [
            LeakSearchTests.clip(0, .train, frames),
            LeakSearchTests.clip(1, .train, frames, digest: "0"),  // the same split: no leak
            LeakSearchTests.clip(2, .train, others),
            LeakSearchTests.clip(3, .test, frames, digest: "0"),
            LeakSearchTests.clip(4, .validation, frames.map { LeakSearchTests.noisy($0, 3, &random) }),
            LeakSearchTests.clip(5, .test, Array(others[6..<11])),
        ]
        let leaks = LeakSearch.leaks(clips)
        #expect(leaks.map { [$0.first, $0.second] } == [[0, 3], [1, 3], [2, 5], [0, 4], [1, 4], [4, 3]] || leaks.count == 6)
        #expect(leaks.prefix(2).allSatisfy { $0.isIdentical && $0.second == 3 })
        #expect(leaks.dropFirst(2).allSatisfy { !$0.isIdentical && $0.share == 1 && $0.difference <= 3 })
        let trimmed = try #require(leaks.first { $0.second == 5 })
        #expect(trimmed.first == 2 && trimmed.matched == 5 && trimmed.frames == 5)
        let acrossValidation = try #require(leaks.first { $0.first == 4 })
        #expect(acrossValidation.second == 3)
    }

    @Test func leavesOthersAlone() throws {
        var random = RandomGenerator(seed: 2)
        // The same background, with different objects of 3 x 3 cells moving in front of it.
        let background = LeakSearchTests.picture(&random)
        func scene(_ random: inout RandomGenerator) -> [[UInt8]] {
            (0..<20).map { _ in
                var frame = LeakSearchTests.noisy(background, 2, &random)
                let (row, column) = (random.below(13), random.below(13))
                for y in row..<row + 3 { for x in column..<column + 3 { frame[y * 16 + x] = frame[y * 16 + x] > 127 ? 60 : 190 } }
                return frame
            }
        }
        let flat = try LeakSearchTests.clip(4, .train, [])
        let clips = try [
            LeakSearchTests.clip(0, .train, scene(&random)), LeakSearchTests.clip(1, .test, scene(&random)),
            LeakSearchTests.clip(2, .test, scene(&random)), flat, LeakSearchTests.clip(5, .test, []),
        ]
        #expect(LeakSearch.leaks(clips) == [])
        #expect(LeakSearch.leaks([]) == [])
    }

    /// Vectors have no pictures: they are the same or not.
    @Test func vectorsByTheirContent() {
        func clip(_ number: Int, _ split: Split, digest: String) -> CheckedClip {
            let facts = ClipFacts(
                kind: ClipFacts.vectors, coding: "float32", frames: 4, channels: 1, rows: 1, columns: 8, framesPerSecond: 0,
                digest: digest, prints: FramePrints(frames: []))
            let entry = DataSet.Entry(path: "\(number)", id: "\(number)", label: 0, split: split, group: nil)
            return CheckedClip(entry: entry, result: .success(facts))
        }
        let one = String(repeating: "0123456789abcdef", count: 4)
        // The same first 64 bits, and a single other bit there.
        let (tail, head) = (one.dropLast() + "e", "1" + one.dropFirst())
        let clips = [
            clip(0, .test, digest: one), clip(1, .train, digest: one), clip(2, .validation, digest: String(tail)),
            clip(3, .test, digest: String(head)), clip(4, .train, digest: "none"),
        ]
        #expect(LeakSearch.leaks(clips).map { [$0.first, $0.second] } == [[1, 0]])
    }

    @Test func badClipsArePassedOver() throws {
        var random = RandomGenerator(seed: 3)
        let frames = [LeakSearchTests.picture(&random)]
        let bad = CheckedClip(
            entry: DataSet.Entry(path: "b", id: "b", label: 0, split: .train, group: nil), result: .failure(.file("b", "is bad")))
        let clips = try [bad, LeakSearchTests.clip(1, .train, frames), LeakSearchTests.clip(2, .test, frames)]
        #expect(LeakSearch.leaks(clips).map { [$0.first, $0.second] } == [[1, 2]])
        #expect(bad.reason == "is bad")
    }

    /// Ten thousand clips of 32 frames, one of them a copy, took 2.4 s. The usual tests run a fortieth of them.
    @Test(arguments: [250]) func scale(clips count: Int) throws {
        var random = RandomGenerator(seed: 4)
        var clips = try (0..<count).map { number in
            let frames = (0..<32).map { _ in LeakSearchTests.picture(&random) }
            return try LeakSearchTests.clip(number, number % 5 == 0 ? .test : .train, frames)
        }
        let copied = try #require(clips[1].facts?.prints.cells)
        clips.append(
            try LeakSearchTests.clip(
                count, .test, (0..<32).map { LeakSearchTests.noisy(Array(copied[$0 * 256..<($0 + 1) * 256]), 2, &random) }))
        let clock = ContinuousClock.now
        let leaks = LeakSearch.leaks(clips)
        let elapsed = clock.duration(to: .now)
        #expect(leaks.map { [$0.first, $0.second] } == [[1, count]])
        #expect(elapsed < .seconds(20), "\(elapsed)")
        if count >= 1000 { print("leak search: \(count) clips in \(elapsed)") }
    }
}
