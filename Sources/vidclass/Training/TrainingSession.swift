import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// A training put together: model, weights, data, memory; new or resumed. It goes through the stages and keeps what a run's
/// folder holds.
final class TrainingSession {
    enum Outcome {
        case finished(StageEnd)
        case interrupted
    }

    let configuration: RunConfiguration
    let data: DataSet
    let startupReport: StartupReport
    /// Of the stage to come that takes the most.
    let plan: MemoryPlan
    /// Of the stage it is in.
    private(set) var stagePlan: MemoryPlan
    private(set) var trainer: Trainer
    let workers: Workers
    /// Whether it goes on from something that was kept before.
    let isResumed: Bool
    let cache: (any FeatureCache)?
    private let configurationText: String
    private let kept: RunKeeping?

    /// What a session holds of its run's folder; nil for one that only looks ahead.
    private struct RunKeeping {
        let folder: RunFolder
        let lock: RunLock
        let results: ResultsFile
    }

    /// - Parameter isDryRun: nothing is written, no folder is made.
    init(_ request: TrainingRequest, workers: Workers, cache: (any FeatureCache)?, isDryRun: Bool = false) async throws {
        configuration = request.configuration
        data = request.data
        configurationText = configuration.text
        self.workers = workers
        isResumed = request.existing != nil
        self.cache = cache
        var state = TrainerState(seed: configuration.seed)
        state.data = data.digest
        if let checkpoint = request.checkpoint {
            state = try TrainerState(checkpoint)
            guard state.data == data.digest else {
                throw VidclassError.file(
                    configuration.data.path,
                    "the clips or their parts are not those this run was trained on; put them back, or start a new training")
            }
            guard state.stage < configuration.stagePlans.count else {
                throw VidclassError.file(
                    checkpoint.path, "it stands in stage \(state.stage + 1), the configuration has \(configuration.stagePlans.count)")
            }
            if let fault = state.fault(clips: data.entries(of: .train).count, configuration) {
                throw VidclassError.file(checkpoint.path, "its training state cannot be gone on from: \(fault)")
            }
        }
        let model = try StageModel(configuration, stage: state.stage, classes: data.classes, isFirst: true, saved: request.checkpoint)
        if let checkpoint = request.checkpoint {
            try model.load(checkpoint)
        } else {
            try await model.initialize(configuration)
        }
        // What would only be refused later is refused now.
        try Trainer.checkClasses(configuration.training, data.classes)
        let own = try model.memoryPlan(configuration, data, workers)
        stagePlan = own
        plan = try TrainingSession.largest(own, after: state.stage, configuration, data, workers)
        kept = isDryRun ? nil : try TrainingSession.keep(request, state)
        trainer = try TrainingSession.trainer(
            model, configuration, data, own, cache, workers, state, secondsBefore: kept?.results.secondsSoFar ?? 0)
        let parts = zip(["training", "validation", "test"], Split.allCases)
        startupReport = StartupReport(
            classifier: model.classifier, dataPath: configuration.data.path,
            splits: parts.map { [data] in ($0, data.entries(of: $1).count) },
            training: TrainingSummary(
                configuration, clips: data.entries(of: .train).count, hasFrozenLayers: model.classifier.frozen != nil,
                hasValidation: !data.entries(of: .validation).isEmpty),
            threads: workers.count, memory: plan.estimate)
        if request.checkpoint != nil, kept != nil { try completeBest() }
    }

    /// The plan of the stage, of those to come, that takes the most memory.
    ///
    /// - Throws: `.badData`, naming the stage, where one cannot fit.
    private static func largest(
        _ first: MemoryPlan, after stage: Int, _ configuration: RunConfiguration, _ data: DataSet, _ workers: Workers
    ) throws -> MemoryPlan {
        var largest = first
        for later in configuration.stagePlans.indices where later > stage {
            do {
                let plan = try StageModel(configuration, stage: later, classes: data.classes).memoryPlan(configuration, data, workers)
                if plan.estimate.total > largest.estimate.total { largest = plan }
            } catch let error as VidclassError {
                throw VidclassError(error.kind, "stage \(later + 1): \(error.message)")
            }
        }
        return largest
    }

