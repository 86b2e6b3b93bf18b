import Synchronization
import Testing
import VidCluster
import VidConfig
import VidData
import VidModel
import VidTensor
import VidTestSupport
import VidTrain

/// Shards of a step: what they add up to, and that it does not matter which rank computes them.
@Suite struct ShardTests {
    /// The result of a training: weights, moments, and the state that is saved with them.
    private struct Left: Equatable, Sendable {
        var values: [UInt32]
        var moments: [UInt32]
        var state: TrainerState
    }

    private static func left(_ trainer: Trainer) -> Left {
        func bits(_ buffer: Buffer) -> [UInt32] { buffer.tensor([buffer.count]).array.map(\.bitPattern) }
        return Left(
            values: bits(trainer.classifier.parameters.values), moments: trainer.optimizer.slots.flatMap { bits($0.values) },
            state: trainer.state)
    }

    /// Everything that is random or depends on a batch, with batches that do not divide by the shards, and a step of two batches.
    private static func configuration(shards: Int) -> RunConfiguration {
        var configuration = TestClips.configuration(epochs: 2)
        configuration.training.shards = shards
        configuration.optimizer.gradientAccumulationSteps = 2
        configuration.optimizer.clipNorm = 0.5
        configuration.augmentation.mixup = 0.3
        configuration.augmentation.horizontalFlip = 0.5
        configuration.model.recurrent.insert(.batchNormalization(BatchNormalizationOptions()), at: 0)
        return configuration
    }

    /// Without dropout and batch normalization a step is the same however it is cut, but for rounding.
    @Test(arguments: [2, 3, 5]) func shardsAddUpToTheWholeStep(shards: Int) async throws {
        let clips = try await TestClips()
        func weights(_ shards: Int) async throws -> [Float] {
            var configuration = TestClips.configuration(epochs: 1)
            configuration.model.hidden = [.dense(DenseOptions(units: 6))]
            configuration.optimizer.type = .sgd
            configuration.optimizer.learningRate = 0.1
            configuration.training.shards = shards
            let trainer = try clips.trainer(configuration)
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            let values = trainer.classifier.parameters.values
            return values.tensor([values.count]).array
        }
        let (whole, cut) = (try await weights(1), try await weights(shards))
        // Three steps of rate 0.1: sums of 5 x 4 frames in another order differ by some 2^-24 of their terms, which are below 1.
        let largest = zip(whole, cut).map { abs($0 - $1) }.max() ?? .nan
        #expect(largest <= 2e-6)
        #expect(whole != cut || shards == 1)
    }

    @Test(arguments: [1, 3, 4], [Trainable.all, .none]) func anyRanksTrainTheSameBits(shards: Int, trainable: Trainable) async throws {
        let clips = try await TestClips()
        var given = Self.configuration(shards: shards)
        given.model.cnn?.trainable = trainable
        let configuration = given
        func train(_ size: Int, threads: Int = 1) async throws -> [Left] {
            try await LocalCluster.run(size) { cluster in
                let trainer = try clips.trainer(configuration, threads: threads, cluster: cluster)
                #expect(trainer.sharesSteps == (size > 1))
                let outcome = try await trainer.run(shouldStop: { false }, handle: { _ in })
                #expect(outcome == .finished(.epochs))
                return Self.left(trainer)
            }
        }
        let alone = try await train(1, threads: 2)[0]
        for size in 2...5 {
            let ranks = try await train(size)
            #expect(ranks[0] == alone, "\(size) ranks")
            // The others have the same weights; the state of dropout is rank 0's where there is one shard.
            for rank in ranks { #expect(rank.values == alone.values && rank.moments == alone.moments) }
        }
    }

    /// With features in memory the ranks share out the encoding, and rank 0 trains the head.
    @Test(arguments: [1, 2, 4]) func featuresInMemoryAreSharedOut(size: Int) async throws {
        let clips = try await TestClips()
        var given = TestClips.configuration(epochs: 2)
        given.model.cnn?.trainable = .none
        let configuration = given
        let encoded = Mutex(0)
        let ranks = try await LocalCluster.run(size) { cluster in
            let trainer = try clips.trainer(configuration, cluster: cluster)
            #expect(!trainer.sharesSteps)
            _ = try await trainer.run(shouldStop: { false }) { event in
                if case .encoding(let progress) = event { encoded.withLock { $0 = progress.clipsDone } }
            }
            return Self.left(trainer)
        }
        let alone = try clips.trainer(configuration)
        _ = try await alone.run(shouldStop: { false }, handle: { _ in })
        #expect(ranks[0] == Self.left(alone))
        #expect(encoded.withLock { $0 } == 16)
    }

    /// Any rank can stop the training for all, and any number of ranks can resume it.
    @Test(arguments: [0, 1, 2]) func aStopOnAnyRankIsResumedOnOthers(stopping: Int) async throws {
        let clips = try await TestClips()
        let configuration = Self.configuration(shards: 4)
        let alone = try clips.trainer(configuration)
        _ = try await alone.run(shouldStop: { false }, handle: { _ in })
        let stopped = try await LocalCluster.run(3) { cluster in
            let trainer = try clips.trainer(configuration, cluster: cluster)
            let asked = Mutex(0)
            let outcome = try await trainer.run(
                shouldStop: {
                    asked.withLock {
                        $0 += 1
                        return cluster.rank == stopping && $0 > 2
                    }
                }, handle: { _ in })
            #expect(outcome == .interrupted)
            return Self.left(trainer)
        }
        #expect(stopped[0].state.step > 0 || stopped[0].state.epoch > 0)
        #expect(stopped.allSatisfy { $0 == stopped[0] })
        let resumed = try await LocalCluster.run(2) { cluster in
            let trainer = try clips.trainer(configuration, cluster: cluster, state: stopped[0].state)
            let values = trainer.classifier.parameters.values
            values.tensor([values.count]).copy(from: stopped[0].values.map { Float(bitPattern: $0) })
            trainer.classifier.parameters.didChange()
            var place = 0
            for slot in trainer.optimizer.slots {
                let moments = stopped[0].moments[place..<place + slot.values.count]
                slot.values.tensor([slot.values.count]).copy(from: moments.map { Float(bitPattern: $0) })
                place += slot.values.count
            }
            _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
            return Self.left(trainer)
        }
        #expect(resumed[0] == Self.left(alone))
    }
}
