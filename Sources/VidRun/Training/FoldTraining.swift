import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTrain

/// Cross-validation: K trainings, each validated on one K-th of the clips, in the folders `fold1` to `foldK` of a folder that can be
/// resumed as a whole.
package struct FoldTraining {
    package enum Outcome: Sendable {
        case finished(FoldSummary)
        /// Everything is saved. `fold` counts from 1.
        case stopped(StopCondition.Reason, fold: Int, of: Int)
    }

    package let folder: RunFolder
    package let configuration: RunConfiguration
    private let lock: RunLock
    private let count: Int
    /// All clips. Those of the test split are in no fold.
    private let data: CheckedData
    private let runtime: Runtime

    /// Checks all clips and makes a new folder.
    ///
    /// - Throws: what opening and checking the data throws, and `.badData` if the data has too few clips for so many folds.
    package init(_ configuration: RunConfiguration, count: Int, in runtime: Runtime) async throws {
        try self.init(configuration, try await CheckedData(configuration, in: runtime), count: count, in: runtime)
    }

    /// Makes a new folder for the folds of clips that are checked already.
    init(_ configuration: RunConfiguration, _ data: CheckedData, count: Int, in runtime: Runtime) throws {
        self.configuration = configuration
        self.count = count
        self.runtime = runtime
        self.data = data
        data.clips?.remove(data.set.entries(of: .test).map(\.path))
        // Impossible folds are refused before a folder is made.
        let (folds, notes) = try data.set.folds(count, seed: configuration.seed)
        for note in notes { try runtime.note(note) }
        // The check compared the splits; clips that show the same can be in different folds, too.
        for (index, fold) in folds.enumerated() {
            let report = data.report.divided(as: fold)
            if configuration.data.leakCheck == .refuse, let error = report.leakError() {
                throw VidclassError(error.kind, "fold \(index + 1): \(error.message)")
            }
            if let warning = report.leakWarning { try runtime.note("fold \(index + 1): \(warning)") }
        }
        let output = configuration.output
        folder = try RunFolder.create(directory: output.directory, name: output.name, existOk: output.existOk, holdsWeights: false)
        lock = try RunLock(folder)
        try folder.removeOldRun()
        try SplitsFile.write(data.set, to: folder.splitsPath)
        if !data.report.bad.isEmpty { try data.report.writeSkipped(to: folder.skippedPath) }
        try FoldTraining.write(JSONNode.object([("folds", .integer(count))]).text(pretty: true) + "\n", to: folder.foldsPath)
        try FoldTraining.write(configuration.text, to: folder.configPath)
    }

    /// Resumes the folds in `folder` after a check of their clips.
    ///
    /// - Throws: as `TrainingPlan.init(resuming:)`.
    package init(resuming folder: RunFolder, overrides: [String], in runtime: Runtime) async throws {
        self.folder = folder
        self.runtime = runtime
        lock = try RunLock(folder)
        configuration = try RunConfiguration.load(path: folder.configPath, overrides: overrides)
        try ResumeRules.check(configuration, against: RunConfiguration.load(path: folder.configPath), folder.configPath)
        count = try folder.foldCount()
        data = try await CheckedData(splits: folder.splitsPath, configuration, classes: nil, in: runtime)
        try FoldTraining.write(configuration.text, to: folder.configPath)
    }

    private static func write(_ text: String, to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    /// Trains the folds that are not finished, one after the other, and writes folds.csv at the end.
    package func run(until stop: StopCondition) async throws -> Outcome {
        var results: [FoldSummary.Result] = []
        for (index, fold) in try data.set.folds(count, seed: configuration.seed).folds.enumerated() {
            let training = try await TrainingRun(plan(index + 1, fold), in: runtime)
            if index == 0 { try runtime.observe(.startup(training.startupReport)) }
            let run = training.folder?.path ?? ""
            try runtime.observe(.fold(index + 1, of: count, run: run))
            if case .stopped(let reason) = try await training.run(until: stop) {
                if reason == .timeIsUp { try runtime.observe(.foldsEnded(summary(results, reason: reason.rawValue))) }
                return .stopped(reason, fold: index + 1, of: count)
            }
            guard let best = training.trainer.state.best else { continue }
            results.append(.init(run: run, clips: fold.entries(of: .validation).count, best: best))
        }
        let summary = summary(results, reason: "folds")
        try FoldTraining.write(summary.csv, to: folder.foldResultsPath)
        try runtime.observe(.foldsEnded(summary))
        return .finished(summary)
    }

    private func plan(_ number: Int, _ fold: DataSet) throws -> TrainingPlan {
        var own = configuration
        own.output = OutputConfiguration()
        own.output.directory = folder.path
        own.output.name = RunFolder.foldName(number)
        own.output.existOk = true
        return try TrainingPlan(fold: folder.fold(number), own, data: fold, clips: data.clips, report: data.report, in: runtime)
    }

    private func summary(_ results: [FoldSummary.Result], reason: String) -> FoldSummary {
        FoldSummary(run: folder.path, reason: reason, results: results, monitor: configuration.training.monitor.rawValue)
    }
}
