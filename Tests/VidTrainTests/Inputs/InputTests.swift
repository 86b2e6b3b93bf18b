import Foundation
import Testing
import VidConfig
import VidData
import VidTensor
import VidTrain

/// Orders of an epoch, samples and mixup.
@Suite struct InputTests {
    @Test(arguments: [1, 2, 3])
    func aBalancedEpochHasEveryClassAsOftenAndRepeatsEvenly(seed: UInt64) {
        let labels = [Int](repeating: 0, count: 40) + [Int](repeating: 1, count: 7) + [2, 2] + [4]
        var random = RandomGenerator(seed: seed)
        let order = EpochOrder.balanced(labels, classes: 5, &random)
        #expect(order.count == labels.count)
        var draws = [Int](repeating: 0, count: labels.count)
        for clip in order { draws[clip] += 1 }
        // 50 draws of four classes that have clips: 12 or 13 each.
        for label in [0, 1, 2, 4] {
            let count = order.count { labels[$0] == label }
            #expect((12...13).contains(count), "class \(label)")
            let members = labels.indices.filter { labels[$0] == label }.map { draws[$0] }
            #expect((members.max() ?? 0) - (members.min() ?? 0) <= 1, "class \(label)")
        }
        let next = EpochOrder.balanced(labels, classes: 5, &random)
        #expect(next != order)
        var again = RandomGenerator(seed: seed)
        #expect(EpochOrder.balanced(labels, classes: 5, &again) == order)
    }

    @Test func samplesAreTheSameAtTheSamePlaceAndDifferElsewhere() {
        var configuration = RunConfiguration()
        #expect(SamplePlan.training(configuration, behindFrozenLayers: true).perClip == 1)
        #expect(SamplePlan.training(configuration, behindFrozenLayers: true).view(of: "a", epoch: 3, position: 4) == .whole)
        configuration.augmentation.horizontalFlip = 0.5
        let fresh = SamplePlan.training(configuration, behindFrozenLayers: true)
        #expect(fresh.perClip == nil)
        let views = (0..<3).flatMap { epoch in (0..<50).map { fresh.view(of: "a", epoch: epoch, position: $0) } }
        #expect(Set(views).count == 150)
        #expect(fresh.view(of: "b", epoch: 1, position: 7) == views[57])
        configuration.augmentation.copies = 3
        #expect(SamplePlan.training(configuration, behindFrozenLayers: false).perClip == nil)
        let copies = SamplePlan.training(configuration, behindFrozenLayers: true)
        #expect(copies.perClip == 3)
        let three = Set((0..<3).map { copies.view($0, of: "a") })
        let drawn = (0..<200).map { copies.view(of: "a", epoch: 0, position: $0) }
        #expect(Set(drawn) == three && three.count == 3)
        for view in three { #expect(drawn.count { $0 == view } > 40) }
        #expect(three.isDisjoint(with: (0..<3).map { copies.view($0, of: "b") }))
        configuration.evaluation.clips = 2
        let evaluation = SamplePlan.evaluation(configuration)
        #expect((0..<2).map { evaluation.view($0, of: "a") } == [.evaluation(index: 0, count: 2), .evaluation(index: 1, count: 2)])
    }

    @Test func sharesOfMixUpFollowTheBetaDistribution() {
        // Mean and variance of Beta(a, a): 1/2 and 1 / (4 (2a + 1)). 20,000 draws: standard error of the mean below 0.0036.
        for alpha in [0.1, 0.2, 1, 4] {
            var random = RandomGenerator(seed: 3)
            let draws = (0..<20_000).map { _ in random.symmetricBeta(alpha) }
            let mean = draws.reduce(0, +) / 20_000
            let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
            #expect(abs(mean - 0.5) <= 0.015, "alpha \(alpha)")
            #expect(abs(variance * 4 * (2 * alpha + 1) - 1) <= 0.05, "alpha \(alpha)")
            #expect(draws.allSatisfy { $0 >= 0 && $0 <= 1 })
        }
        let mixUp = MixUp(clips: 6, alpha: 0.4, seed: 1, stream: 9)
        #expect(mixUp.share >= 0.5 && mixUp.share <= 1 && mixUp.partners.sorted() == Array(0..<6))
        #expect(MixUp(clips: 6, alpha: 0.4, seed: 1, stream: 9).partners == mixUp.partners)
    }
}
