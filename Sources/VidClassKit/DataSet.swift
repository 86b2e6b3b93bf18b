internal import VidConfig
internal import VidData
internal import VidRun
internal import VidSystem
internal import VidTrain

/// The use of a clip.
public enum Split: String, Hashable, Sendable, CaseIterable {
    case training = "train"
    case validation = "val"
    case test
}

/// Labelled clips, each in one split: a folder with one folder per class, or a table.
///
/// Opening a data set lists its files and reads none of them; a training checks every clip.
public struct DataSet: Sendable {
    /// A labelled clip.
    public struct Clip: Hashable, Sendable {
        /// The path by which it can be opened.
        public let path: String
        /// The path relative to the data.
        public let name: String
        public let label: String
        public let split: Split
    }

    /// The folder or table.
    public let path: String
    /// The labels, sorted: the order of a model's scores.
    public let classes: [String]
    public let clips: [Clip]
    /// Remarks on what was found, one line each.
    public let notes: [String]

    /// The clips that a training with this configuration would use, in its splits.
    ///
    /// - Throws: ``VidClassError`` with `.missingInput` if the data is not there, `.badData` if it is not a data set.
    public init(_ configuration: Configuration) throws {
        let data = configuration.run.data
        self = try VidClassError.translating {
            DataSet(try VidData.DataSet.open(data.path, media: data.media, split: data.splitOptions(seed: configuration.run.seed)))
        }
    }

    /// The clips at `path`.
    ///
    /// - Parameters:
    ///   - path: `DIR/<class>/<clip>`, `DIR/{train,val,test}/<class>/<clip>`, or a table with the header `path,label[,split][,group]`.
    ///   - validation: the share of each class that becomes the validation split, if the data names none, from 0 to 1.
    ///   - test: the same for the test split.
    ///   - seed: chooses the clips of these splits.
    /// - Throws: ``VidClassError`` with `.missingInput` if the data is not there, `.badData` if it is not a data set or for an impossible
    ///   share.
    public init(_ path: String, validation: Double = 0.2, test: Double = 0, seed: UInt64 = 1) throws {
        self = try VidClassError.translating {
            DataSet(try VidData.DataSet.open(path, split: .init(seed: seed, validation: validation, test: test)))
        }
    }

    private init(_ set: VidData.DataSet) {
        path = set.path
        classes = set.classes
        clips = set.entries.map {
            Clip(path: $0.path, name: $0.id, label: set.classes[$0.label], split: Split(rawValue: $0.split.rawValue) ?? .training)
        }
        notes = set.notes
    }

    /// The clips of a split.
    public func clips(in split: Split) -> [Clip] { clips.filter { $0.split == split } }
}
