import Testing
import VidConfig
import VidModel
import VidSystem
import VidTrain

/// The memory that a step is planned to take, and the refusal of a step that does not fit.
@Suite struct StepMemoryTests {
    private func memory(
        _ trainable: Trainable, batchSize: Int = 4, gibibytes: Double? = 1, isMixed: Bool = false, limit: Int? = nil
    ) throws -> StepMemory {
        var configuration = TestClips.configuration()
        configuration.model.cnn.trainable = trainable
        return try StepMemory(
            Classifier(configuration.model, classes: ["a", "b"]), slots: 2, batchSize: batchSize, isMixed: isMixed, threads: 1,
            budget: MemoryBudget(gibibytes: gibibytes), activationLimit: limit)
    }

    @Test func aStepGrowsWithItsBatchAndItsTrainedLayers() throws {
        let (frozen, all) = (try memory(.none), try memory(.all))
        #expect(frozen.activations == nil && all.activations != nil)
        #expect(frozen.total == StepMemory.program + frozen.parameters + frozen.optimizer + frozen.workspace)
        #expect(all.optimizer > frozen.optimizer && all.workspace > frozen.workspace)
        #expect(try memory(.all, batchSize: 64).workspace > all.workspace)
        #expect(try memory(.none, batchSize: 4096, isMixed: true).workspace >= memory(.none, batchSize: 4096).workspace)
        // With less memory, more is recomputed.
        let tight = try memory(.all, batchSize: 64, limit: 0)
        #expect(try tight.workspace < memory(.all, batchSize: 64).workspace && tight.activations.map { $0.repeated > 0 } == true)
    }

    @Test(
        arguments: [
            (4, 0.001, "training.memory_gib allows 0.01 GiB. Use a smaller training.batch_size or model.input, or allow more."),
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

    @Test func aBudgetIsGivenOrWhatTheMachineHasFree() {
        #expect(MemoryBudget(gibibytes: 0.5).bytes == 1 << 29 && MemoryBudget(gibibytes: 0.5).isGiven)
        #expect(MemoryBudget(gibibytes: 1e300).bytes == 1 << 60)
        #expect(MemoryBudget(gibibytes: nil).bytes > 0 && !MemoryBudget(gibibytes: nil).isGiven)
    }
}
