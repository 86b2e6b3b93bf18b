import Foundation
import Testing
import VidTensor
import VidTestSupport
import VidTrain

@Suite struct FamiliarityTests {
    /// Features around a few centres, as those of classes are.
    private func features(_ count: Int, dimensions: Int = 12, centre: Float = 0, seed: UInt64) -> [[Float]] {
        var random = RandomGenerator(seed: seed)
        return (0..<count).map { clip in
            (0..<dimensions).map { index in
                (index % 3 == clip % 3 ? 4 : 1) + (index < 4 ? centre : 0) + 0.5 * random.normal()
            }
        }
    }

    /// The distance to the third nearest reference clip, from its definition in double precision.
    private func distance(_ feature: [Float], _ reference: [[Float]]) -> Double {
        func direction(_ feature: [Float]) -> [Double] {
            let roots = feature.map { Double($0.magnitude).squareRoot() * ($0 < 0 ? -1 : 1) }
            let length = roots.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return roots.map { length > 0 ? $0 / length : 0 }
        }
        let own = direction(feature)
        let squares = reference.map { other in zip(own, direction(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        return squares.sorted()[2].squareRoot()
    }

    @Test(arguments: [1, 8, 12, 19]) func distancesAreThoseOfTheDefinition(_ dimensions: Int) throws {
        let reference = features(40, dimensions: dimensions, seed: 1)
        let validation = features(30, dimensions: dimensions, centre: -3, seed: 2)
        let familiarity = try #require(Familiarity(reference: reference, validation: validation))
        let expected = validation.map { distance($0, reference) }.sorted()
        #expect(familiarity.clips == 40 && familiarity.distances.count == 30)
        for (found, expected) in zip(familiarity.distances, expected) { #expect(abs(Double(found) - expected) <= 2e-7) }
        // The same from its saved parts.
        #expect(
            Familiarity(dimensions: dimensions, features: familiarity.features, distances: familiarity.distances) == familiarity)
    }

    /// With few validation clips the reference clips calibrate too, each compared with the others.
    @Test func fewValidationClipsAreJoinedByTheReference() throws {
        let (reference, validation) = (features(20, seed: 1), features(5, seed: 2))
        let familiarity = try #require(Familiarity(reference: reference, validation: validation))
        var expected = validation.map { distance($0, reference) }
        for clip in reference.indices {
            expected.append(distance(reference[clip], reference.indices.filter { $0 != clip }.map { reference[$0] }))
        }
        #expect(familiarity.distances.count == 25)
        for (found, expected) in zip(familiarity.distances, expected.sorted()) { #expect(abs(Double(found) - expected) <= 2e-7) }
    }

    /// Beyond the farthest of few known clips; beyond 99 % of many.
    @Test(arguments: [(19, 18), (98, 97), (99, 98), (150, 149), (199, 197), (1000, 990)])
    func theThresholdIsAnOrderStatistic(_ known: Int, _ place: Int) throws {
        let reference = features(30, seed: 3)
        let familiarity = try #require(Familiarity(reference: reference, validation: features(known, centre: -0.5, seed: 4)))
        let threshold = familiarity.distances[place]
        for feature in features(200, centre: -0.5, seed: 5) + features(200, centre: -1, seed: 6) {
            let distance = distance(feature, reference)
            guard abs(distance - Double(threshold)) > 1e-6 else { continue }
            let finding = familiarity.finding(feature)
            #expect(finding.isUnfamiliar == (distance > Double(threshold)))
            let nearer = familiarity.distances.count { Double($0) < distance }
            #expect(abs(finding.percentile - 100 * Double(nearer) / Double(known)) <= 100 / Double(known))
        }
    }

    /// Of new clips from the same source at most one in a hundred is called unfamiliar on average; clips from elsewhere are.
    @Test func falseAlarmsAreAsRareAsPromised() throws {
        var alarms = 0
        for seed in 0..<20 as Range<UInt64> {
            let known = features(199, seed: 100 + seed)
            let familiarity = try #require(Familiarity(reference: features(60, seed: 200 + seed), validation: known))
            alarms += features(300, seed: 300 + seed).count { familiarity.finding($0).isUnfamiliar }
            #expect(features(100, centre: -3, seed: 400 + seed).allSatisfy { familiarity.finding($0).isUnfamiliar })
        }
        // 60 are expected at most; three standard deviations of 20 thresholds and of 6,000 clips are about 40.
        #expect(alarms <= 100 && alarms >= 10, "\(alarms) of 6000")
    }

    @Test func whatHasNoDirectionIsUnfamiliar() throws {
        let familiarity = try #require(Familiarity(reference: features(30, seed: 1), validation: features(30, seed: 2)))
        for value in [Float.nan, .infinity, 0] {
            let finding = familiarity.finding([Float](repeating: value, count: 12))
            #expect(finding.percentile == 100 && finding.isUnfamiliar, "\(value)")
        }
        #expect(Familiarity(reference: features(30, seed: 1) + [[Float](repeating: .nan, count: 12)], validation: []) == nil)
    }

    @Test func largeFeaturesHaveFewerReferenceClips() {
        #expect(Familiarity.capacity(512) == 1000 && Familiarity.capacity(4096) == 256)
        #expect(Familiarity.isPossible(training: 19, dimensions: 512) && !Familiarity.isPossible(training: 18, dimensions: 512))
        #expect(!Familiarity.isPossible(training: 1000, dimensions: 1 << 20))
    }

    @Test func smallClassesAreChosenWhole() {
        let labels = [Int](repeating: 0, count: 500) + [1, 1, 1] + [Int](repeating: 2, count: 500)
        let chosen = Familiarity.choose(labels, atMost: 101, seed: 7)
        #expect(chosen.count == 101 && Set(chosen).count == 101 && chosen == chosen.sorted())
        #expect((0..<3).map { label in chosen.count { labels[$0] == label } }.sorted() == [3, 49, 49])
        #expect(chosen == Familiarity.choose(labels, atMost: 101, seed: 7) && chosen != Familiarity.choose(labels, atMost: 101, seed: 8))
        #expect(Familiarity.choose([1, 0, 1], atMost: 3, seed: 7) == [0, 1, 2])
    }
}
