import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor

/// What a training starts from: its configuration and clips, and for one that goes on, its folder and saved state.
struct TrainingRequest {
    let configuration: RunConfiguration
    let data: DataSet
    /// Clips that were left out, with the others; nil: none were.
    let skipped: DataReport?
    /// What was found of all of them; nil: they were not looked at, or a run goes on that has noted it.
    let summary: DataSummary?
    /// Of a run that was begun before, held against others from before its state was read; nil: a new one.
    let existing: (folder: RunFolder, lock: RunLock)?
    /// The state to go on from; nil where nothing was saved yet.
    let checkpoint: Checkpoint?

    /// A new training on `data`.
    init(_ configuration: RunConfiguration, data: DataSet, skipped: DataReport? = nil, summary: DataSummary? = nil) {
        self.configuration = configuration
        self.data = data
        self.skipped = skipped
        self.summary = summary
        existing = nil
        checkpoint = nil
    }

    /// Goes on with the run in `folder` on the clips that its `splits.csv` names.
    ///
    /// - Throws: `.missingInput` where there is no run or a clip is gone, `.badData` where it cannot go on under this
    ///   configuration, `.busy` where another process trains there.
    static func resume(_ folder: RunFolder, overrides: [String], clipCache: (any ClipCache)?, quiet: Bool) async throws -> TrainingRequest {
        let lock = try RunLock(folder)
        let configuration = try RunConfiguration.load(path: folder.configPath, overrides: overrides)
        let checkpoint = try saved(folder, configuration)
        guard FileManager.default.fileExists(atPath: folder.splitsPath) else {
            let data = try await TrainingData.open(configuration, clipCache: clipCache, quiet: quiet)
            return TrainingRequest(
                configuration, data.set, data.report.bad.isEmpty ? nil : data.report, DataSummary(data.report, skipsBad: true),
                (folder, lock),
                checkpoint)
        }
        let data = try await TrainingData.reopen(
            folder.splitsPath, configuration, classes: checkpoint?.classes, clipCache: clipCache, quiet: quiet)
        // Clips that were left out stand in no splits.csv: what the first part of the run has noted is the whole of it.
        let isNoted = FileManager.default.fileExists(atPath: folder.dataPath)
        return TrainingRequest(
            configuration, data.set, nil, isNoted ? nil : DataSummary(data.report, skipsBad: true), (folder, lock), checkpoint)
    }

    /// Goes on with the run in `folder` on `data`.
    init(resuming folder: RunFolder, _ configuration: RunConfiguration, data: DataSet) throws {
        let lock = try RunLock(folder)
        self.init(configuration, data, nil, nil, (folder, lock), try TrainingRequest.saved(folder, configuration))
    }

    private init(
        _ configuration: RunConfiguration, _ data: DataSet, _ skipped: DataReport?, _ summary: DataSummary?,
        _ existing: (folder: RunFolder, lock: RunLock)?, _ checkpoint: Checkpoint?
    ) {
        self.configuration = configuration
        self.data = data
        self.skipped = skipped
        self.summary = summary
        self.existing = existing
        self.checkpoint = checkpoint
    }

    /// The saved state, if any; the configuration is held against that of the state, or of the folder.
    ///
    /// - Throws: `.badData` where states were saved and none can be read.
    private static func saved(_ folder: RunFolder, _ configuration: RunConfiguration) throws -> Checkpoint? {
        guard let saved = try newestWhole(folder) else {
            try ResumeRules.check(configuration, against: RunConfiguration.load(path: folder.configPath), folder.configPath)
            Terminal.note("note: \(folder.path) was stopped before anything was saved; it starts from the beginning")
            return nil
        }
        try ResumeRules.check(configuration, against: RunConfiguration(json: saved.config, source: saved.path), saved.path)
        return saved
    }

    /// The last state, or where that is damaged or gone the one before it, with a warning; nil where none was ever saved.
    private static func newestWhole(_ folder: RunFolder) throws -> Checkpoint? {
        let paths = [folder.lastPath, folder.previousPath].filter { FileManager.default.fileExists(atPath: $0) }
        var fault: VidclassError?
        for path in paths {
            do {
                let saved = try Checkpoint.open(path)
                if path == folder.previousPath {
                    let reason = fault?.message ?? "\(folder.lastPath): is not there"
                    Terminal.note("warning: \(reason); going on from the state saved before it, \(path)")
                }
                return saved
            } catch let error as VidclassError {
                fault = fault ?? error
            }
        }
        guard let fault else { return nil }
        throw VidclassError(
            fault.kind,
            "\(fault.message); no state saved before it can be read either, so the run cannot go on. "
                + "Its best model, if whole, is still of use: \(folder.bestPath)")
    }
}
