internal import VidCheckpoint
internal import VidConfig
internal import VidRun
internal import VidSystem

/// A trained model's file: what it is, without its weights in memory.
///
/// A checkpoint is a safetensors file that is sufficient alone. Later versions of vidclass read the checkpoints of earlier ones.
public struct Checkpoint: Sendable {
    /// The file.
    public let path: String
    /// The labels, in the order of the scores.
    public let classes: [String]
    /// The configuration that the model was trained with.
    public let configuration: Configuration
    /// SHA-256 of the file, in hexadecimal digits.
    public let checksum: String

    /// Opens a checkpoint and verifies its checksum.
    ///
    /// - Parameter path: a checkpoint such as `runs/train/weights/best.safetensors`, or the folder of a run for its best one.
    /// - Throws: ``VidClassError`` with `.missingInput` if there is none, `.badData` if it is damaged or something else.
    public init(_ path: String) throws {
        let (file, run) = try VidClassError.translating {
            let file = try VidCheckpoint.Checkpoint.open(RunChoice.checkpoint(path))
            return (file, try RunConfiguration(json: file.config, source: file.path))
        }
        (self.path, classes, checksum, configuration) = (file.path, file.classes, file.checksum, Configuration(run))
    }

    /// The best model of the newest finished run in a folder of runs.
    ///
    /// - Throws: ``VidClassError`` with `.missingInput` if there is no run with a model.
    public static func newest(in directory: String = "runs") throws -> Checkpoint {
        try Checkpoint(VidClassError.translating { try RunChoice(in: directory).run.folder.bestPath })
    }

    /// A clip as the model sees it. Arrays of frames need its channels, rows and columns; the frames are chosen from any number of them
    /// (`data.sampling`, `data.short_clips`).
    public var input: InputShape { configuration.input }
}
