import VidConfig
import VidSystem
import VidTensor

/// A CNN's weights in a file of any kind that vidclass reads, told apart by their content; and vidclass's own kind.
///
/// The own kind is safetensors with `block1_conv1/kernel` and so on, and the metadata `format` = `vidclass-weights`,
/// `version` = `1`, `architecture`, `preprocessing`, `source`, `source_sha256`, `checksum` (see `SealedSafetensors`).
package enum WeightsFile {
    package static let format = "vidclass-weights"
    package static let version = "1"

    /// Reads Keras's `.h5` and `.weights.h5`, torchvision's VGGs as `.safetensors`, a file that `write` made, or the CNN of a
    /// checkpoint of vidclass's.
    ///
    /// - Parameter hdf5: where the HDF5 library reads a file of its kind.
    package static func read(_ path: String, hdf5: HDF5Import) throws -> ImportedWeights {
        let file = try RegularFile(path)
        let start = try file.bytes(at: 0, count: min(8, file.size))
        if start == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] { return try hdf5.read(path) }
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            throw VidclassError.file(
                path,
                "a ZIP archive (.pth, .keras or .npz); "
                    + "save a VGG of PyTorch's with safetensors.torch.save_file, one of Keras's with model.save_weights(\"x.weights.h5\")"
            )
        }
        if start.starts(with: [0x80, 0x02]) {
            throw VidclassError.file(
                path, "a Python pickle, which can run any program when it is read; save it with safetensors.torch.save_file")
        }
        let tensors = try SafetensorsFile(file)
        switch tensors.metadata["format"] {
        case format: return try readOwn(tensors)
        case Checkpoint.format: return try readCheckpoint(Checkpoint(tensors))
        default:
            if TorchVisionWeights.matches(tensors) { return try TorchVisionWeights.read(tensors) }
            let first = tensors.entries.first.map { "its first tensor is \($0.name.quoted)" } ?? "it holds no tensors"
            throw VidclassError.file(path, "neither a VGG of torchvision's (features.0.weight, ...) nor a file of vidclass's; \(first)")
        }
    }

    /// Writes `weights` as a file of the own kind, atomically.
    static func write(_ weights: ImportedWeights, to path: String) throws {
        try SealedSafetensors.write(to: path, metadata: metadata(weights), tensors: weights.tensors)
    }

    /// `weights` as such a file that also names the layers left out.
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

    /// What `sealed` made of `source`, whose SHA-256 is known from elsewhere.
    static func readHandedOver(_ path: String, source: String, sha256: String) throws -> ImportedWeights {
        let file = try SafetensorsFile(path)
        guard file.metadata["format"] == format, file.metadata["source_sha256"] == sha256, let text = file.metadata["ignored"],
            let ignored = try? JSONParser.parse(text)
        else { throw VidclassError.file(path, "something else came out of it than its weights") }
        try SealedSafetensors.verify(file)
        return try read(
            file, prefix: "", .caffe, sha256: sha256, ignored: (ignored.arrayElements ?? []).compactMap(\.stringValue), source: source)
    }

    private static func readOwn(_ file: SafetensorsFile) throws -> ImportedWeights {
        guard file.metadata["version"] == version else {
            throw VidclassError.file(
                file.path, "its version is \((file.metadata["version"] ?? "").quoted); this vidclass reads version \(version.quoted)")
        }
        try SealedSafetensors.verify(file)
        if let extra = file.metadata.keys.filter({ !keys.contains($0) }).min() {
            throw VidclassError.file(file.path, "unknown key \(extra.quoted) in its metadata")
        }
        guard let preprocessing = file.metadata["preprocessing"].flatMap(PreprocessingName.init(rawValue:)),
            let sha256 = file.metadata["source_sha256"]
        else { throw VidclassError.file(file.path, "its metadata lacks \"preprocessing\" or \"source_sha256\"") }
        let weights = try read(file, prefix: "", preprocessing, sha256: sha256, ignored: [])
        let known = Set(weights.tensors.map(\.name))
        if let other = file.entries.first(where: { !known.contains($0.name) }) {
            throw VidclassError.file(file.path, "tensor \(other.name.quoted) is none of a VGG's")
        }
        guard file.metadata["architecture"] == weights.architecture.label else {
            throw VidclassError.file(
                file.path,
                "its metadata says \((file.metadata["architecture"] ?? "").quoted), its tensors are those of \(weights.architecture.label)")
        }
        return weights
    }

    private static let keys: Set = ["format", "version", "architecture", "preprocessing", "source", "source_sha256", "checksum"]

    private static func readCheckpoint(_ checkpoint: Checkpoint) throws -> ImportedWeights {
        let word = checkpoint.configNode["data"]?["preprocessing"]?.stringValue
        guard let preprocessing = word.map(PreprocessingName.init(rawValue:)) ?? DataConfiguration().preprocessing else {
            throw VidclassError.file(checkpoint.path, "config: data.preprocessing is \((word ?? "").quoted)")
        }
        let layers = checkpoint.tensors.filter { !$0.name.hasPrefix("cnn/") && !$0.name.hasPrefix(Checkpoint.optimizerPrefix) }
            .map { String($0.name.prefix { $0 != "/" }) }
        return try read(
            checkpoint.file, prefix: "cnn/", preprocessing, sha256: checkpoint.checksum, ignored: Set(layers).sorted())
    }

    /// The tensors `<prefix>block1_conv1/kernel` and so on.
    private static func read(
        _ file: SafetensorsFile, prefix: String, _ preprocessing: PreprocessingName, sha256: String, ignored: [String], source: String? = nil
    ) throws -> ImportedWeights {
        var sources: [ConvolutionSource] = []
        for entry in file.entries where entry.name.hasPrefix(prefix) && entry.name.hasSuffix("/kernel") {
            let layer = entry.name.dropFirst(prefix.count).dropLast("/kernel".count)
            guard let place = ConvolutionSource.place(layer), let bias = file.entry(named: "\(prefix)\(layer)/bias"),
                entry.type == .float32, bias.type == .float32
            else {
                throw VidclassError.file(file.path, "tensor \(entry.name.quoted) has no bias beside it, or is not F32")
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
