import Foundation
import Testing
import VidTensor
import VidTestSupport

@Suite struct RandomGeneratorTests {
    /// Random123's known answers for philox4x32-10.
    @Test func knownAnswers() {
        let zeros = RandomGenerator.philox(counter: (0, 0, 0, 0), key: (0, 0))
        #expect(zeros == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = RandomGenerator.philox(counter: (.max, .max, .max, .max), key: (.max, .max))
        #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        let pi = RandomGenerator.philox(
            counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        #expect(pi == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func wordsComeInTheOrderOfTheBlocks() {
        var random = RandomGenerator(seed: 5, stream: 9)
        let drawn = (0..<8).map { _ in random.nextWord() }
        let (a, b) = (RandomGenerator.words(seed: 5, stream: 9, block: 0), RandomGenerator.words(seed: 5, stream: 9, block: 1))
        #expect(drawn == [a.0, a.1, a.2, a.3, b.0, b.1, b.2, b.3])
    }

    @Test func aSavedGeneratorGoesOnWhereItWas() throws {
        var random = RandomGenerator(seed: 3, stream: 1)
        for _ in 0..<5 { _ = random.nextWord() }
        var restored = try JSONDecoder().decode(RandomGenerator.self, from: JSONEncoder().encode(random))
        #expect(restored == random)
        #expect((0..<9).map { _ in restored.nextWord() } == (0..<9).map { _ in random.nextWord() })
    }

    @Test func reservedBlocksAreNotDrawnAgain() {
        var random = RandomGenerator(seed: 4)
        _ = random.nextWord()
        let first = random.reserveBlocks(3)
        #expect(first == 1)
        #expect(random.nextWord() == RandomGenerator.words(seed: 4, stream: 0, block: 4).0)
    }

    // The standard error of the mean of 100,000 numbers: 0.0009 uniform, 0.0032 normal; five of them allowed.
    @Test func momentsOfUniformAndNormal() {
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        var random = RandomGenerator(seed: 7)
        let uniform = (0..<100_000).map { _ in Double(random.uniform()) }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(mean(uniform) - 0.5) <= 0.005)
        let normal = (0..<100_000).map { _ in Double(random.normal()) }
        #expect(abs(mean(normal)) <= 0.016)
        #expect(abs(mean(normal.map { $0 * $0 }) - 1) <= 0.025)
    }

    @Test(arguments: [1, 3, 17, 1000, 40_000])
    func dropoutFactorsFollowTheStream(_ count: Int) {
        var tensors = TestTensors(seed: 18)
        let rate: Float = 0.3
        var states: [RandomGenerator] = []
        var bits: [[Float]] = []
        for threads in threadCounts {
            var random = RandomGenerator(seed: 11, stream: 2)
            _ = random.nextWord()
            let factors = tensors.nan([count])
            DropoutFactors.fill(factors, rate: rate, &random, Workers(count: threads))
            states.append(random)
            bits.append(factors.array)
        }
        #expect(bits.allSatisfy { $0 == bits[0] } && states.allSatisfy { $0 == states[0] })
        var random = RandomGenerator(seed: 11, stream: 2)
        _ = random.reserveBlocks(1)
        let expected = (0..<count).map { _ in Double(random.nextWord()) < Double(rate) * 0x1p32 ? Float(0) : Float(1 / (1 - Double(rate))) }
        #expect(bits[0] == expected)
        if count == 40_000 {
            let kept = Double(bits[0].count { $0 != 0 }) / Double(count)
            #expect(abs(kept - 0.7) <= 0.012)  // five standard errors
        }
    }

    /// Every order of three comes up, and each about as often: 6,000 draws give 1,000 +- 29 (one standard deviation).
    @Test func everyOrderOfAPermutationIsAsLikely() {
        var random = RandomGenerator(seed: 1)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[random.permutation(3), default: 0] += 1 }
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { abs($0 - 1000) <= 150 })
    }

    @Test(arguments: [0, 1, 2, 1000])
    func aPermutationHasEveryElementOnce(_ count: Int) {
        var random = RandomGenerator(seed: 2)
        #expect(random.permutation(count).sorted() == Array(0..<count))
    }
}
