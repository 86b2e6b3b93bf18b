import Foundation
import Testing
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The training loop on synthetic clips, without files of its own but the clips.
@Suite struct TrainerTests {
    /// Everything a training ends with: the bits of the weights and moments, and the state.
    private func result(_ trainer: Trainer) -> (weights: [UInt32], moments: [[UInt32]], state: TrainerState) {
        func bits(_ buffer: Buffer) -> [UInt32] { buffer.tensor([buffer.count]).array.map(\.bitPattern) }
        return (bits(trainer.classifier.parameters.values), trainer.optimizer.slots.map { bits($0.values) }, trainer.state)
    }

    /// The state as read back from its JSON.
    private func resumed(_ state: TrainerState) throws -> TrainerState {
        try JSONDecoder().decode(TrainerState.self, from: try JSONEncoder().encode(state))
    }

    /// Copies weights and moments.
    private func copy(_ source: Trainer, to target: Trainer) {
        func copy(_ source: Buffer, to target: Buffer) { target.tensor([target.count]).copy(from: source.tensor([source.count])) }
        copy(source.classifier.parameters.values, to: target.classifier.parameters.values)
        target.classifier.parameters.didChange()
        for (target, source) in zip(target.optimizer.slots, source.optimizer.slots) { copy(source.values, to: target.values) }
    }