    /// Makes or takes the folder, locks it, and writes down what the run is.
    private static func keep(_ request: TrainingRequest, _ state: TrainerState) throws -> RunKeeping {
        let output = request.configuration.output
        let folder =
            try request.existing?.folder ?? RunFolder.create(directory: output.directory, name: output.name, existOk: output.existOk)
        try folder.checkLinks()
        let lock = try request.existing?.lock ?? RunLock(folder)
        // Of killed writers: nobody else writes here now.
        for path in [folder.path, folder.weightsPath] { AtomicFile.removeLeftovers(in: path, isOwned: true) }
        if request.existing == nil { try folder.removeOldRun() }
        if request.checkpoint?.path == folder.previousPath { try folder.putDamagedLastAside() }
        if request.checkpoint == nil {
            try SplitsFile.write(request.data, to: folder.splitsPath)
            try request.skipped?.writeSkipped(to: folder.skippedPath)
        }
        try request.summary?.write(to: folder.dataPath)
        // Last: where it stands, the run can be resumed.
        try AtomicFile.write(to: folder.configPath) { try $0.write(request.configuration.text.utf8) }
        let results = try ResultsFile(path: folder.resultsPath, keeping: state.epoch)
        if let fault = results.fault { Terminal.note("warning: \(fault)") }
        return RunKeeping(folder: folder, lock: lock, results: results)
    }

    private static func trainer(
        _ model: StageModel, _ configuration: RunConfiguration, _ data: DataSet, _ plan: MemoryPlan, _ cache: (any FeatureCache)?,
        _ workers: Workers, _ state: TrainerState, secondsBefore: Double
    ) throws -> Trainer {
        let loader = ClipLoader(configuration)
        func clips(_ part: Split) -> LabelledClips {
            let entries = data.entries(of: part)
            return LabelledClips(entries, loader: loader, keepingBytes: plan.keptClipBytes / max(1, data.entries.count) * entries.count)
        }
        return try Trainer(
            model.classifier, optimizer: model.optimizer, configuration: configuration, training: clips(.train),
            validation: clips(.validation), memory: plan.step, features: FeatureStorage(cache: cache, keepsInMemory: plan.keepsFeatures),
            workers: workers, state: state, secondsBefore: secondsBefore)
    }

    /// Whether the last stage has come to its end: there is nothing to train.
    var isOver: Bool { trainer.end != nil && trainer.state.stage + 1 == configuration.stagePlans.count }

    /// The run's folder; not of a session that only looks ahead.
    var folder: RunFolder? { kept?.folder }
    var results: ResultsFile? { kept?.results }

    /// Writes the start-up report as the terminal has room for it.
    func showStartupReport() {
        let columns = Terminal.isInteractive ? Terminal.width - 1 : .max
        Terminal.write(Terminal.fitted(startupReport.text(columns: columns)) + "\n")
    }

    var threads: Int { workers.count }
    /// Of each part.
    var clipCounts: [(split: String, count: Int)] { Split.allCases.map { ($0.rawValue, data.entries(of: $0).count) } }

    // MARK: Training

    /// Trains through what is left of the stages.
    func run(shouldStop: @Sendable () -> Bool, progress: TrainingProgress) async throws -> Outcome {
        let stages = configuration.stagePlans.count
        while true {
            let before = trainer.classifier.frozenDigest
            let outcome = try await trainer.run(shouldStop: shouldStop, handle: { try progress.handle($0) })
            try progress.checkFrozen(before, trainer.classifier.frozenDigest, stage: trainer.state.stage)
            guard case .finished(let end) = outcome else { return .interrupted }
            try restoreBest()
            guard trainer.state.stage + 1 < stages else { return .finished(end) }
            try beginNextStage()
            try progress.beginStage(trainer.state.stage, of: stages, after: end)
        }
    }

