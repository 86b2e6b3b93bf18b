import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

// What a run's folder keeps: the state, the models, results.csv, TensorBoard's log, run.json.

extension TrainingRun {
    /// Saves an epoch. Results and log come before the state: on resume, what they have beyond it is dropped. The models come after
    /// the state: on resume, missing ones are saved from it.
    func save(_ epoch: EpochReport) throws {
        try results?.append(epoch.record)
        if let board {
            try timed("TensorBoard's log") {
                try board.write(epoch, trainer.classifier.parameters, holdsGradients: trainer.holdsGradients, runtime.workers)
            }
        }
        try saveLast()
        guard let folder else { return }
        if epoch.isBest {
            try timed(folder.bestPath) { try saveModel(to: folder.bestPath) }
            // If the run is killed, its record names the best model.
            try writeRecord(.running)
        }
        if let period = configuration.training.saveEveryEpochs, epoch.record.epoch % period == 0 {
            let path = folder.epochPath(epoch.record.epoch)
            try timed(path) { try saveModel(to: path) }
        }
    }

    /// Saves everything that is needed to resume.
    ///
    /// - Throws: `.nonFinite` if a weight or moment is not finite; the last finite checkpoint stays.
    func saveLast() throws {
        guard let folder else { return }
        try timed(folder.lastPath) {
            try requireFinite()
            try folder.keepPrevious()
            try TrainingRun.writeState(to: folder.lastPath, configuration, trainer.classifier, trainer.optimizer, trainer.state)
        }
        lastSaved = .now
        isOnlyStarted = false
    }

    /// Writes a state with the weights and moments that belong to it.
    static func writeState(
        to path: String, _ configuration: RunConfiguration, _ classifier: Classifier, _ optimizer: Optimizer, _ state: TrainerState
    ) throws {
        try Checkpoint.write(
            to: path, config: configuration.text, classes: classifier.classes, state: state.text,
            tensors: Checkpoint.tensors(of: classifier.parameters) + optimizer.tensors(classifier.parameters))
    }

    private func timed(_ path: String, _ save: () throws -> Void) throws {
        let start = ContinuousClock.now
        try save()
        try runtime.observe(.saved(path, seconds: (ContinuousClock.now - start).seconds))
    }

    /// Saves what is enough to evaluate and predict: weights, configuration, classes.
    ///
    /// - Parameter others: further tensors.
    private func saveModel(_ classifier: Classifier? = nil, to path: String, with others: [NamedTensor] = []) throws {
        let classifier = classifier ?? trainer.classifier
        try Checkpoint.write(
            to: path, config: configuration.text, classes: classifier.classes, state: nil, splits: trainer.state.data,
            tensors: Checkpoint.tensors(of: classifier.parameters) + others)
    }

    /// Saves the best epoch's model, which the trainer holds, with what tells unfamiliar clips.
    func saveBest(with familiarity: Familiarity, in folder: RunFolder) throws {
        try timed(folder.bestPath) { try familiarity.withTensors { try saveModel(to: folder.bestPath, with: $0) } }
    }

    private func requireFinite() throws {
        let moments = trainer.optimizer.slots.allSatisfy { $0.isFinite(runtime.workers) }
        guard trainer.classifier.parameters.isFinite(runtime.workers), moments else {
            throw VidclassError(
                .nonFinite,
                "epoch \(trainer.state.epoch + 1), after step \(trainer.state.step): the weights are no longer finite. The last saved state "
                    + "is still good. Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
    }

    /// Restores the best epoch's weights at the end of a stage, if the configuration asks for it.
    func restoreBest() throws {
        guard let folder, configuration.training.earlyStopping.restoreBestWeights, !trainer.state.isRestored,
            let best = trainer.state.best, best.epoch != trainer.state.epoch
        else { return }
        try Checkpoint.open(folder.bestPath).load(into: trainer.classifier.parameters)
        trainer.noteRestored()
        try saveLast()
    }

    /// Gives `best.safetensors` the content that it would have in an uninterrupted run: after a stop between the savings of an epoch
    /// this epoch's model, and always the configuration that the run is resumed with and the digest of its splits.
    func completeBest() throws {
        guard let folder, let best = trainer.state.best else { return }
        let state = trainer.state
        if state.step == 0, state.order.isEmpty, !state.isRestored {
            if let period = configuration.training.saveEveryEpochs, state.epoch % period == 0 {
                try saveModel(to: folder.epochPath(state.epoch))
            }
            if best.epoch == state.epoch { return try saveModel(to: folder.bestPath) }
        }
        guard let saved = try? Checkpoint.open(folder.bestPath), saved.config != configuration.text || saved.splits != state.data
        else { return }
        let classifier = try Classifier(configuration.model, classes: data.classes)
        try saved.load(into: classifier.parameters)
        try saveModel(classifier, to: folder.bestPath)
    }

    /// Writes run.json.
    func writeRecord(_ state: RunRecord.State, reason: String? = nil) throws {
        guard let folder, !keepsRecord else { return }
        let trainer = trainer.state
        record.state = state
        record.stopReason = reason
        record.seconds = record.secondsBefore + (ContinuousClock.now - start).seconds
        record.epochs = trainer.epoch
        record.stage = trainer.stage + 1
        record.monitor = self.trainer.monitor.metric.rawValue
        record.bestEpoch = trainer.best?.epoch
        record.bestValue = trainer.best?.value
        try record.write(to: folder.recordPath)
    }
}