    @Test(arguments: [true, false])
    func oneTwoAndThreeThreadsGiveTheSameBits(trainsCNN: Bool) async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 2)
        configuration.model.cnn?.trainable = trainsCNN ? .all : .none
        var results: [(weights: [UInt32], moments: [[UInt32]], state: TrainerState)] = []
        for threads in 1...3 {
            let trainer = try clips.trainer(configuration, threads: threads)
            let outcome = try await trainer.run(shouldStop: { false }, handle: { _ in })
            #expect(outcome == .finished(.epochs))
            results.append(result(trainer))
        }
        for other in results.dropFirst() {
            #expect(other.weights == results[0].weights)
            #expect(other.moments == results[0].moments)
            #expect(other.state == results[0].state)
        }
        #expect(results[0].weights.contains { Float(bitPattern: $0) != 0 })
    }

    /// The bits do not depend on where features and activations are kept.
    @Test(arguments: [Trainable.none, .from("block2_conv1"), .all])
    func memoryAndCacheDoNotShow(_ trainable: Trainable) async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 2)
        configuration.model.cnn?.trainable = trainable
        let cache = MemoryFeatureCache()
        var expected: (weights: [UInt32], moments: [[UInt32]], state: TrainerState)?
        let storages = [
            FeatureStorage(), FeatureStorage(keepsInMemory: false), FeatureStorage(cache: cache, keepsInMemory: false),
            FeatureStorage(cache: cache), FeatureStorage(cache: cache, keepsInMemory: false),
        ]
        for (index, features) in storages.enumerated() {
            let trainer = try clips.trainer(configuration, threads: 2, features: features, activations: index.isMultiple(of: 2) ? 0 : .max)
            var recalled = 0
            _ = try await trainer.run(
                shouldStop: { false }, handle: { if case .encoding(let progress) = $0 { recalled = progress.clipsRecalled } })
            let found = result(trainer)
            #expect(found.weights == expected?.weights ?? found.weights, "case \(index)")
            #expect(found.moments == expected?.moments ?? found.moments)
            expected = expected ?? found
            // The fourth run finds what the third stored: all sixteen clips.
            if index == 3 { #expect(recalled == (trainable == .all ? 0 : 16)) }
        }
        #expect(cache.stored == (trainable == .all ? 0 : 16))
    }

    /// Features of other weights, sampling or content are not used.
    @Test func featuresOfAnotherKeyAreNotUsed() async throws {
        let clips = try await TestClips()
        let cache = MemoryFeatureCache()
        func recalled(_ change: (inout RunConfiguration) -> Void) async throws -> Int {
            var configuration = TestClips.configuration(epochs: 1)
            configuration.model.cnn?.trainable = Trainable.none
            change(&configuration)
            let trainer = try clips.trainer(configuration, threads: 1, features: FeatureStorage(cache: cache))
            var recalled = 0
            _ = try await trainer.run(
                shouldStop: { false }, handle: { if case .encoding(let progress) = $0 { recalled = progress.clipsRecalled } })
            return recalled
        }
        #expect(try await recalled { _ in } == 0)
        #expect(try await recalled { _ in } == 16)
        #expect(try await recalled { $0.seed = 77 } == 0)
        #expect(try await recalled { $0.data.preprocessing = .unit } == 0)
        #expect(try await recalled { $0.model.input.frames = 3 } == 0)
        #expect(try await recalled { $0.model.cnn?.pooling = .max } == 0)
        #expect(try await recalled { $0.data.shortClips = .mask } == 0)
        #expect(try await recalled { $0.optimizer.learningRate = 0.01 } == 16)
        // A new file with the content of another clip is recognised.
        let files = try FileManager.default.subpathsOfDirectory(atPath: clips.path).filter { $0.hasSuffix(".bin") }.sorted()
        let stored = cache.stored
        try FileManager.default.removeItem(atPath: clips.path + "/" + files[0])
        try FileManager.default.copyItem(atPath: clips.path + "/" + files[1], toPath: clips.path + "/" + files[0])
        #expect(try await recalled { _ in } == 16)
        #expect(cache.stored == stored)
    }

    /// Stopped after every possible number of batches and resumed in a new trainer, as if loaded from a checkpoint.
    @Test(arguments: 0..<6)
    func resumedAnywhereItEndsInTheSameBits(batches: Int) async throws {
        let clips = try await TestClips()
        let configuration = TestClips.configuration(epochs: 2)
        let whole = try clips.trainer(configuration, threads: 2)
        _ = try await whole.run(shouldStop: { false }, handle: { _ in })

        let first = try clips.trainer(configuration, threads: 2)
        let stop = Counter(after: batches)
        let outcome = try await first.run(shouldStop: { stop.isReached }, handle: { if case .batch = $0 { stop.count() } })
        #expect(outcome == .interrupted)
        let second = try clips.trainer(configuration, threads: 1, state: try resumed(first.state))
        copy(first, to: second)
        _ = try await second.run(shouldStop: { false }, handle: { _ in })
        #expect(result(second).weights == result(whole).weights)
        #expect(result(second).moments == result(whole).moments)
        #expect(result(second).state == result(whole).state)
    }

    @Test func eventsComeInOrderAndCountEveryClip() async throws {
        let clips = try await TestClips()
        let trainer = try clips.trainer(TestClips.configuration(epochs: 2), threads: 1)
        var batches: [Int] = []
        var epochs: [Int] = []
        let gradients = trainer.classifier.parameters.gradients
        _ = try await trainer.run(
            shouldStop: { false },
            handle: { event in
                switch event {
                case .batch(let progress): batches.append(progress.clipsDone)
                case .epoch(let epoch):
                    epochs.append(epoch.record.epoch)
                    // TensorBoard's log shows them.
                    #expect(trainer.holdsGradients && gradients.tensor([gradients.count]).array.contains { $0 != 0 })
                default: break
                }
            })
        #expect(batches == [5, 10, 12, 5, 10, 12])
        #expect(epochs == [1, 2])
    }

    @Test func anExplodingLossStopsWithTheClipsOfItsBatch() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 50)
        configuration.optimizer = OptimizerConfiguration(type: .sgd)
        configuration.optimizer.learningRate = 1e30
        let trainer = try clips.trainer(configuration, threads: 1)
        do {
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            Issue.record("a learning rate of 1e30 did not fail")
        } catch let error as VidclassError {
            #expect(error.kind == .nonFinite)
            #expect(error.message.contains("epoch") && error.message.contains(".bin"))
        }
    }

    /// Several batches of a step give the gradients of one batch of all their clips, summed in another order.
    @Test func accumulatedBatchesAreOneLargeBatch() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 2)
        configuration.model.hidden = [.dense(DenseOptions(units: 6))]
        configuration.optimizer = OptimizerConfiguration(type: .sgd)
        configuration.optimizer.learningRate = 0.1
        configuration.training.classWeights = .balanced
        var weights: [[Float]] = []
        for (batch, steps) in [(6, 1), (3, 2), (2, 3)] {
            configuration.training.batchSize = batch
            configuration.optimizer.gradientAccumulationSteps = steps
            let trainer = try clips.trainer(configuration, threads: 2)
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            #expect(trainer.state.optimizer.step == 4)
            weights.append(result(trainer).weights.map { Float(bitPattern: $0) })
        }
        // Rounding of single-precision sums of some hundred terms, over four steps.
        for other in weights.dropFirst() {
            let largest = zip(other, weights[0]).map { abs($0 - $1) }.max() ?? .nan
            #expect(largest <= 1e-5)
            #expect(other != weights[0])
        }
    }

    @Test func earlyStoppingEndsTheStageAndAResumedTrainerKnowsIt() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 30)
        configuration.optimizer.learningRate = 1e-12
        configuration.training.monitor = Metric(.validationAccuracy)
        configuration.training.earlyStopping.patience = 3
        let trainer = try clips.trainer(configuration, threads: 1)
        #expect(try await trainer.run(shouldStop: { false }, handle: { _ in }) == .finished(.earlyStopping))
        // Nothing is learnt: the first epoch stays the best.
        #expect(trainer.state.epoch == 4)
        #expect(try clips.trainer(configuration, threads: 1, state: trainer.state).end == .earlyStopping)
        configuration.training.earlyStopping.patience = 5
        #expect(try clips.trainer(configuration, threads: 1, state: trainer.state).end == nil)
        configuration.training.target = 0
        #expect(try clips.trainer(configuration, threads: 1, state: trainer.state).end == .target)
    }

    /// Stopped in the middle, with callbacks that watch other metrics than the default: the whole state is that of an uninterrupted run.
    @Test(arguments: ["val_ece", "val_brier", "val_balanced_accuracy", "val_f1/LABEL", "val_precision/LABEL", "val_recall/LABEL"])
    func everyMetricSurvivesAResumption(name: String) async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 4)
        let label = try clips.set().classes[1]
        configuration.training.monitor = try #require(Metric(rawValue: name.replacing("LABEL", with: label)))
        configuration.training.earlyStopping.patience = 3
        configuration.training.reduceOnPlateau.patience = 1
        configuration.training.reduceOnPlateau.monitor = configuration.training.monitor
        let whole = try clips.trainer(configuration)
        var values: [Double] = []
        _ = try await whole.run(
            shouldStop: { false },
            handle: {
                guard case .epoch(let report) = $0 else { return }
                values.append(whole.monitor.value(report.record, report.validation))
            })
        let best = whole.monitor.metric.kind.isLowerBetter ? values.min() : values.max()
        #expect(whole.state.best?.value == best && values.allSatisfy { (0...2).contains($0) })
        #expect(whole.monitor.metric == configuration.training.monitor)

        let first = try clips.trainer(configuration)
        let stop = Counter(after: 5)
        _ = try await first.run(shouldStop: { stop.isReached }, handle: { if case .batch = $0 { stop.count() } })
        let second = try clips.trainer(configuration, state: try resumed(first.state))
        copy(first, to: second)
        _ = try await second.run(shouldStop: { false }, handle: { _ in })
        #expect(second.state == whole.state && result(second).weights == result(whole).weights)
    }

    @Test func aTargetOfAnyMetricEndsTheStage() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 3)
        configuration.training.monitor = Metric(.validationCalibrationError)
        configuration.training.target = 1
        let trainer = try clips.trainer(configuration)
        #expect(try await trainer.run(shouldStop: { false }, handle: { _ in }) == .finished(.target))
        #expect(trainer.state.epoch == 1)
        configuration.training.monitor = Metric(.validationF1, label: "no such class")
        #expect(throws: VidclassError.self) { try clips.trainer(configuration) }
    }

    /// A step that meets a weight of NaN names its layer and does not change the weights.
    @Test(arguments: [
        ("cnn/block2_conv1/kernel", "block2_conv1"), ("recurrent_0/kernel", "recurrent_0"), ("hidden_0/bias", "hidden_0"),
        ("output/kernel", "output"),
    ])
    func aWeightThatIsNotANumberIsFoundInItsLayer(parameter: String, layer: String) async throws {
        let clips = try await TestClips()
        let trainer = try clips.trainer(TestClips.configuration(epochs: 1), threads: 2)
        let parameters = trainer.classifier.parameters
        let slice = try #require(parameters.slice(named: parameter))
        parameters.value(slice).fill(.nan)
        parameters.didChange()
        do {
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            Issue.record("weights of NaN did not fail")
        } catch let error as VidclassError {
            #expect(error.kind == .nonFinite)
            #expect(error.message.contains("is \(layer)."), "\(error.message)")
            #expect(error.message.contains("epoch 1, step 1") && error.message.contains(".bin"))
        }
        #expect(trainer.state.step == 0)
    }

    /// Steps on clips of a class of weight 0 change nothing, and the mean loss counts these clips.
    @Test(arguments: [0, 0.25]) func aClassOfWeightZeroTeachesNothing(mixup: Double) async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 1)
        configuration.optimizer = OptimizerConfiguration(type: .sgd)
        configuration.training.batchSize = 1
        configuration.training.shuffle = false
        configuration.augmentation.mixup = mixup
        configuration.training.classWeights = .byLabel([.init(label: try clips.set().classes[0], weight: 0)])
        let labels = try clips.split(.train, configuration).labels
        try #require(Set(labels) == [0, 1])
        let trainer = try clips.trainer(configuration)
        var weights = result(trainer).weights
        var sum = 0.0
        var epoch: EpochReport?
        _ = try await trainer.run(
            shouldStop: { false },
            handle: { event in
                if case .epoch(let report) = event { epoch = report }
                guard case .batch(let progress) = event else { return }
                let total = progress.loss * Double(progress.clipsDone)
                let changed = result(trainer).weights
                if labels[progress.clipsDone - 1] == 0 {
                    #expect(changed == weights && abs(total - sum) <= 1e-12)
                } else {
                    #expect(changed != weights && total > sum + 0.01)
                }
                (weights, sum) = (changed, total)
            })
        let record = try #require(epoch?.record)
        #expect(abs(record.trainLoss - sum / Double(labels.count)) <= 1e-12)
        #expect(record.validation?.loss.isFinite == true)
    }

    /// The numbers that the page SeedsAndOrder of the documentation gives for seed 7.
    @Test func theOrderOfClipsIsThatOfTheDocumentation() async throws {
        let clips = try await TestClips()
        let trainer = try clips.trainer(TestClips.configuration(epochs: 3))
        var orders: [[Int]] = []
        _ = try await trainer.run(
            shouldStop: { false },
            handle: { if case .batch(let progress) = $0, progress.clipsDone == 5 { orders.append(trainer.state.order) } })
        #expect(
            orders == [
                [0, 8, 9, 6, 10, 4, 11, 7, 2, 3, 1, 5],
                [5, 6, 9, 10, 11, 7, 0, 3, 1, 4, 2, 8],
                [4, 10, 3, 9, 8, 1, 6, 11, 0, 5, 7, 2],
            ])
        var random = RandomGenerator(seed: 7, stream: 1)
        let labels = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
        #expect(EpochOrder.balanced(labels, classes: 3, &random) == [11, 9, 3, 7, 11, 12, 12, 6, 12, 10, 8, 9, 0])
        #expect(EpochOrder.balanced(labels, classes: 3, &random) == [12, 1, 3, 12, 9, 11, 9, 8, 7, 10, 0, 11, 8])
    }

    @Test func aFallingLearningRateIsRecorded() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 4)
        configuration.training.schedule = LearningRateScheduleConfiguration(type: .step)
        configuration.training.schedule.stepEpochs = 2
        let trainer = try clips.trainer(configuration, threads: 1)
        var rates: [Double] = []
        _ = try await trainer.run(
            shouldStop: { false }, handle: { if case .epoch(let epoch) = $0 { rates.append(epoch.record.learningRate) } })
        #expect(rates.count == 4)
        for (rate, expected) in zip(rates, [0.002, 0.002, 0.0002, 0.0002]) { #expect(abs(rate / expected - 1) <= 1e-12) }
    }

    @Test func anEstimateCountsTheWorkAhead() async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration(epochs: 7)
        configuration.model.cnn?.trainable = Trainable.none
        let estimate = try await clips.trainer(configuration, threads: 2).estimate()
        #expect(estimate.encodings == 16 && estimate.stepsPerEpoch == 3 && estimate.epochs == 7)
        #expect(estimate.secondsPerEncoding > 0 && estimate.secondsPerStep > 0 && estimate.seconds > 0)
    }

    /// Used on the trainer's task only.
    private final class Counter: @unchecked Sendable {
        private var left: Int
        init(after count: Int) { left = count }
        func count() { left -= 1 }
        var isReached: Bool { left <= 0 }
    }
}
