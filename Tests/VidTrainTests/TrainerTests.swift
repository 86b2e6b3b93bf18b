import Foundation
import Synchronization
import Testing
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The training loop on synthetic clips, without files of its own but the clips.
@Suite struct TrainerTests {
    private static func configuration(epochs: Int) -> RunConfiguration {
        var configuration = RunConfiguration()
        configuration.seed = 7
        (configuration.model.input.frames, configuration.model.input.rows, configuration.model.input.columns) = (4, 16, 16)
        configuration.model.cnn.architecture = .blocks([[4], [8]])
        configuration.model.cnn.weights = nil
        configuration.model.cnn.trainable = .all
        configuration.model.recurrent = [.lstm(RecurrentOptions(units: 6))]
        configuration.model.hidden = [.dense(DenseOptions(units: 6)), .dropout(rate: 0.3)]
        configuration.data.preprocessing = .symmetric
        configuration.training.epochs = epochs
        configuration.training.batchSize = 5
        return configuration
    }

    /// A folder of clips, removed with it.
    private final class Clips {
        let path = NSTemporaryDirectory() + "trainer-\(UUID().uuidString)"

        init() async throws {
            try await SyntheticClips(classes: 2, frames: 4, rows: 16, columns: 16, seed: 1).write(to: path, clipsPerClass: 8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func trainer(
        _ configuration: RunConfiguration, _ clips: Clips, threads: Int, features: FeatureKeeping = FeatureKeeping(),
        activations: Int = .max,
        state: TrainerState? = nil
    ) throws -> Trainer {
        let set = try DataSet.open(clips.path, split: .init(seed: 1, validation: 0.25, test: 0))
        let classifier = try Classifier(configuration.model, classes: set.classes)
        try classifier.initialize(seed: configuration.seed)
        let loader = ClipLoader(input: configuration.model.input, data: configuration.data, augmentation: configuration.augmentation)
        let optimizer = Optimizer(configuration.optimizer, classifier.parameters)
        let memory = try StepMemory(
            classifier, slots: optimizer.slots.count, batchSize: configuration.training.batchSize, threads: threads,
            budget: MemoryBudget(gibibytes: nil), activationLimit: activations)
        return try Trainer(
            classifier, optimizer: optimizer, configuration: configuration,
            training: LabelledClips(set.entries(of: .train), loader: loader, keepingBytes: 1 << 20),
            validation: LabelledClips(set.entries(of: .validation), loader: loader, keepingBytes: 0),
            memory: memory, features: features, workers: Workers(count: threads), state: state ?? TrainerState(seed: configuration.seed))
    }

    /// Everything a training ends with: the bits of the weights and moments, and the state.
    private func result(_ trainer: Trainer) -> (weights: [UInt32], moments: [[UInt32]], state: TrainerState) {
        func bits(_ buffer: Buffer) -> [UInt32] { buffer.tensor([buffer.count]).array.map(\.bitPattern) }
        return (bits(trainer.classifier.parameters.values), trainer.optimizer.slots.map { bits($0.values) }, trainer.state)
    }

    @Test(arguments: [true, false])
    func oneTwoAndThreeThreadsGiveTheSameBits(trainsCNN: Bool) async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 2)
        configuration.model.cnn.trainable = trainsCNN ? .all : .none
        var results: [(weights: [UInt32], moments: [[UInt32]], state: TrainerState)] = []
        for threads in 1...3 {
            let trainer = try trainer(configuration, clips, threads: threads)
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

    /// Where features and activations are kept, if anywhere, does not show in the bits.
    @Test(arguments: [Trainable.none, .from("block2_conv1"), .all])
    func memoryAndCacheDoNotShow(_ trainable: Trainable) async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 2)
        configuration.model.cnn.trainable = trainable
        let cache = MemoryFeatureCache()
        var expected: (weights: [UInt32], moments: [[UInt32]], state: TrainerState)?
        let keepings = [
            FeatureKeeping(), FeatureKeeping(keepsInMemory: false), FeatureKeeping(cache: cache, keepsInMemory: false),
            FeatureKeeping(cache: cache), FeatureKeeping(cache: cache, keepsInMemory: false),
        ]
        for (index, features) in keepings.enumerated() {
            let trainer = try trainer(configuration, clips, threads: 2, features: features, activations: index.isMultiple(of: 2) ? 0 : .max)
            var recalled = 0
            _ = try await trainer.run(
                shouldStop: { false }, handle: { if case .encoding(let progress) = $0 { recalled = progress.clipsRecalled } })
            let found = result(trainer)
            #expect(found.weights == expected?.weights ?? found.weights, "case \(index)")
            #expect(found.moments == expected?.moments ?? found.moments)
            expected = expected ?? found
            // The fourth run finds what the third has left; all sixteen clips were loaded once, whatever came after.
            if index == 3 { #expect(recalled == (trainable == .all ? 0 : 16)) }
        }
        #expect(cache.stored == (trainable == .all ? 0 : 16))
    }

    /// What other weights, another sampling or other content have left is not taken.
    @Test func featuresOfAnotherKeyAreNotTaken() async throws {
        let clips = try await Clips()
        let cache = MemoryFeatureCache()
        func recalled(_ change: (inout RunConfiguration) -> Void) async throws -> Int {
            var configuration = Self.configuration(epochs: 1)
            configuration.model.cnn.trainable = .none
            change(&configuration)
            let trainer = try trainer(configuration, clips, threads: 1, features: FeatureKeeping(cache: cache))
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
        #expect(try await recalled { $0.model.cnn.pooling = .max } == 0)
        #expect(try await recalled { $0.data.shortClips = .mask } == 0)
        #expect(try await recalled { $0.optimizer.learningRate = 0.01 } == 16)
        // A clip with another's content is known by it, though its file is new.
        let files = try FileManager.default.subpathsOfDirectory(atPath: clips.path).filter { $0.hasSuffix(".bin") }.sorted()
        let stored = cache.stored
        try FileManager.default.removeItem(atPath: clips.path + "/" + files[0])
        try FileManager.default.copyItem(atPath: clips.path + "/" + files[1], toPath: clips.path + "/" + files[0])
        #expect(try await recalled { _ in } == 16)
        #expect(cache.stored == stored)
    }

    /// Stopped after every possible number of batches and gone on with in a new trainer, as if loaded from a checkpoint.
    @Test(arguments: 0..<6)
    func stoppedAnywhereItGoesOnToTheSameBits(batches: Int) async throws {
        let clips = try await Clips()
        let configuration = Self.configuration(epochs: 2)
        let whole = try trainer(configuration, clips, threads: 2)
        _ = try await whole.run(shouldStop: { false }, handle: { _ in })

        let first = try trainer(configuration, clips, threads: 2)
        let stop = Counter(after: batches)
        let outcome = try await first.run(shouldStop: { stop.isReached }, handle: { if case .batch = $0 { stop.count() } })
        #expect(outcome == .interrupted)
        let data = try JSONEncoder().encode(first.state)
        let second = try trainer(configuration, clips, threads: 1, state: try JSONDecoder().decode(TrainerState.self, from: data))
        second.classifier.parameters.values.tensor([second.classifier.parameters.values.count])
            .copy(from: first.classifier.parameters.values.tensor([first.classifier.parameters.values.count]))
        second.classifier.parameters.didChange()
        for (target, source) in zip(second.optimizer.slots, first.optimizer.slots) {
            target.values.tensor([target.values.count]).copy(from: source.values.tensor([source.values.count]))
        }
        _ = try await second.run(shouldStop: { false }, handle: { _ in })
        #expect(result(second).weights == result(whole).weights)
        #expect(result(second).moments == result(whole).moments)
        #expect(result(second).state == result(whole).state)
    }

    @Test func eventsComeInOrderAndCountEveryClip() async throws {
        let clips = try await Clips()
        let trainer = try trainer(Self.configuration(epochs: 2), clips, threads: 1)
        var batches: [Int] = []
        var epochs: [Int] = []
        _ = try await trainer.run(
            shouldStop: { false },
            handle: { event in
                switch event {
                case .batch(let progress): batches.append(progress.clipsDone)
                case .epoch(let epoch): epochs.append(epoch.record.epoch)
                default: break
                }
            })
        #expect(batches == [5, 10, 12, 5, 10, 12])
        #expect(epochs == [1, 2])
    }

    @Test func anExplodingLossStopsWithTheClipsOfItsBatch() async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 50)
        configuration.optimizer = OptimizerConfiguration(type: .sgd)
        configuration.optimizer.learningRate = 1e30
        let trainer = try trainer(configuration, clips, threads: 1)
        do {
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            Issue.record("a learning rate of 1e30 went well")
        } catch let error as VidclassError {
            #expect(error.kind == .nonFinite)
            #expect(error.message.contains("epoch") && error.message.contains(".bin"))
        }
    }