    /// Puts the best epoch's weights back where the configuration wants that at the end of a stage.
    private func restoreBest() throws {
        guard let folder, configuration.training.earlyStopping.restoreBestWeights, !trainer.state.isRestored,
            let best = trainer.state.best, best.epoch != trainer.state.epoch
        else { return }
        try Checkpoint.open(folder.bestPath).load(into: trainer.classifier.parameters)
        trainer.noteRestored()
        try saveLast()
    }

    /// The model of the best epoch on held-out clips; `clips` nil: on the validation part. The training is over with it: its
    /// weights are the best epoch's from here on, what is saved stays.
    func evaluateBest(
        _ clips: LabelledClips?, progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Evaluation {
        let before = trainer.classifier.frozenDigest
        if let folder { try Checkpoint.open(folder.bestPath).load(into: trainer.classifier.parameters) }
        // What is kept in memory of frozen layers is of the weights before: an earlier stage may have trained them.
        let isKeptValid = trainer.classifier.frozenDigest == before
        return try await trainer.evaluate(clips, cache: cache, reusesFeatures: isKeptValid, progress: progress)
    }

    /// The same weights under the next stage's trained layers, with a fresh optimiser.
    private func beginNextStage() throws {
        var state = trainer.state
        state.beginNextStage()
        let model = try StageModel(configuration, stage: state.stage, classes: data.classes)
        model.copyWeights(from: trainer.classifier)
        stagePlan = try model.memoryPlan(configuration, data, workers)
        trainer = try TrainingSession.trainer(
            model, configuration, data, stagePlan, cache, workers, state, secondsBefore: trainer.secondsSinceStart)
        try saveLast()
    }

    // MARK: Checkpoints

    /// Everything to go on from.
    ///
    /// - Throws: `.nonFinite`, with the last finite checkpoint as it was, where a weight or moment is not finite.
    func saveLast() throws {
        guard let folder else { return }
        try requireFinite()
        try folder.keepPrevious()
        try Checkpoint.write(
            to: folder.lastPath, config: configurationText, classes: trainer.classifier.classes, state: try trainer.state.text,
            tensors: Checkpoint.tensors(of: trainer.classifier.parameters) + trainer.optimizer.tensors(trainer.classifier.parameters))
    }

    /// Sufficient alone: weights, config, classes, preprocessing.
    func saveBest() throws { if let folder { try saveModel(to: folder.bestPath) } }

    /// The model after epoch `epoch`, beside the others.
    func saveEpoch(_ epoch: Int) throws { if let folder { try saveModel(to: folder.epochPath(epoch)) } }

    private func saveModel(to path: String) throws {
        try Checkpoint.write(
            to: path, config: configurationText, classes: trainer.classifier.classes, state: nil,
            tensors: Checkpoint.tensors(of: trainer.classifier.parameters))
    }

    private func requireFinite() throws {
        let moments = trainer.optimizer.slots.allSatisfy { $0.isFinite(workers) }
        guard trainer.classifier.parameters.isFinite(workers), moments else {
            throw VidclassError(
                .nonFinite,
                "epoch \(trainer.state.epoch + 1), after step \(trainer.state.step): the weights are no longer finite; what was saved before "
                    + "stays. Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
    }

    /// Makes `best.safetensors` what it would be had the run never been stopped: after a stop between the savings of an epoch
    /// it is that epoch's model, and its configuration is the one the run goes on with.
    private func completeBest() throws {
        guard let folder, let best = trainer.state.best else { return }
        let state = trainer.state
        if state.step == 0, state.order.isEmpty, !state.isRestored {
            if let period = configuration.training.saveEveryEpochs, state.epoch % period == 0 { try saveEpoch(state.epoch) }
            if best.epoch == state.epoch { return try saveBest() }
        }
        guard let saved = try? Checkpoint.open(folder.bestPath), saved.config != configurationText else { return }
        let classifier = try Classifier(configuration.model, classes: data.classes)
        try saved.load(into: classifier.parameters)
        try Checkpoint.write(
            to: folder.bestPath, config: configurationText, classes: classifier.classes, state: nil,
            tensors: Checkpoint.tensors(of: classifier.parameters))
    }
}
