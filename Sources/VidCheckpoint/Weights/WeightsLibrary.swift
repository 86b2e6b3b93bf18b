import FoundationEssentials
import VidConfig
import VidSystem
import VidTensor

/// The weights on this machine: vidclass's cache and Keras's downloads.
///
/// vidclass's files are in `CacheFolder.weights`: imported ones as `<architecture>-<name>.safetensors`, downloaded ones under
/// Keras's own names. Keras's are in `$KERAS_HOME/models`, or `~/.keras/models`.
package struct WeightsLibrary: Sendable {
    /// vidclass's folder; it need not exist.
    package let weightsFolder: String
    /// Keras's folder.
    package let kerasFolder: String

    let hdf5: HDF5Import

    package init(environment: [String: String] = ProcessInfo.processInfo.environment, hdf5: HDF5Import) {
        self.hdf5 = hdf5
        weightsFolder = CacheFolder(environment: environment).weights
        kerasFolder = (CacheFolder.folder("KERAS_HOME", environment) ?? CacheFolder.home(environment) + "/.keras") + "/models"
    }

    // MARK: - Finding

    /// The file that a config's `weights` stands for: a path, or a name such as `imagenet`.
    ///
    /// A name is looked up as an imported file of this architecture, then, for `imagenet`, as the official Keras file in the
    /// cache and in Keras's own folder. Throws `.missingInput` with what to do if there is none.
    package func find(_ weights: String, _ architecture: Architecture) throws -> String {
        if WeightsLibrary.isPath(weights) {
            guard FileManager.default.fileExists(atPath: weights) else {
                throw VidclassError(.missingInput, "\(weights): no such weights file (model.cnn.weights)")
            }
            return weights
        }
        let names = WeightsLibrary.fileNames(weights, architecture)
        let places = names.map { "\(weightsFolder)/\($0)" } + names.filter { $0.hasSuffix(".h5") }.map { "\(kerasFolder)/\($0)" }
        if let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
        let isFetched = weights == "imagenet" && architecture.name != nil
        let way = isFetched ? "get them with `\(ShellText.vidclass("weights", "fetch", architecture.label))`, or import" : "import"
        throw VidclassError(
            .missingInput,
            "no \(weights) weights for \(architecture.label) in \(weightsFolder) or \(kerasFolder): "
                + "\(way) a file that you have with `\(ShellText.vidclass("weights", "import", "FILE"))`"
        )
    }

    /// Finds and reads weights; `ImportedWeights.load` reports a different architecture.
    package func read(_ weights: String, _ architecture: Architecture) async throws -> ImportedWeights {
        try await ImportedWeights.read(find(weights, architecture), hdf5: hdf5)
    }

    /// Whether a config's `weights` is a path rather than a name.
    package static func isPath(_ weights: String) -> Bool { weights.contains("/") || weights.contains(".") }

    private static func fileNames(_ name: String, _ architecture: Architecture) -> [String] {
        ["\(architecture.label)-\(name).safetensors"] + (name == "imagenet" ? WeightsSource.fileNames(architecture) : [])
    }

    // MARK: - Importing

    /// Reads and fully checks a weights file, runs it on a test picture, and stores it in the cache as
    /// `<architecture>-<name>.safetensors`.
    ///
    /// - Parameters:
    ///   - name: how a config refers to it: letters, digits, `-` and `_`.
    ///   - replaces: whether it may replace other weights of that name.
    ///   - architecture: the network, if several have the file's tensors.
    ///   - preprocessing: of the pixels that they were trained on, if it is not the usual one.
    /// - Returns: also what was assumed, and a warning if they do not look like trained weights.
    /// - Throws: `.usage` if other weights have that name, `.badData` if the file cannot be used.
    package func importFile(
        _ path: String, as name: String = "imagenet", replaces: Bool = false, architecture: NamedArchitecture? = nil,
        preprocessing: PreprocessingName? = nil
    ) async throws -> (listing: WeightsListing, assumption: String?, warning: String?) {
        let isName = name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) || $0 == "-" || $0 == "_"
        }
        guard !name.isEmpty, name.utf8.count <= 64, !name.hasPrefix("-"), isName else {
            throw VidclassError(
                .usage, "\(name.quoted) cannot name weights: letters, digits, '-' and '_' only, at most 64, not starting with '-'")
        }
        let weights = try await ImportedWeights.read(path, hdf5: hdf5).said(to: architecture, trainedOn: preprocessing)
        let target = "\(weightsFolder)/\(weights.architecture.label)-\(name).safetensors"
        if !replaces, (try? SystemCall.status(target, followingLink: false)) != nil,
            await !WeightsListing(target, hdf5: hdf5).holds(weights)
        {
            throw VidclassError(
                .usage,
                "there are other \(weights.architecture.label) weights named \(name) (\(target.printable)); replace them with --replace, or "
                    + "give these another name with --name")
        }
        let warning = try weights.trial()
        try Folder.make(weightsFolder)
        try WeightsFile.write(weights, to: target)
        return (await WeightsListing(target, hdf5: hdf5), weights.assumption(importedFrom: path, as: name), warning)
    }

    // MARK: - Listing

    /// The weights files of known kinds in the cache and in Keras's folder, sorted by path.
    package func list() async -> [WeightsListing] {
        let official = Set(WeightsSource.all.flatMap { WeightsSource.fileNames($0.architecture) })
        var listings: [WeightsListing] = []
        for (folder, endings) in [(weightsFolder, [".safetensors", ".h5"]), (kerasFolder, [])] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names.sorted() where !name.hasPrefix(".") {
                guard official.contains(name) || endings.contains(where: { name.hasSuffix($0) }) else { continue }
                listings.append(await WeightsListing("\(folder)/\(name)", hdf5: hdf5))
            }
        }
        return listings
    }
}

