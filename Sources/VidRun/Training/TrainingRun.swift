import FoundationEssentials
import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// A training, new or resumed, with its model, data, memory and folder: it goes through the stages and saves everything that a
/// run's folder holds.
package final class TrainingRun {
    package enum Outcome: Sendable {
        case finished(TrainingResult)
        /// Everything is saved.
        case stopped(StopCondition.Reason)
    }

    package let configuration: RunConfiguration
    package let startupReport: StartupReport
    /// Nil for a dry run.
    package let folder: RunFolder?
    let data: DataSet
    /// Clips that the check has decoded: each is taken once, by the first stage's encoding or the evaluation.
    let clips: ClipStore?
    let runtime: Runtime
    /// The plan of the stage, of those to come, that takes the most memory.
    let largestMemoryPlan: MemoryPlan
    /// The plan of the current stage.
    private(set) var memoryPlan: MemoryPlan
    private(set) var trainer: Trainer
    let isResumed: Bool
    private let lock: RunLock?
    var results: ResultsFile?
    var record: RunRecord
    var board: TensorBoardLog?

    /// Whether the only saved state is what the training starts from.
    var isOnlyStarted = false
    /// When the state was last saved.
    var lastSaved = ContinuousClock.now
    /// When `run` was called.
    var start = ContinuousClock.now
    /// Whether run.json stays as it is, because the run was finished before.
    let keepsRecord: Bool

    /// Builds the model, loads or initialises its weights, finds memory for all stages, and makes or reuses the run's folder.
    ///
    /// - Parameter isDryRun: whether to leave out the folder, so that nothing is written.
    /// - Throws: `.badData` if the state doesn't match the data, or if the training doesn't fit into memory.
    package init(_ plan: TrainingPlan, in runtime: Runtime, isDryRun: Bool = false) async throws {
        configuration = plan.configuration
        data = plan.data
        self.runtime = runtime
        isResumed = plan.existing != nil
        let state = try TrainingRun.state(plan)
        let model = try StageModel(configuration, stage: state.stage, classes: data.classes, isFirst: true, saved: plan.checkpoint)
        if let checkpoint = plan.checkpoint {
            try model.load(checkpoint)
        } else {
            try await model.initialize(configuration, from: plan.start, training: data.entries(of: .train), in: runtime)
        }
        // Bad class weights are refused before a folder is made.
        try Trainer.checkClasses(configuration.training, data.classes, labels: data.entries(of: .train).map(\.label))
        memoryPlan = try model.memoryPlan(configuration, data, runtime.workers)
        largestMemoryPlan = try TrainingRun.largest(memoryPlan, after: state.stage, configuration, data, runtime.workers)
        if isDryRun {
            (folder, lock, results) = (nil, nil, nil)
        } else {
            (folder, lock, results) = try TrainingRun.prepareFolder(plan, model, state, runtime)
        }
        clips = plan.clips
        clips?.shrink(to: max(0, MemoryBudget(gibibytes: configuration.training.memoryGiB).bytes - largestMemoryPlan.estimate.total))
        // A dry run measures this machine alone.
        trainer = try model.trainer(
            configuration, data, memoryPlan, decoded: clips, cluster: isDryRun ? Alone() : runtime.cluster, state: state,
            secondsBefore: results?.secondsSoFar ?? 0, in: runtime)
        startupReport = StartupReport(
            classifier: model.classifier, dataPath: configuration.data.path,
            splits: zip(["training", "validation", "test"], Split.allCases).map { [data] in ($0, data.entries(of: $1).count) },
            training: TrainingSummary(
                configuration, clips: data.entries(of: .train).count, hasFrozenLayers: model.classifier.frozen != nil,
                hasValidation: !data.entries(of: .validation).isEmpty),
            threads: runtime.workers.count, memory: largestMemoryPlan.estimate)
        record = RunRecord(version: runtime.version, command: runtime.command, started: Date.now.formatted(.iso8601))
        let before = record.carryOver(from: folder?.recordPath)
        keepsRecord = before == .finished && trainer.end != nil && trainer.state.stage + 1 == configuration.stagePlans.count
        record.clips = clipCounts
        if let start = plan.start { record.start = start.origin }
        isOnlyStarted = plan.start != nil
        if plan.checkpoint != nil, !isDryRun { try completeBest() }
    }

    /// The plan's saved state after a check, or a new one.
    private static func state(_ plan: TrainingPlan) throws -> TrainerState {
        guard let checkpoint = plan.checkpoint else {
            var state = TrainerState(seed: plan.configuration.seed)
            state.data = plan.data.digest
            return state
        }
        return try TrainerState(checkpoint, data: plan.data, plan.configuration)
    }

    /// The plan of the stage, of those to come, that takes the most memory.
    ///
    /// - Throws: `.badData` with the number of a stage that does not fit.
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

    /// Makes the folder or reuses it, locks it, and writes what the run is.
    private static func prepareFolder(
        _ plan: TrainingPlan, _ model: StageModel, _ state: TrainerState, _ runtime: Runtime
    ) throws -> (RunFolder, RunLock, ResultsFile) {
        let output = plan.configuration.output
        let folder =
            try plan.existing?.folder ?? RunFolder.create(directory: output.directory, name: output.name, existOk: output.existOk)
        // guard: weights-not-through-link
        try folder.checkLinks()
        let lock = try plan.existing?.lock ?? RunLock(folder)
        // Killed processes may have left temporary files. Under the lock nobody else writes here.
        for path in [folder.path, folder.weightsPath] { AtomicFile.removeLeftovers(in: path, isOwned: true) }
        if plan.existing == nil { try folder.removeOldRun() }
        if plan.checkpoint?.path == folder.previousPath { try folder.putDamagedLastAside() }
        if plan.checkpoint == nil {
            try SplitsFile.write(plan.data, to: folder.splitsPath)
            try plan.skipped?.writeSkipped(to: folder.skippedPath)
        }
        try plan.summary?.write(to: folder.dataPath)
        // A resumed run must not need the older model.
        if plan.start != nil { try writeState(to: folder.lastPath, plan.configuration, model.classifier, model.optimizer, state) }
        // This comes last: a folder with it can be resumed.
        try AtomicFile.write(to: folder.configPath) { try $0.write(plan.configuration.text.utf8) }
        let results = try ResultsFile(path: folder.resultsPath, keeping: state.epoch)
        if let fault = results.fault { try runtime.warn(fault) }
        return (folder, lock, results)
    }

    /// Whether the last stage is over, so that there is nothing to train.
    package var isOver: Bool { trainer.end != nil && trainer.state.stage + 1 == configuration.stagePlans.count }
    /// Epochs that are over.
    package var epochsDone: Int { trainer.state.epoch }
    /// Clips of each split.
    var clipCounts: [(split: String, count: Int)] { Split.allCases.map { ($0.rawValue, data.entries(of: $0).count) } }

    /// Continues with the same weights under the next stage's trained layers and a fresh optimiser.
    func beginNextStage() throws {
        var state = trainer.state
        state.beginNextStage()
        let model = try StageModel(configuration, stage: state.stage, classes: data.classes)
        model.copyWeights(from: trainer.classifier)
        memoryPlan = try model.memoryPlan(configuration, data, runtime.workers)
        trainer = try model.trainer(
            configuration, data, memoryPlan, decoded: clips, cluster: runtime.cluster, state: state,
            secondsBefore: trainer.secondsSinceStart, in: runtime)
        try saveLast()
    }
}
