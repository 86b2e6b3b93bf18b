import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor

@Suite struct FrameSamplingTests {
    @Test func uniformFrames() {
        #expect(FrameSampling.uniform(4, of: 40) == [5, 15, 25, 35])
        #expect(FrameSampling.uniform(1, of: 9) == [4])
        #expect(FrameSampling.uniform(3, of: 7) == [1, 3, 5])
        #expect(FrameSampling.uniform(16, of: 17) == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16])
        #expect(FrameSampling.uniform(8, of: 8) == Array(0..<8))
        #expect(FrameSampling.uniform(8, of: 3) == [0, 1, 2])
    }

    /// For every count: frame floor((i + 1/2) N / K), strictly ascending.
    @Test func uniformFramesByTheRule() {
        for frames in 1...60 {
            for count in 1...60 {
                let indices = FrameSampling.uniform(count, of: frames)
                #expect(indices.count == min(count, frames))
                #expect(zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 })
                guard count < frames else { continue }
                for (i, index) in indices.enumerated() {
                    let exact = (Double(i) + 0.5) * Double(frames) / Double(count)
                    #expect(Double(index) <= exact && exact < Double(index + 1))
                }
            }
        }
    }

    @Test func shortClips() throws {
        #expect(try ShortClips.loop.indices(7, of: 3, path: "a").indices == [0, 1, 2, 0, 1, 2, 0])
        #expect(try ShortClips.loop.indices(7, of: 3, path: "a").valid == 7)
        #expect(try ShortClips.padLast.indices(5, of: 3, path: "a").indices == [0, 1, 2, 2, 2])
        #expect(try ShortClips.padLast.indices(5, of: 3, path: "a").valid == 5)
        #expect(try ShortClips.mask.indices(5, of: 3, path: "a").indices == [0, 1, 2, 2, 2])
        #expect(try ShortClips.mask.indices(5, of: 3, path: "a").valid == 3)
        #expect(try ShortClips.error.indices(3, of: 3, path: "a").indices == [0, 1, 2])
        let error = failure { try ShortClips.error.indices(5, of: 3, path: "a") }
        #expect(error.kind == .badData && error.message.hasPrefix("a: expected at least 5 frames, found 3"))
    }

    @Test func selections() throws {
        #expect(try FrameSelection.all.choice(of: FrameTimes(count: 5, rate: 0), path: "a").indices == Array(0..<5))
        #expect(try FrameSelection.uniform(2).choice(of: FrameTimes(count: 8, rate: 0), path: "a").indices == [2, 6])
        // 50 frames at 25 a second last two seconds: ten frames at 5 a second, then four of those.
        let thinned = FrameSelection(framesPerSecond: 5)
        #expect(try thinned.choice(of: FrameTimes(count: 50, rate: 25), path: "a").indices == [2, 7, 12, 17, 22, 27, 32, 37, 42, 47])
        #expect(
            try FrameSelection(frames: 4, framesPerSecond: 5).choice(of: FrameTimes(count: 50, rate: 25), path: "a").indices == [
                7, 17, 32, 42,
            ])
        #expect(try FrameSelection(framesPerSecond: 60).choice(of: FrameTimes(count: 5, rate: 25), path: "a").indices == Array(0..<5))
        #expect(try FrameSelection(framesPerSecond: 0.01).choice(of: FrameTimes(count: 5, rate: 25), path: "a").indices == [2])
        #expect(
            failure { try thinned.choice(of: FrameTimes(count: 5, rate: 0), path: "a") }.message.contains("its frame rate is not known"))
    }
}
