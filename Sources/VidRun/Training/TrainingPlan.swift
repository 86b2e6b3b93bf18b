import FoundationEssentials
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem

/// Everything that a training starts from: its configuration and checked clips, and for a resumed one its folder and saved state.
package struct TrainingPlan {
    package let configuration: RunConfiguration
    let data: DataSet
    /// Clips that the check has decoded for this training.
    package let clips: ClipStore?
    /// The check's findings if clips are left out; nil if none are.
    let skipped: DataReport?
    /// A summary of the findings for the run's folder; nil if it has one, or if the clips were not checked.
    let summary: DataSummary?
    /// The run to resume, locked before its state was read; nil for a new run.
    let existing: (folder: RunFolder, lock: RunLock)?
    /// The state to resume from; nil if nothing was saved yet.
    let checkpoint: Checkpoint?
    /// The older model that a new training starts from; nil if all weights are drawn or come from `model.cnn.weights`.
    let start: WarmStart?

    private init(
        _ configuration: RunConfiguration, _ data: DataSet, clips: ClipStore?, skipped: DataReport? = nil, summary: DataSummary?,
        existing: (folder: RunFolder, lock: RunLock)? = nil, checkpoint: Checkpoint? = nil, start: WarmStart? = nil
    ) {
        self.configuration = configuration
        self.data = data
        self.clips = clips
        self.skipped = skipped
        self.summary = summary
        self.existing = existing
        self.checkpoint = checkpoint
        self.start = start
    }

    init(
        _ configuration: RunConfiguration, _ data: CheckedData, existing: (folder: RunFolder, lock: RunLock)? = nil,
        checkpoint: Checkpoint? = nil, start: WarmStart? = nil
    ) {
        self.init(
            configuration, data.set, clips: data.clips, skipped: data.report.bad.isEmpty ? nil : data.report,
            summary: DataSummary(data.report, skipsBad: true), existing: existing, checkpoint: checkpoint, start: start)
    }

    /// A new training, after a check of all clips.
    ///
    /// - Parameter start: the older model to take weights from.
    /// - Throws: what opening and checking the data throws, and `.badData` if the older model cannot fit.
    package init(_ configuration: RunConfiguration, from start: WarmStart? = nil, in runtime: Runtime) async throws {
        try start?.requireFit(configuration)
        self.init(configuration, try await CheckedData(configuration, in: runtime), start: start)
    }

    /// The same plan for a training that is only measured: what it takes from the check's clips is still there for the real one.
    var measured: TrainingPlan {
        TrainingPlan(configuration, data, clips: clips?.copy, summary: nil, checkpoint: checkpoint, start: start)
    }

    /// Resumes the run in `folder` on the clips that its `splits.csv` names, after a check of them.
    ///
    /// - Throws: `.missingInput` if there is no run or a clip is gone, `.badData` if the run cannot be resumed under this
    ///   configuration, `.busy` if another process trains there.
    package init(resuming folder: RunFolder, overrides: [String], in runtime: Runtime) async throws {
        try folder.checkLinks()
        let lock = try RunLock(folder)
        let configuration = try RunConfiguration.load(path: folder.configPath, overrides: overrides)
        let checkpoint = try TrainingPlan.saved(folder, configuration, runtime)
        guard FileManager.default.fileExists(atPath: folder.splitsPath) else {
            self.init(
                configuration, try await CheckedData(configuration, in: runtime), existing: (folder, lock), checkpoint: checkpoint)
            return
        }
        let data = try await CheckedData(splits: folder.splitsPath, configuration, classes: checkpoint?.classes, in: runtime)
        // splits.csv does not list clips that were left out; the run's first summary does.
        let hasSummary = FileManager.default.fileExists(atPath: folder.dataPath)
        self.init(
            configuration, data.set, clips: data.clips, summary: hasSummary ? nil : DataSummary(data.report, skipsBad: true),
            existing: (folder, lock),
            checkpoint: checkpoint)
    }

    /// The training of one fold, in `folder`: a new one or, if the folder has a configuration, a resumed one.
    init(
        fold folder: RunFolder, _ configuration: RunConfiguration, data: DataSet, clips: ClipStore?, report: DataReport, in runtime: Runtime
    ) throws {
        try folder.checkLinks()
        guard FileManager.default.fileExists(atPath: folder.configPath) else {
            self.init(configuration, data, clips: clips, summary: DataSummary(report.divided(as: data), skipsBad: true))
            return
        }
        let lock = try RunLock(folder)
        self.init(
            configuration, data, clips: clips, summary: nil, existing: (folder, lock),
            checkpoint: try TrainingPlan.saved(folder, configuration, runtime))
    }

    /// The saved state, if any. The configuration may differ from the state's, or the folder's, only where `ResumeRules` allows it.
    ///
    /// - Throws: `.badData` if states were saved and none can be read.
    private static func saved(_ folder: RunFolder, _ configuration: RunConfiguration, _ runtime: Runtime) throws -> Checkpoint? {
        guard let saved = try newestReadable(folder, runtime) else {
            try ResumeRules.check(configuration, against: RunConfiguration.load(path: folder.configPath), folder.configPath)
            try runtime.note("\(folder.path.printable) was stopped before anything was saved; it starts from the beginning")
            return nil
        }
        try ResumeRules.check(configuration, against: RunConfiguration(json: saved.config, source: saved.path), saved.path)
        return saved
    }

    /// The last state, or with a warning the previous one if the last is damaged or missing; nil if none was ever saved.
    private static func newestReadable(_ folder: RunFolder, _ runtime: Runtime) throws -> Checkpoint? {
        // guard: state-before-a-damaged-one, without: , folder.previousPath ->
        let paths = [folder.lastPath, folder.previousPath].filter { FileManager.default.fileExists(atPath: $0) }
        var fault: VidclassError?
        for path in paths {
            do {
                let saved = try Checkpoint.open(path)
                if path == folder.previousPath {
                    let reason = fault?.message ?? "\(folder.lastPath.printable): is missing"
                    try runtime.warn("\(reason); resuming from the state saved before it, \(path.printable)")
                }
                return saved
            } catch let error as VidclassError {
                fault = fault ?? error
            }
        }
        guard let fault else { return nil }
        throw VidclassError(
            fault.kind,
            "\(fault.message). No earlier state can be read either, so the run cannot be resumed. Its best model may still be usable: "
                + folder.bestPath)
    }
}