    /// Two batches of a step are as one of all their clips: the same mean of gradients, summed in another order.
    @Test func accumulatedBatchesAreOneLargeBatch() async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 2)
        configuration.model.hidden = [.dense(DenseOptions(units: 6))]
        configuration.optimizer = OptimizerConfiguration(type: .sgd)
        configuration.optimizer.learningRate = 0.1
        configuration.training.classWeights = .balanced
        var weights: [[Float]] = []
        for (batch, steps) in [(6, 1), (3, 2), (2, 3)] {
            configuration.training.batchSize = batch
            configuration.optimizer.gradientAccumulationSteps = steps
            let trainer = try trainer(configuration, clips, threads: 2)
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
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 30)
        configuration.optimizer.learningRate = 1e-12
        configuration.training.monitor = .validationAccuracy
        configuration.training.earlyStopping.patience = 3
        let trainer = try trainer(configuration, clips, threads: 1)
        #expect(try await trainer.run(shouldStop: { false }, handle: { _ in }) == .finished(.earlyStopping))
        // Nothing is learnt: the first epoch stays the best.
        #expect(trainer.state.epoch == 4)
        #expect(try self.trainer(configuration, clips, threads: 1, state: trainer.state).end == .earlyStopping)
        configuration.training.earlyStopping.patience = 5
        #expect(try self.trainer(configuration, clips, threads: 1, state: trainer.state).end == nil)
        configuration.training.target = 0
        #expect(try self.trainer(configuration, clips, threads: 1, state: trainer.state).end == .target)
    }

    /// The step that meets a weight that is not a number says which layer it is in, and leaves the weights alone.
    @Test(arguments: [
        ("cnn/block2_conv1/kernel", "block2_conv1"), ("recurrent_0/kernel", "recurrent_0"), ("hidden_0/bias", "hidden_0"),
        ("output/kernel", "output"),
    ])
    func aWeightThatIsNotANumberIsFoundInItsLayer(parameter: String, layer: String) async throws {
        let clips = try await Clips()
        let trainer = try trainer(Self.configuration(epochs: 1), clips, threads: 2)
        let parameters = trainer.classifier.parameters
        let slice = try #require(parameters.slice(named: parameter))
        parameters.value(slice).fill(.nan)
        parameters.didChange()
        do {
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            Issue.record("weights of NaN went well")
        } catch let error as VidclassError {
            #expect(error.kind == .nonFinite)
            #expect(error.message.contains("is \(layer)."), "\(error.message)")
            #expect(error.message.contains("epoch 1, step 1") && error.message.contains(".bin"))
        }
        #expect(trainer.state.step == 0)
    }

    @Test func aLearningRateThatFallsIsInTheRecords() async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 4)
        configuration.training.schedule = LearningRateScheduleConfiguration(type: .step)
        configuration.training.schedule.stepEpochs = 2
        let trainer = try trainer(configuration, clips, threads: 1)
        var rates: [Double] = []
        _ = try await trainer.run(
            shouldStop: { false }, handle: { if case .epoch(let epoch) = $0 { rates.append(epoch.record.learningRate) } })
        #expect(rates.count == 4)
        for (rate, expected) in zip(rates, [0.002, 0.002, 0.0002, 0.0002]) { #expect(abs(rate / expected - 1) <= 1e-12) }
    }

    @Test func anEstimateCountsWhatIsToBeDone() async throws {
        let clips = try await Clips()
        var configuration = Self.configuration(epochs: 7)
        configuration.model.cnn.trainable = .none
        let estimate = try await trainer(configuration, clips, threads: 2).estimate()
        #expect(estimate.encodings == 16 && estimate.stepsPerEpoch == 3 && estimate.epochs == 7)
        #expect(estimate.secondsPerEncoding > 0 && estimate.secondsPerStep > 0 && estimate.seconds > 0)
    }

    /// A cache in memory: what was stored, and the files' contents by path and time.
    private final class MemoryFeatureCache: FeatureCache {
        private struct Entry: Sendable {
            let shape: Shape
            let values: [Float]
            let validFrames: Int
        }
        private struct Contents: Sendable {
            var entries: [FeatureKey: Entry] = [:]
            var hashes: [String: (FileStatus, String)] = [:]
        }
        private let contents = Mutex(Contents())

        var stored: Int { contents.withLock { $0.entries.count } }

        func load(_ key: FeatureKey, into features: Tensor) -> Int? {
            guard let entry = contents.withLock({ $0.entries[key] }), entry.shape == features.shape else { return nil }
            for (index, value) in entry.values.enumerated() { features.base[index] = value }
            return entry.validFrames
        }

        func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int) {
            let entry = Entry(shape: features.shape, values: features.array, validFrames: validFrames)
            contents.withLock { $0.entries[key] = entry }
        }

        func contentHash(of path: String, sampling: String) -> String? {
            guard let status = try? SystemCall.status(path) else { return nil }
            return contents.withLock { $0.hashes[path + sampling] }.flatMap { $0.0 == status ? $0.1 : nil }
        }

        func remember(_ contentHash: String, of path: String, sampling: String) {
            guard let status = try? SystemCall.status(path) else { return }
            contents.withLock { $0.hashes[path + sampling] = (status, contentHash) }
        }
    }

    /// Counts on the trainer's task, is read there, too.
    private final class Counter: @unchecked Sendable {
        private var left: Int
        init(after count: Int) { left = count }
        func count() { left -= 1 }
        var isReached: Bool { left <= 0 }
    }
}
