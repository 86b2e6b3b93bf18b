import VidConfig
import VidSystem
import VidTensor

/// vidclass's own kind of weights file, which holds a CNN's convolutions.
///
/// It is safetensors with `block1_conv1/kernel` and so on, and the metadata `format` = `vidclass-weights`,
/// `version` = `1`, `architecture`, `preprocessing`, `source`, `source_sha256`, `checksum` (see `SealedSafetensors`).
package enum WeightsFile {
    package static let format = "vidclass-weights"
    package static let version = "1"

    /// Writes `weights` as a weights file, atomically.
    package static func write(_ weights: ImportedWeights, to path: String) throws {
        try SealedSafetensors.write(to: path, metadata: metadata(weights), tensors: weights.tensors)
    }

    /// `weights` as such a file that also names the layers that were ignored.
    static func sealed(_ weights: ImportedWeights) throws -> SealedSafetensors.Image {
        var metadata = metadata(weights)
        metadata["ignored"] = JSONNode.array(weights.ignored.map { .string($0) }).text()
        return try SealedSafetensors.seal(weights.source, metadata: metadata, tensors: weights.tensors)
    }

    private static func metadata(_ weights: ImportedWeights) -> [String: String] {
        let name = weights.source.split(separator: "/").last.map(String.init) ?? weights.source
        return [
            "format": format, "version": version, "architecture": weights.architecture.label,
            "preprocessing": weights.preprocessing.rawValue, "source": name, "source_sha256": weights.sha256,
        ]
    }

    /// Reads a file that `sealed` made from `source`, which has the SHA-256 `sha256`.
    static func readHandedOver(_ path: String, source: String, sha256: String) throws -> ImportedWeights {
        let file = try SafetensorsFile(path)
        guard file.metadata["format"] == format, file.metadata["source_sha256"] == sha256, let text = file.metadata["ignored"],
            let ignored = try? JSONParser.parse(text)
        else { throw VidclassError.file(path, "the child that read it returned something other than its weights") }
        try SealedSafetensors.verify(file)
        guard let preprocessing = file.metadata["preprocessing"].flatMap(PreprocessingName.init(rawValue:)) else {
            throw VidclassError.file(path, "the child that read it did not return its preprocessing")
        }
        return try read(
            file, prefix: "", named(file.metadata["architecture"]), preprocessing, sha256: sha256,
            ignored: (ignored.arrayElements ?? []).compactMap(\.stringValue), source: source)
    }

    static func readOwn(_ file: SafetensorsFile) throws -> ImportedWeights {
        guard file.metadata["version"] == version else {
            throw VidclassError.file(
                file.path, "its version is \((file.metadata["version"] ?? "").quoted); this vidclass reads version \(version.quoted)")
        }
        try SealedSafetensors.verify(file)
        // guard: keys-of-weights
        if let extra = file.metadata.keys.filter({ !keys.contains($0) }).min() {
            throw VidclassError.file(file.path, "unknown key \(extra.quoted) in its metadata")
        }
        guard let preprocessing = file.metadata["preprocessing"].flatMap(PreprocessingName.init(rawValue:)),
            let sha256 = file.metadata["source_sha256"]
        else { throw VidclassError.file(file.path, "its metadata has no \"preprocessing\" or \"source_sha256\"") }
        let weights = try read(file, prefix: "", named(file.metadata["architecture"]), preprocessing, sha256: sha256, ignored: [])
        let known = Set(weights.tensors.map(\.name))
        if let other = file.entries.first(where: { !known.contains($0.name) }) {
            throw VidclassError.file(file.path, "tensor \(other.name.quoted) is not part of \(weights.architecture.label)")
        }
        guard file.metadata["architecture"] == weights.architecture.label else {
            throw VidclassError.file(
                file.path,
                "its metadata says \((file.metadata["architecture"] ?? "").quoted), but its tensors are those of \(weights.architecture.label)"
            )
        }
        return weights
    }

    private static let keys: Set = ["format", "version", "architecture", "preprocessing", "source", "source_sha256", "checksum"]

    static func readCheckpoint(_ checkpoint: Checkpoint) throws -> ImportedWeights {
        let (architecture, preprocessing) = try network(checkpoint.configNode, checkpoint.path)
        let layers = checkpoint.tensors.filter { !$0.name.hasPrefix("cnn/") && Checkpoint.isOfModel($0.name) }
            .map { String($0.name.prefix { $0 != "/" }) }
        return try read(
            checkpoint.file, prefix: "cnn/", architecture, preprocessing, sha256: checkpoint.checksum, ignored: Set(layers).sorted())
    }

    /// The architecture and the preprocessing of the configuration in the metadata of the file at `path`; nil without a CNN.
    static func network(_ configuration: JSONNode, _ path: String) throws -> (architecture: Architecture?, preprocessing: PreprocessingName)
    {
        let word = configuration["data"]?["preprocessing"]?.stringValue
        guard let preprocessing = word.map(PreprocessingName.init(rawValue:)) ?? DataConfiguration().preprocessing else {
            throw VidclassError.file(path, "config: data.preprocessing is \((word ?? "").quoted)")
        }
        guard let node = configuration["model"]?["cnn"]?["architecture"] else { return (nil, preprocessing) }
        do throws(ConfigurationFault) {
            return (try Architecture.codec.decode(node, ConfigurationPath("model", "cnn", "architecture")), preprocessing)
        } catch {
            throw VidclassError.file(path, "config: \(error.message)")
        }
    }

    /// A configuration from which `network` takes these.
    static func configuration(_ architecture: Architecture, _ preprocessing: PreprocessingName) -> JSONNode {
        [
            "model": ["cnn": ["architecture": Architecture.codec.encode(architecture)]],
            "data": ["preprocessing": .string(preprocessing.rawValue)],
        ]
    }

    /// The same for a model that was exported to another format.
    ///
    /// - Throws: `.badData` if it has no CNN, or one of the user's own layers, whose weights have no name in the library.
    static func exportedNetwork(
        _ configuration: JSONNode, _ path: String
    ) throws -> (architecture: Architecture, preprocessing: PreprocessingName) {
        let (architecture, preprocessing) = try network(configuration, path)
        guard let architecture else { throw VidclassError.file(path, "the model in it has no CNN") }
        guard architecture.name != nil || architecture.blocks != nil else {
            throw VidclassError.file(
                path,
                "its CNN has layers of its own, and weights of named networks alone can be imported; use the checkpoint that it was "
                    + "exported from as model.cnn.weights")
        }
        return (architecture, preprocessing)
    }

    /// The architecture of a label; nil for VGG's of any kind, whose tensors tell the blocks.
    private static func named(_ label: String?) -> Architecture? {
        label.flatMap(NamedArchitecture.init(rawValue:)).map(Architecture.named)
    }

    /// The tensors of `architecture`, or, for a VGG or nil, `<prefix>block1_conv1/kernel` and so on.
    private static func read(
        _ file: SafetensorsFile, prefix: String, _ architecture: Architecture?, _ preprocessing: PreprocessingName, sha256: String,
        ignored: [String], source: String? = nil
    ) throws -> ImportedWeights {
        if let architecture, architecture.blocks == nil {
            return try ImportedWeights(
                source: source ?? file.path, sha256: sha256, preprocessing: preprocessing, ignored: ignored, architecture: architecture
            ) { name, tensor in
                guard let entry = file.entry(named: prefix + name), entry.shape == tensor.shape.dimensions, entry.type == .float32 else {
                    let found = file.entry(named: prefix + name).map { "is \($0.type.rawValue) \($0.shapeText)" } ?? "is missing"
                    throw VidclassError.file(
                        file.path, "tensor \((prefix + name).quoted) \(found), expected F32 \(tensor.shape) for \(architecture.label)")
                }
                try file.read(entry, into: tensor)
            }
        }
        var sources: [ConvolutionSource] = []
        for entry in file.entries where entry.name.hasPrefix(prefix) && entry.name.hasSuffix("/kernel") {
            let layer = entry.name.dropFirst(prefix.count).dropLast("/kernel".count)
            guard let place = ConvolutionSource.place(layer), let bias = file.entry(named: "\(prefix)\(layer)/bias"),
                entry.type == .float32, bias.type == .float32
            else {
                throw VidclassError.file(file.path, "tensor \(entry.name.quoted) has no matching bias, or is not F32")
            }
            sources.append(ConvolutionSource(block: place.block, number: place.number, kernel: entry.shape, bias: bias.shape))
        }
        sources.sort { ($0.block, $0.number) < ($1.block, $1.number) }
        return try ImportedWeights(
            source: source ?? file.path, sha256: sha256, preprocessing: preprocessing, ignored: ignored, convolutions: sources
        ) { index, kernel, bias in
            for (name, tensor) in [("kernel", kernel), ("bias", bias)] {
                if let entry = file.entry(named: "\(prefix)\(sources[index].name)/\(name)") { try file.read(entry, into: tensor) }
            }
        }
    }
}
