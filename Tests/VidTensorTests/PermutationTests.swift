import Testing
import VidTensor

@Suite struct PermutationTests {
    /// Every order of three comes up, and each about as often: 6,000 draws give 1,000 +- 29 (one standard deviation).
    @Test func everyOrderIsAsLikely() {
        var random = RandomGenerator(seed: 1)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[random.permutation(3), default: 0] += 1 }
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { abs($0 - 1000) <= 150 })
    }

    @Test(arguments: [0, 1, 2, 1000])
    func everyElementIsThereOnce(_ count: Int) {
        var random = RandomGenerator(seed: 2)
        #expect(random.permutation(count).sorted() == Array(0..<count))
    }
}
