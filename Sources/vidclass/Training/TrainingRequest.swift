import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidTensor
import VidTrain

/// What a training starts from: its configuration and clips, and for one that goes on, its folder and saved state.
struct TrainingRequest {
    let configuration: RunConfiguration
    let data: DataSet
    /// Of a run that was begun before; nil: a new one.
    let folder: RunFolder?
    /// The state to go on from; nil where nothing was saved yet.
    let checkpoint: Checkpoint?

    /// A new training on `data`.
    init(_ configuration: RunConfiguration, data: DataSet) {
        self.configuration = configuration
        self.data = data
        folder = nil
        checkpoint = nil
    }

    /// Goes on with the run in `folder`.
    ///
    /// - Throws: `.missingInput` where there is no run, `.badData` where it cannot go on under this configuration.
    init(resuming folder: RunFolder, overrides: [String]) throws {
        guard FileManager.default.fileExists(atPath: folder.configPath) else {
            throw VidclassError.file(
                folder.path, "no run to resume here; expected a run's folder such as runs/train, with config.json and weights in it",
                kind: .missingInput)
        }
        let configuration = try RunConfiguration.load(path: folder.configPath, overrides: overrides)
        var checkpoint: Checkpoint?
        if FileManager.default.fileExists(atPath: folder.lastPath) {
            let saved = try Checkpoint.open(folder.lastPath)
            try ResumeRules.check(configuration, against: saved)
            checkpoint = saved
        } else {
            Terminal.note("note: \(folder.path) was stopped before anything was saved; it starts from the beginning")
        }
        self.configuration = configuration
        self.checkpoint = checkpoint
        self.folder = folder
        data = try DataSet.open(
            configuration.data.path, split: configuration.data.splitOptions(seed: configuration.seed), classes: checkpoint?.classes)
    }
}
