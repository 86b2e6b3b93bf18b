import VidConfig
import VidModel
import VidSystem
import VidTensor

/// A checkpoint: the weights of a model with its configuration and class names, and the state that training resumes from.
///
/// A safetensors file (any reader opens it) of single-precision tensors: the model's parameters under their own names, the
/// optimizer's under `optimizer/`, and in a finished run's best model those of `Familiarity` under `familiarity/`. Its metadata values
/// are strings: `format` = `vidclass`, `version` = `1`, `config` (JSON of the run's configuration), `classes` (JSON array of the
/// labels, in the order of the outputs), `state` (JSON of the training state; absent in a checkpoint that cannot be resumed), `splits`
/// (`DataSet.digest` of the clips with their splits; a state holds it itself), `checksum` (see `SealedSafetensors`). It contains no
/// time and no machine name: the same training gives the same bytes.
package struct Checkpoint: Sendable {
    /// The name prefixes of the tensors of the optimizer and of `Familiarity`; all others belong to the model.
    package static let optimizerPrefix = "optimizer/"
    package static let familiarityPrefix = "familiarity/"
    package static let format = "vidclass"
    package static let version = "1"

    package let file: SafetensorsFile
    /// JSON of the run's configuration, and its tree.
    package let config: String
    package let configNode: JSONNode
    /// Labels, in the order of the outputs.
    package let classes: [String]
    /// JSON of the training's state.
    package let state: String?
    /// `DataSet.digest` of the clips with their splits in the training; nil if an earlier version wrote the checkpoint.
    package let splits: String?
    /// SHA-256 of the file, in hexadecimal digits.
    package let checksum: String

    package var path: String { file.path }
    /// The tensors, in the order of the file.
    package var tensors: [SafetensorsEntry] { file.entries }

    // MARK: - Writing

    /// Writes a checkpoint atomically: `path` holds the old file or the whole new one.
    ///
    /// `config` and `state` are JSON texts, `splits` is a digest. `tensors` are written in their order, without a copy.
    /// Throws `.inputOutput` if the file cannot be written; an existing file is then unchanged.
    package static func write(
        to path: String, config: String, classes: [String], state: String?, splits: String? = nil, tensors: [NamedTensor],
        calls: FileCalls = .posix
    ) throws {
        var metadata = [
            "format": format, "version": version, "config": config,
            "classes": JSONNode.array(classes.map { .string($0) }).text(),
        ]
        metadata["state"] = state
        metadata["splits"] = splits
        try SealedSafetensors.write(to: path, metadata: metadata, tensors: tensors, calls: calls)
    }

    /// The values of a store as tensors to write, in the order of registration.
    package static func tensors(of store: ParameterStore) -> [NamedTensor] {
        store.slices.map { NamedTensor($0.name, store.value($0)) }
    }

    // MARK: - Opening

    /// Opens a checkpoint and verifies all of it: header, metadata, checksum.
    package static func open(_ path: String) throws -> Checkpoint { try Checkpoint(SafetensorsFile(path)) }

    init(_ file: SafetensorsFile) throws { self = try Checkpoint.reading(file, preparing: { _ in }, values: { _, _ in }).checkpoint }

    /// Reads the header of a checkpoint, and everything behind it in one pass.
    ///
    /// - Parameters:
    ///   - prepare: is called with the checkpoint before the file is verified. If the header or `prepare` has an error, that of a damaged
    ///     file comes first.
    ///   - values: receives the values block by block, as `SealedSafetensors.verify` passes them, with the result of `prepare`.
    static func reading<Result>(
        _ file: SafetensorsFile, preparing prepare: (Checkpoint) throws -> Result, values: (Result, UnsafeRawBufferPointer) throws -> Void
    ) throws -> (checkpoint: Checkpoint, result: Result) {
        try requireFormat(file)
        let (checkpoint, result): (Checkpoint, Result)
        do {
            checkpoint = try Checkpoint(unverified: file)
            result = try prepare(checkpoint)
        } catch {
            try SealedSafetensors.verify(file)
            throw error
        }
        try SealedSafetensors.verify(file) { try values(result, $0) }
        return (checkpoint, result)
    }

    private static func requireFormat(_ file: SafetensorsFile) throws {
        let format = try text("format", file)
        guard format == Checkpoint.format else {
            throw VidclassError.file(file.path, "its format is \(format.quoted); expected \(Checkpoint.format.quoted)")
        }
        let version = try text("version", file)
        guard version == Checkpoint.version else {
            throw VidclassError.file(
                file.path, "its version is \(version.quoted); this vidclass reads version \(Checkpoint.version.quoted)")
        }
        if let extra = file.metadata.keys.filter({ !Checkpoint.keys.contains($0) }).min() {
            throw VidclassError.file(file.path, "unknown key \(extra.quoted) in its metadata")
        }
    }

    private static func text(_ key: String, _ file: SafetensorsFile) throws -> String {
        guard let text = file.metadata[key] else {
            throw VidclassError.file(file.path, "no \(key.quoted) in its metadata; this is not a vidclass checkpoint")
        }
        return text
    }

    /// - Parameter file: its format is right, and its content is verified later.
    private init(unverified file: SafetensorsFile) throws {
        func json(_ key: String, values: Int = JSONParser.defaultMaximumValues) throws -> JSONNode {
            do { return try JSONParser.parse(Checkpoint.text(key, file), maximumValues: values) } catch let error as JSONSyntaxError {
                throw VidclassError.file(file.path, "metadata \(key.quoted): \(error)")
            }
        }
        checksum = try Checkpoint.text("checksum", file)
        self.file = file
        config = try Checkpoint.text("config", file)
        configNode = try json("config")
        guard configNode.objectMembers != nil else {
            throw VidclassError.file(file.path, "metadata \"config\": expected an object, found \(configNode.brief)")
        }
        state = file.metadata["state"]
        let stateNode = state == nil ? JSONNode.null : try json("state", values: Checkpoint.mostStateValues)
        if let digest = file.metadata["splits"], !Checkpoint.isDigest(digest) {
            throw VidclassError.file(
                file.path, "metadata \"splits\": expected a digest of 64 hexadecimal digits, found \(digest.shortened.quoted)")
        }
        splits = file.metadata["splits"] ?? stateNode["data"]?.stringValue.flatMap { Checkpoint.isDigest($0) ? $0 : nil }
        classes = try Checkpoint.classes(json("classes"), file.path)
        if let other = file.entries.first(where: { $0.type != .float32 }) {
            throw VidclassError.file(file.path, "tensor \(other.name.quoted): expected F32, found \(other.type.rawValue)")
        }
    }

    /// The most JSON values in a state, which includes the order of an epoch's clips.
    private static let mostStateValues = 1 << 22

    private static let keys: Set = ["format", "version", "config", "classes", "state", "splits", "checksum"]

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    private static func classes(_ node: JSONNode, _ path: String) throws -> [String] {
        let labels = (node.arrayElements ?? []).compactMap(\.stringValue)
        guard !labels.isEmpty, labels.count == node.arrayElements?.count, !labels.contains(""),
            !labels.contains(where: { $0.utf8.contains(0) })
        else {
            throw VidclassError.file(path, "metadata \"classes\": expected an array of labels, found \(node.brief)")
        }
        var seen = Set<[UInt8]>()
        if let twice = labels.first(where: { !seen.insert(Array($0.utf8)).inserted }) {
            throw VidclassError.file(path, "metadata \"classes\": the label \(twice.quoted) appears twice")
        }
        return labels
    }
}

extension Checkpoint {
    /// Whether a tensor of this name belongs to the model.
    package static func isOfModel(_ name: String) -> Bool { !name.hasPrefix(optimizerPrefix) && !name.hasPrefix(familiarityPrefix) }

    /// The checkpoint in a safetensors file, verified; nil if the file is something else.
    package static func openIfOne(_ path: String) throws -> Checkpoint? {
        let file = try SafetensorsFile(path)
        return file.metadata["format"] == format ? try Checkpoint(file) : nil
    }
}