/// One line of `vidclass weights list`.
package struct WeightsListing: Sendable, Equatable {
    /// Its name in a config (`imagenet`), or nil if only its path works.
    package var name: String?
    /// `vgg16`; nil if the file cannot be read.
    package var architecture: String?
    package var preprocessing: PreprocessingName?
    package var bytes = 0
    package let path: String
    /// SHA-256 of the original file.
    package var sha256: String?
    /// Why it cannot be used; nil if it can.
    package var fault: String?

    /// Returns true if it was imported from the same file and with the same preprocessing.
    fileprivate func holds(_ weights: ImportedWeights) -> Bool { sha256 == weights.sha256 && preprocessing == weights.preprocessing }

    /// Reads the whole file at `path` and describes it.
    init(_ path: String, hdf5: HDF5Import) async {
        self.path = path
        do {
            bytes = try RegularFile(path).size
            let weights = try await ImportedWeights.read(path, hdf5: hdf5)
            architecture = weights.architecture.label
            preprocessing = weights.preprocessing
            sha256 = weights.sha256
            let file = path.split(separator: "/").last ?? ""
            let prefix = weights.architecture.label + "-"
            if file.hasPrefix(prefix), file.hasSuffix(".safetensors") {
                name = String(file.dropFirst(prefix.count).dropLast(".safetensors".count))
            } else if WeightsSource.fileNames(weights.architecture).contains(String(file)) {
                name = "imagenet"
            }
        } catch let error as VidclassError {
            fault = error.message
        } catch {
            fault = "\(error)"
        }
    }
}

extension ImportedWeights {
    /// Reads Keras's `.h5`, `.weights.h5` and `.keras`, torchvision's VGGs as `.safetensors`, vidclass's own weights files, and the CNN of a
    /// vidclass checkpoint or of an ONNX model that was exported from one. The content decides which kind a file is.
    ///
    /// - Parameter hdf5: where the HDF5 library reads HDF5 files.
    package static func read(_ path: String, hdf5: HDF5Import) async throws -> ImportedWeights {
        let file = try RegularFile(path)
        let start = try file.bytes(at: 0, count: min(8, file.size))
        if start == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] { return try await hdf5.read(path) }
        if let weights = try await KerasArchive.read(file, hdf5: hdf5) { return weights }
        return try readWithoutHDF5(file)
    }

    /// Reads any of these kinds of files except those with HDF5 in them.
    package static func readWithoutHDF5(_ file: RegularFile) throws -> ImportedWeights {
        let path = file.path
        let start = try file.bytes(at: 0, count: min(8, file.size))
        if ONNXWeights.begins(start) { return try ONNXWeights.read(file) }
        if let error = try ForeignWeights.error(for: file, start) { throw error }
        let tensors = try SafetensorsFile(file)
        switch tensors.metadata["format"] {
        case WeightsFile.format: return try WeightsFile.readOwn(tensors)
        case Checkpoint.format: return try WeightsFile.readCheckpoint(Checkpoint(tensors))
        default:
            if let weights = try StateDictWeights.read(tensors) { return weights }
            if TorchVisionWeights.matches(tensors) { return try TorchVisionWeights.read(tensors) }
            let first = tensors.entries.first.map { "its first tensor is \($0.name.quoted)" } ?? "it holds no tensors"
            throw VidclassError.file(path, "neither a torchvision VGG (features.0.weight, ...) nor a vidclass file; \(first)")
        }
    }
}

extension ImportedWeights {
    /// A sentence that names the assumed network of the file at `path` and the command that imports it as another one. It is nil if
    /// only one network has these tensors.
    fileprivate func assumption(importedFrom path: String, as name: String) -> String? {
        guard let other = alternatives.first else { return nil }
        let words = ["weights", "import", ShellText.path(path)] + (name == "imagenet" ? [] : ["--name", name])
        let command = ShellText.vidclass(words + ["--architecture", other.network.rawValue, "--replace"])
        let others = alternatives.map(\.network.rawValue).joined(separator: ", ")
        let differences =
            alternatives.contains { $0.preprocessing != preprocessing } ? "padding, epsilon and preprocessing" : "padding and epsilon"
        return
            "\(path.printable): its tensors are those of \(architecture.label) and of \(others), which differ in \(differences); "
            + "\(architecture.label) is assumed. If that is wrong, use `\(command)`"
    }
}
