import Testing
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The memory that a step is planned to take, and the refusal of a step that does not fit.
@Suite struct StepMemoryTests {
    private func memory(
        _ trainable: Trainable, batchSize: Int = 4, gibibytes: Double? = 1, isMixed: Bool = false, limit: Int? = nil
    ) throws -> StepMemory {
        var configuration = TestClips.configuration()
        configuration.model.cnn?.trainable = trainable
        return try StepMemory(
            Classifier(configuration.model, classes: ["a", "b"]), slots: 2, batchSize: batchSize, isMixed: isMixed, threads: 1,
            budget: MemoryBudget(gibibytes: gibibytes), activationLimit: limit)
    }

    @Test func aStepGrowsWithItsBatchAndItsTrainedLayers() throws {
        let (frozen, all) = (try memory(.none), try memory(.all))
        #expect(frozen.activations == nil && all.activations != nil)
        #expect(frozen.total == MemoryBudget.program + frozen.parameters + frozen.optimizer + frozen.workspace)
        #expect(all.optimizer > frozen.optimizer && all.workspace > frozen.workspace)
        #expect(try memory(.all, batchSize: 64).workspace > all.workspace)
        #expect(try memory(.none, batchSize: 4096, isMixed: true).workspace >= memory(.none, batchSize: 4096).workspace)
        // With less memory, more is recomputed.
        let tight = try memory(.all, batchSize: 64, limit: 0)
        #expect(try tight.workspace < memory(.all, batchSize: 64).workspace && tight.activations.map { $0.repeated > 0 } == true)
    }

    @Test(
        arguments: [
            (4, 0.001, "training.memory_gib allows 1.03 MiB. Use a smaller training.batch_size or model.input, or allow more."),
            (1 << 40, 2.0, "training.memory_gib allows 2.0 GiB."),
            (Int.max / 4096, nil, " GiB free. Use a smaller training.batch_size or model.input."),
        ] as [(Int, Double?, String)])
    func aStepThatDoesNotFitIsRefused(batchSize: Int, gibibytes: Double?, end: String) {
        #expect {
            try memory(.none, batchSize: batchSize, gibibytes: gibibytes)
        } throws: {
            guard let error = $0 as? VidclassError else { return false }
            return error.kind == .badData && error.message.hasPrefix("a step of this training needs at least ")
                && error.message.contains(end)
        }
    }

    /// Predictions, evaluations and explanations stay within what is reserved for them, whatever the network.
    @Test(
        arguments: [Trainable.none, .all, .from("block2_conv1")],
        [
            (CNNPooling.average, false), (.flatten, false), (.flatten, true),
        ])
    func predictionsStayWithinTheirMemory(_ trainable: Trainable, _ head: (pooling: CNNPooling, isAttention: Bool)) async throws {
        let clips = try await TestClips()
        var configuration = TestClips.configuration()
        configuration.model.cnn?.trainable = trainable
        configuration.model.cnn?.pooling = head.pooling
        var both = RecurrentOptions(units: 7)
        both.bidirectional = true
        configuration.model.recurrent = [.lstm(both), .gru(RecurrentOptions(units: 5))]
        if head.isAttention {
            configuration.model.recurrent = [.layerNormalization(.init()), .conv1D(Conv1DOptions()), .attention(AttentionOptions())]
        }
        let classifier = try clips.classifier(configuration)
        let entries = try clips.split(.validation, configuration)
        for purpose in [PredictionMemory.Purpose.scores, .evaluation, .explanation(samples: 1)] {
            let predictor = try Predictor(
                classifier, preprocessing: .symmetric, for: purpose, loadedClips: 1, workers: Workers(count: 3))
            let reserved = predictor.workspaceBytes
            switch purpose {
            case .evaluation:
                let inputs = try StepInputs(
                    entries, .evaluation(configuration), in: predictor, features: FeatureStorage(keepsInMemory: false))
                _ = try await predictor.evaluate(inputs) { _, _ in }
            default:
                let loaded = try await entries.source.clips([Sample(clip: 0, view: .whole)])[0]
                _ = predictor.output(loaded)
                if case .explanation = purpose { _ = predictor.explain(try predictor.activations(of: loaded), target: 1, against: 0) }
            }
            #expect(predictor.workspaceBytes == reserved && predictor.workspacePeak <= reserved, "\(purpose)")
        }
    }

    @Test func sizesStopInsteadOfOverflowing() {
        #expect(Size.product(3, 4, 5) == 60 && Size.product(0, .max) == 0 && Size.product(.max, .max, 0) == 0)
        #expect(Size.product(.max, 2) == Size.most && Size.product(1 << 40, 1 << 40, 1 << 40) == Size.most)
        #expect(Size.sum([1, 2]) == 3 && Size.sum([.max, .max]) == Size.most && Size.sum([]) == 0)
        #expect(Shape([1 << 40, 1 << 40]).count == Size.most)
    }

    @Test func aBudgetIsGivenOrWhatTheMachineHasFree() {
        #expect(MemoryBudget(gibibytes: 0.5).bytes == 1 << 29 && MemoryBudget(gibibytes: 0.5).isGiven)
        #expect(MemoryBudget(gibibytes: 1e300).bytes == 1 << 60)
        #expect(MemoryBudget(gibibytes: nil).bytes > 0 && !MemoryBudget(gibibytes: nil).isGiven)
    }
}
