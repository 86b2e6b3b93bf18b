import Testing
import VidConfig
import VidData
import VidModel
import VidTensor
import VidTestSupport
import VidTrain

/// The inputs of the trained part of the network: frames, or features from memory, from the cache, or computed each time.
@Suite struct StepInputsTests {
    private func inputs(
        _ clips: TestClips, _ change: (inout RunConfiguration) -> Void = { _ in }, features: FeatureStorage = FeatureStorage()
    ) throws -> StepInputs {
        var configuration = TestClips.configuration()
        configuration.model.cnn?.trainable = Trainable.none
        change(&configuration)
        let classifier = try clips.classifier(configuration)
        let predictor = try Predictor(
            classifier, preprocessing: configuration.data.preprocessing, for: .evaluation, loadedClips: 1, workers: Workers(count: 1))
        return try StepInputs(
            try clips.split(.train, configuration), .training(configuration, behindFrozenLayers: classifier.frozen != nil), in: predictor,
            features: features)
    }

    /// What `gather` writes for some clips at positions of an epoch's order.
    private func gathered(_ inputs: StepInputs, _ clips: [Int], epoch: Int = 0, shape: Shape = [8]) async throws -> [Float] {
        let samples = clips.enumerated().map { inputs.sample(clip: $1, epoch: epoch, position: $0) }
        let buffer = Buffer(count: clips.count * 4 * shape.count)
        let batch = buffer.tensor(shape.prepending(clips.count * 4))
        batch.fill(.nan)
        let validFrames = try await inputs.gather(samples, next: samples, into: batch)
        #expect(validFrames == clips.map { _ in 4 })
        return batch.array
    }

    @Test func featuresAreTheSameWithAndWithoutMemoryAndCache() async throws {
        let clips = try await TestClips()
        let stored = try inputs(clips)
        #expect(stored.needsPreparing && stored.count == 12)
        var recalled: [Bool] = []
        try await stored.prepare { recalled.append($0) }
        #expect(recalled == [Bool](repeating: false, count: 12))
        let expected = try await gathered(stored, [5, 0, 5])
        #expect(expected.allSatisfy(\.isFinite) && expected[0..<32] == expected[64...] && expected[0..<32] != expected[32..<64])

        let cache = MemoryFeatureCache()
        for features in [FeatureStorage(keepsInMemory: false), FeatureStorage(cache: cache, keepsInMemory: false)] {
            let other = try inputs(clips, features: features)
            #expect(!other.needsPreparing)
            for _ in 0..<2 { #expect(try await gathered(other, [5, 0, 5]) == expected) }
        }
        #expect(cache.stored == 2)
        let filled = try inputs(clips, features: FeatureStorage(cache: cache))
        recalled = []
        try await filled.prepare { recalled.append($0) }
        #expect(recalled.count { $0 } == 2 && recalled.prefix(2) == [true, true] && cache.stored == 12)
        #expect(try await gathered(filled, [5, 0, 5]) == expected)
    }

    @Test func preparingStopsWhereItIsAskedTo() async throws {
        struct Stop: Error {}
        let clips = try await TestClips()
        defer { withExtendedLifetime(clips) {} }
        let inputs = try inputs(clips)
        var done = 0
        await #expect(throws: Stop.self) {
            try await inputs.prepare { _ in
                done += 1
                if done == 3 { throw Stop() }
            }
        }
        #expect(done == 3)
    }

    /// A few copies of each clip are stored like clips; samples that are new each time are neither stored nor cached.
    @Test func copiesAreStoredAndNewSamplesAreNot() async throws {
        let clips = try await TestClips()
        let cache = MemoryFeatureCache()
        let copies = try inputs(
            clips,
            {
                $0.augmentation.horizontalFlip = 0.5
                $0.augmentation.brightness = 0.5
                $0.augmentation.copies = 2
            }, features: FeatureStorage(cache: cache))
        #expect(copies.needsPreparing && copies.count == 24)
        try await copies.prepare { _ in }
        #expect(cache.stored == 24)
        #expect(copies.sample(item: 5).clip == 2 && copies.sample(item: 5).view == copies.plan.view(1, of: copies.clips.names[2]))
        var seen = Set<[Float]>()
        for epoch in 0..<8 { seen.insert(try await gathered(copies, [3], epoch: epoch)) }
        #expect(seen.count == 2)

        let fresh = try inputs(clips, { $0.augmentation.brightness = 0.5 }, features: FeatureStorage(cache: cache))
        #expect(!fresh.needsPreparing && fresh.count == 0)
        #expect(try await gathered(fresh, [3], epoch: 0) != gathered(fresh, [3], epoch: 1))
        #expect(cache.stored == 24)
    }

    /// A convolution, a batch normalisation, and the same again.
    private func network(epsilon: Float = 1e-3, padding: MapPadding = .same, activation: MapActivation = .relu) -> Architecture {
        .layers([
            .convolution(.init("a", filters: 8, strides: 2, padding: padding, usesBias: false)),
            .batchNormalization(.init("a_bn", epsilon: epsilon, activation: activation)),
            .convolution(.init("b", filters: 8, usesBias: false)), .batchNormalization(.init("b_bn", epsilon: epsilon)),
        ])
    }

    /// Networks with the same weights whose layers differ in what no weight tells have features of their own.
    @Test func whatNoWeightTellsIsInTheKey() async throws {
        let clips = try await TestClips()
        defer { withExtendedLifetime(clips) {} }
        let cache = MemoryFeatureCache()
        let networks = [network(), network(epsilon: 1e-5), network(padding: .symmetric), network(activation: .relu6)]
        for (number, network) in (networks + [networks[0]]).enumerated() {
            let inputs = try inputs(clips, { $0.model.cnn?.architecture = network }, features: FeatureStorage(cache: cache))
            try await inputs.prepare { _ in }
            #expect(cache.stored == 12 * min(number + 1, networks.count))
        }
    }

    /// Training moves the statistics of trained layers, and those only.
    @Test func movingStatisticsOfTrainedLayersAreNotFrozen() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration()
        configuration.model.cnn?.architecture = network()
        configuration.model.cnn?.trainable = .from("b")
        let classifier = try clips.classifier(configuration)
        let before = try #require(classifier.frozenDigest)
        try #require(classifier.parameters.slice(named: "cnn/b_bn/moving_mean").map(classifier.parameters.value)).fill(0.5)
        #expect(classifier.frozenDigest == before)
        try #require(classifier.parameters.slice(named: "cnn/a_bn/moving_mean").map(classifier.parameters.value)).fill(0.5)
        #expect(classifier.frozenDigest != before)
    }

    /// Without frozen layers the inputs are the preprocessed frames.
    @Test func framesComeWhereNoLayerIsFrozen() async throws {
        let clips = try await TestClips()
        defer { withExtendedLifetime(clips) {} }
        let inputs = try inputs(clips, { $0.model.cnn?.trainable = .all })
        #expect(!inputs.needsPreparing)
        let frames = try await gathered(inputs, [0, 1], shape: [16, 16, 3])
        #expect(frames.allSatisfy { (-1...1).contains($0) } && Set(frames).count > 10)
    }
}
